import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectError,
  ConnectionError,
  describeCode,
  EndOfStreamError,
  errorCodes,
  ProtocolError,
  TimeoutError,
  UsageError,
  ZocaloError,
} from "./errors.ts";

test("every code has a side and a sentence that says something", () => {
  assert.equal(new Set(errorCodes).size, errorCodes.length);
  for (const code of errorCodes) {
    const { side, detail } = describeCode(code);
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.ok(["local", "remote", "system"].includes(side), code);
    // A part of a sentence: the message of the error goes on with it after a colon.
    assert.match(detail, /^[a-zA-Z].{10,}[^.\s]$/, code);
  }
});

test("the message is code, operation, address, what happened", () => {
  const details = { op: "connect", local: "tcp://127.0.0.1:1", remote: "tcp://127.0.0.1:2" };
  const { detail } = describeCode("CONNECTION_REFUSED");
  assert.equal(
    new ZocaloError("CONNECTION_REFUSED", details).message,
    `CONNECTION_REFUSED: connect tcp://127.0.0.1:2: ${detail}`,
  );
  assert.equal(
    new ZocaloError("ADDRESS_IN_USE", { op: "listen", local: "tcp://127.0.0.1:1", detail: "taken" }).message,
    "ADDRESS_IN_USE: listen tcp://127.0.0.1:1: taken",
  );
  assert.equal(new ZocaloError("CLOSED", { op: "read", detail: "gone" }).message, "CLOSED: read: gone");
});

// The rules are those of docs/semantics.md.
test("rule A12: an error carries what is known, and nothing that is not", () => {
  const cause = new Error("ECONNRESET");
  const full = new ConnectionError("CONNECTION_RESET", {
    op: "write",
    local: "tcp://127.0.0.1:1",
    remote: "tcp://127.0.0.1:2",
    side: "system",
    outcome: "unknown",
    cause,
  });
  assert.equal(full.op, "write");
  assert.equal(full.side, "system");
  assert.equal(full.outcome, "unknown");
  assert.equal(full.local, "tcp://127.0.0.1:1");
  assert.equal(full.remote, "tcp://127.0.0.1:2");
  assert.equal(full.cause, cause);

  const bare = new ZocaloError("CONNECTION_RESET", { op: "read" });
  assert.equal(bare.side, "remote");
  assert.equal(bare.outcome, undefined);
  assert.equal(bare.local, undefined);
  assert.equal(bare.remote, undefined);
  assert.equal("cause" in bare, false);
});

test("each class has its name and is a ZocaloError", () => {
  const classes = { ZocaloError, UsageError, ConnectError, ConnectionError, TimeoutError, ProtocolError };
  for (const [name, Class] of Object.entries(classes)) {
    const error = new Class("CLOSED", { op: "read" });
    assert.ok(error instanceof ZocaloError);
    assert.equal(error.name, name);
    assert.match(String(error.stack), new RegExp(`^(Error|${name}): CLOSED: read: `));
  }
});

test("ConnectError lists its attempts, EndOfStreamError has the bytes that came", () => {
  const error = new ZocaloError("CONNECTION_REFUSED", { op: "connect" });
  const attempts = [{ address: "tcp://127.0.0.1:1", startedAfterMs: 0, error }];
  assert.deepEqual(new ConnectError("CONNECTION_REFUSED", { op: "connect", attempts }).attempts, attempts);
  assert.deepEqual(new ConnectError("NAME_NOT_FOUND", { op: "connect" }).attempts, []);

  const end = new EndOfStreamError({ op: "readExactly", partial: Uint8Array.of(1, 2) });
  assert.equal(end.code, "END_OF_STREAM");
  assert.equal(end.name, "EndOfStreamError");
  assert.deepEqual(end.partial, Uint8Array.of(1, 2));
});
