import assert from "node:assert/strict";
import { test } from "node:test";
import { asksFor, optionsFrom } from "./start.ts";

test("the entry starts by itself only where --import names it", () => {
  for (const words of [
    ["--import=zocalo/inspect"],
    ["--import", "zocalo/inspect"],
    ["--enable-source-maps", '--import="zocalo/inspect"', "--no-warnings"],
  ]) {
    assert.ok(asksFor(words), words.join(" "));
  }
  for (const words of [
    [],
    ["--import=tsx"],
    ["zocalo/inspect"],
    ["--import"],
    ["--import", "zocalo"],
    ["--require=zocalo/inspect"],
  ]) {
    assert.ok(!asksFor(words), words.join(" "));
  }
});

test("the environment gives the options; an empty variable is none", () => {
  const nothing = { port: undefined, path: undefined, payloads: false, allow: undefined };
  assert.deepEqual(optionsFrom({}), nothing);
  assert.deepEqual(optionsFrom({ ZOCALO_INSPECT_PORT: "", ZOCALO_INSPECT_PAYLOADS: "0" }), nothing);
  assert.deepEqual(
    optionsFrom({
      ZOCALO_INSPECT_PORT: "4000",
      ZOCALO_INSPECT_PAYLOADS: "1",
      ZOCALO_INSPECT_ALLOW: "drain, disconnect",
    }),
    { port: 4000, path: undefined, payloads: true, allow: ["drain", "disconnect"] },
  );
  assert.equal(optionsFrom({ ZOCALO_INSPECT_PATH: "/run/p.sock" }).path, "/run/p.sock");
});
