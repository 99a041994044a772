import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ANSWER_OVERHEAD_BYTES,
  CALL,
  CALL_OVERHEAD_BYTES,
  type ContractDatagram,
  decodeDatagram,
  encodeAnswer,
  encodeCall,
  encodeEvent,
  encodeRefusal,
  ERROR,
  EVENT,
  EVENT_OVERHEAD_BYTES,
  MAX_COOKIE_BYTES,
  REFUSAL,
  RESULT,
  RETRY,
} from "./datagram.ts";

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const head = fc.record({ codec: fc.nat(255), hash: u64 });
const method = fc.nat(0xffff);
const body = fc.uint8Array({ maxLength: 300 });
const place = (bytes: Uint8Array) => ({ bytes, start: 0, end: bytes.length });

function bodyOf({ body: { bytes, start, end } }: ContractDatagram): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function decoded(bytes: Buffer): ContractDatagram {
  const datagram = decodeDatagram(bytes);
  assert.ok(datagram !== undefined);
  return datagram;
}

test("what is encoded is decoded", () => {
  const cookie = fc.uint8Array({ maxLength: MAX_COOKIE_BYTES });
  const ms = fc.oneof(fc.nat(0xffff_fffe), fc.constant(Number.POSITIVE_INFINITY));
  fc.assert(
    fc.property(head, method, u64, ms, cookie, body, (fields, place_, id, remainingMs, shown, bytes) => {
      const event = decoded(encodeEvent(fields, place_, place(bytes)));
      assert.ok(event.type === EVENT);
      assert.deepEqual([event.hash, event.codec, event.method], [fields.hash, fields.codec, place_]);
      assert.deepEqual(bodyOf(event), bytes);
      const call = decoded(encodeCall(fields, { id, method: place_, remainingMs, cookie: shown }, place(bytes)));
      assert.ok(call.type === CALL);
      assert.deepEqual([call.id, call.method, call.remainingMs], [id, place_, remainingMs]);
      assert.deepEqual([new Uint8Array(call.cookie), bodyOf(call)], [shown, bytes]);
      for (const type of [RESULT, ERROR, RETRY] as const) {
        const answer = decoded(encodeAnswer(type, fields, id, place(bytes)));
        assert.ok(answer.type === type);
        assert.deepEqual([answer.id, answer.hash, bodyOf(answer)], [id, fields.hash, bytes]);
      }
    }),
  );
});

test("the overhead is what a datagram has beside its body", () => {
  const fields = { codec: 1, hash: 1n };
  const nothing = place(new Uint8Array(0));
  assert.equal(encodeEvent(fields, 0, nothing).length, EVENT_OVERHEAD_BYTES);
  const call = { id: 1n, method: 0, remainingMs: 1, cookie: new Uint8Array(MAX_COOKIE_BYTES) };
  assert.equal(encodeCall(fields, call, nothing).length, CALL_OVERHEAD_BYTES);
  assert.equal(encodeAnswer(RESULT, fields, 1n, nothing).length, ANSWER_OVERHEAD_BYTES);
});

test("a refusal is never longer than it may be", () => {
  fc.assert(
    fc.property(
      head,
      u64,
      fc.string({ maxLength: 200 }),
      fc.integer({ min: 22, max: 400 }),
      (fields, id, text, max) => {
        const bytes = encodeRefusal(fields, id, 1, text, max);
        assert.ok(bytes.length <= max && bytes.length <= 151);
        const refusal = decoded(bytes);
        assert.ok(refusal.type === REFUSAL);
        assert.deepEqual([refusal.id, refusal.reason], [id, 1]);
      },
    ),
  );
});

test("noise and datagrams that were cut are no datagrams, or datagrams with a shorter body; nothing throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.equal(decodeDatagram(Buffer.from(bytes)), undefined);
    }),
  );
  const call = { id: 7n, method: 3, remainingMs: 9, cookie: new Uint8Array(16) };
  const whole = encodeCall({ codec: 1, hash: 5n }, call, place(new Uint8Array(4)));
  for (let length = 0; length < whole.length; length += 1) {
    assert.equal(decodeDatagram(whole.subarray(0, length)) === undefined, length < whole.length - 4, `${length} bytes`);
  }
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      decodeDatagram(changed);
    }),
  );
});

test("an unknown version, an unknown type and a cookie that is too long are no datagrams", () => {
  const event = encodeEvent({ codec: 1, hash: 5n }, 0, place(new Uint8Array(40)));
  for (const [at, byte] of [
    [2, 2],
    [3, 0],
    [3, 7],
  ] as const) {
    const changed = Buffer.from(event);
    changed[at] = byte;
    assert.equal(decodeDatagram(changed), undefined);
  }
  const cookie = new Uint8Array(MAX_COOKIE_BYTES + 1);
  const call = encodeCall({ codec: 1, hash: 5n }, { id: 1n, method: 0, remainingMs: 1, cookie }, place(cookie));
  assert.equal(decodeDatagram(call), undefined);
});
