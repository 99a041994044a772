import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, bytesOf, client, codeOf, resume } from "../../../test/fixtures/handshake-cases.ts";
import { ClientHandshake } from "./client-handshake.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { encodeHandshake, REFUSAL } from "./preamble.ts";
import { ServerHandshake } from "./server-handshake.ts";

test("what the server sends behind its welcome is given to the session", () => {
  const happened = answer({});
  assert.equal(happened?.type === "welcome" ? String(happened.rest) : "", "rest");
});

test("the client gets the refusal as a typed error", () => {
  const listener = new ServerHandshake(0);
  const caller = new ClientHandshake(client, 0);
  const hello = bytesOf(caller.output());
  listener.receive(hello, 0, hello.length);
  listener.refuse({ code: "SERVER_BUSY", message: "too many sessions", retryAfterMs: 500 });
  const refusal = bytesOf(listener.output());
  caller.receive(refusal, 0, refusal.length);
  const happened = caller.nextEvent();
  assert.equal(happened?.type, "refused");
  assert.equal(happened.error.code, "SERVER_BUSY");
  assert.equal(happened.error.detail, "too many sessions");
  assert.equal(happened.retryAfterMs, 500);
});

test("a server refuses with the codes of a refusal, whatever it says", () => {
  const codes = ["UNAUTHENTICATED", "OPTION_INVALID", "TIMEOUT", "SIM_LEAK", "__proto__", ""];
  const told = codes.map((code) => {
    const caller = new ClientHandshake(client, 0);
    const refusal = encodeHandshake(REFUSAL, { code, message: "no" });
    caller.receive(refusal, 0, refusal.length);
    const happened = caller.nextEvent();
    assert.equal(happened?.type, "refused");
    assert.equal(happened.error.side, "remote");
    return happened.error.code;
  });
  assert.deepEqual(told, ["UNAUTHENTICATED", ...Array.from({ length: 5 }, () => "HANDSHAKE_INVALID")]);
});

test("the client does not take everything", () => {
  assert.equal(codeOf(answer({})), "welcome");
  assert.equal(codeOf(answer({ version: "3.0.0" })), "VERSION_UNSUPPORTED");
  assert.equal(codeOf(answer({ codec: "msgpack" })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ features: ["a"] })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ received: 3 })), "HANDSHAKE_INVALID");
});

// The rules are those of docs/semantics.md.
test("rule D5: a counter outside what was acknowledged and what was sent is refused by the client", () => {
  assert.equal(codeOf(answer({ received: 7 }, { resume })), "welcome");
  assert.equal(codeOf(answer({ received: 9 }, { resume })), "welcome");
  assert.equal(codeOf(answer({ received: 6 }, { resume })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ received: 10 }, { resume })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ fresh: "server-restarted" }, { resume })), "welcome");
  assert.equal(codeOf(answer({}, { resume })), "HANDSHAKE_INVALID");
});

test("rule D5: a session is not continued under another agreement, whatever the server says", () => {
  const first = answer({});
  assert.ok(first?.type === "welcome");
  const resumeUnder = first.agreement;
  assert.equal(codeOf(answer({ received: 7 }, { resume, resumeUnder })), "welcome");
  assert.equal(codeOf(answer({ received: 7, version: "2.1.1" }, { resume, resumeUnder })), "HANDSHAKE_INVALID");
  assert.equal(codeOf(answer({ received: 7, offers: ["say", "join"] }, { resume, resumeUnder })), "HANDSHAKE_INVALID");
  const limits = { ...DEFAULT_LIMITS, windowBytes: 1 };
  assert.equal(codeOf(answer({ received: 7, limits }, { resume, resumeUnder })), "HANDSHAKE_INVALID");
});

test("a server that ends in the handshake has broken no rule: it may be there again later", () => {
  const caller = new ClientHandshake(client, 0);
  caller.end();
  assert.equal(codeOf(caller.nextEvent()), "END_OF_STREAM");
});
