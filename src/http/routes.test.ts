import assert from "node:assert/strict";
import { test } from "node:test";
import { findRoute } from "./routes.ts";

const TABLE = [
  ["GET", "/", "all"],
  ["GET", "/rows/:id", "one"],
  ["DELETE", "/rows/:id", "end"],
  ["GET", "/rows/heat", "heat"],
  ["POST", "/proxies/:name/faults/:id", "fault"],
] as const;

test("a path finds its route, with what stands in it", () => {
  for (const [method, path, route, parts] of [
    ["GET", "/", "all", {}],
    ["GET", "/rows/12", "one", { id: "12" }],
    ["DELETE", "/rows/0", "end", { id: "0" }],
    ["GET", "/rows/heat", "heat", {}],
    ["POST", "/proxies/my%20db%2f1/faults/3", "fault", { name: "my db/1", id: "3" }],
  ] as const) {
    const found = findRoute(TABLE, method, path);
    assert.deepEqual([found.route?.[2], found.parts], [route, parts], path);
  }
});

test("a path that takes other methods says which; another one none", () => {
  const allowed = (method: string, path: string): string => {
    const { route, allow } = findRoute(TABLE, method, path);
    assert.equal(route, undefined, path);
    return allow;
  };
  assert.equal(allowed("POST", "/rows/12"), "GET, DELETE");
  assert.equal(allowed("get", "/"), "GET");
  for (const path of [
    "",
    "/rows",
    "/rows/",
    "/rows/x",
    "/rows/-1",
    "/rows/1/2",
    "/rows/%",
    "/rows/1234567890123456",
    "//",
  ]) {
    assert.equal(allowed("GET", path), "", path);
  }
});
