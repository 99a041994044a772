import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, type Place, placeFrom } from "./place.ts";

test("a place comes back from its address", () => {
  const places: readonly Place[] = [
    { view: "servers" },
    { view: "session", id: 17 },
    { view: "sessions", sort: "held" },
    { view: "sessions", sort: "id", server: 2, cell: "3,10" },
  ];
  for (const place of places) assert.deepEqual(placeFrom(hashOf(place)), place);
});

test("an address that makes no sense shows the servers, and what makes none in it is left out", () => {
  for (const hash of ["", "#", "#/", "#/nothing", "#/sessions/x", "#/sessions/1/2"]) {
    assert.deepEqual(placeFrom(hash), { view: "servers" }, hash);
  }
  const plain = { view: "sessions", sort: "held" };
  for (const hash of ["#/sessions", "#/sessions?sort=x&server=-1&cell=<b>"])
    assert.deepEqual(placeFrom(hash), plain, hash);
});
