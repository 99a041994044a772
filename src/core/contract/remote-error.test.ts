import assert from "node:assert/strict";
import { test } from "node:test";
import type * as module from "./remote-error.ts";
import { isForCaller, RemoteError, remoteErrorFields, remoteErrorOf } from "./remote-error.ts";

test("an error crosses the wire with code, message and data, and nothing else", () => {
  const sent = new RemoteError("FULL", "no room", { data: { seats: 12 }, cause: new Error("secret") });
  const fields = remoteErrorFields(sent);
  assert.deepEqual(fields, { code: "FULL", message: "no room", data: { seats: 12 } });
  const { code, message, data, cause } = remoteErrorOf(fields);
  assert.deepEqual([code, message, data, cause], ["FULL", "no room", { seats: 12 }, undefined]);
});

test("texts have no half of a surrogate pair, also where they are cut", () => {
  assert.equal(remoteErrorOf({ code: "FULL" }).message, "FULL");
  const cut = remoteErrorFields(new RemoteError("FULL", "🦙".repeat(512) + "\ud83e"));
  assert.deepEqual(cut, { code: "FULL", message: "🦙".repeat(512) });
  assert.deepEqual(remoteErrorFields(new RemoteError("A\udc00", "b\udc00")), { code: "A\ufffd", message: "b\ufffd" });
});

test("what a peer sends as an error is cut to its limits, and INTERNAL when it makes no sense", () => {
  const long = remoteErrorOf({ code: "C".repeat(65), message: "m".repeat(1025) });
  assert.deepEqual([long.code.length, long.message.length], [64, 1024]);
  for (const nonsense of [{ code: 1 }, null, 1, "text", [], undefined])
    assert.equal(remoteErrorOf(nonsense).code, "INTERNAL");
});

test("a class that a program derives has its own objects only", () => {
  class RoomFull extends RemoteError {}
  const full = new RoomFull("ROOM_FULL");
  assert.ok(full instanceof RoomFull && full instanceof RemoteError);
  assert.ok(!(new RemoteError("ROOM_FULL") instanceof RoomFull));
});

test("a handler may throw the RemoteError of another copy, but not pass on one that came from a service", async () => {
  const copy = (await import(new URL("./remote-error.js?copy", import.meta.url).href)) as typeof module;
  assert.notEqual(copy.RemoteError, RemoteError);
  assert.ok(new copy.RemoteError("FULL") instanceof RemoteError);
  assert.ok(isForCaller(new copy.RemoteError("FULL")));
  assert.ok(!isForCaller(copy.remoteErrorOf({ code: "FULL", message: "x" })));
  assert.ok(!isForCaller(new Error("x")));
});

test("an error whose code or message is no text, or cannot be read, is not for the caller", () => {
  const fail = (): never => {
    throw new Error("a getter");
  };
  for (const name of ["code", "message"]) {
    assert.ok(!isForCaller(Object.defineProperty(new RemoteError("FULL"), name, { value: 5 })));
    assert.ok(!isForCaller(Object.defineProperty(new RemoteError("FULL"), name, { get: fail })));
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.ok(!isForCaller(proxy));
});
