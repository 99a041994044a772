import assert from "node:assert/strict";
import { test } from "node:test";
import { builtin, ForWorlds, replaceProperty } from "./builtin.ts";

test("a module that the runtime does not have is refused", () => {
  assert.equal(typeof builtin("net")["connect"], "function");
  assert.throws(() => builtin("nothing"), { code: "UNSUPPORTED" });
});

test("a property is replaced, and put back: an own one, an inherited one, and none", () => {
  class Parent {
    get inherited(): string {
      return "inherited";
    }
  }
  const owner = Object.assign(new Parent(), { own: "own" });
  const guarded = (): PropertyDescriptor => ({ writable: true, value: "guarded" });
  for (const name of ["own", "inherited"] as const) {
    const undo = replaceProperty(owner, name, guarded);
    assert.equal(owner[name], "guarded");
    undo();
    assert.equal(owner[name], name);
  }
  replaceProperty(owner, "missing", guarded)();
  assert.deepEqual(Object.keys(owner), ["own"]);
});

test("what worlds share is put up once, and taken down with the last, in the opposite order", () => {
  const done: string[] = [];
  const note = (text: string) => (): void => void done.push(text);
  const shared = new ForWorlds(() => {
    done.push("up");
    return [note("first"), note("second")];
  });
  const [one, other] = [shared.raise(), shared.raise()];
  one();
  one();
  assert.deepEqual(done, ["up"]);
  other();
  assert.deepEqual(done, ["up", "second", "first"]);
  shared.raise()();
  assert.deepEqual(done.slice(3), ["up", "second", "first"]);
});
