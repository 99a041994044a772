import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS } from "./faults.ts";
import { type Kind, kindName } from "./kind-name.ts";

test("in Spanish each kind has a name of its own; in English, and where none is known, that of the lists", () => {
  const kinds = Object.keys(KINDS) as Kind[];
  assert.equal(new Set(kinds.map((kind) => kindName(kind, "es"))).size, kinds.length);
  assert.equal(kindName("burst-loss", "es"), "pérdida por rachas");
  for (const kind of kinds) assert.equal(kindName(kind, "en"), kind);
  for (const unknown of ["lag", "constructor"]) assert.equal(kindName(unknown, "es"), unknown);
});
