/**
 * What is sent arrives as it was, or is refused with a typed error where it is sent: any value of JavaScript, in every codec,
 * over connections, sessions and datagrams.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  call,
  contract,
  connectSession,
  RemoteError,
  serveSessions,
  serveStateless,
  connectStateless,
  typeOnly,
} from "../../src/protocol.ts";
import {
  bytes,
  chain,
  type Codec,
  cobs,
  delimiter,
  fixedSize,
  json,
  lengthPrefix,
  lines,
  type MessageFormat,
  msgpack,
  netstring,
  slip,
  text,
  varintPrefix,
} from "../../src/framing.ts";
import { UsageError } from "../../src/index.ts";
import { decoded, encoded } from "../../src/testing/codec/check.ts";

class Point {
  readonly x = 1;
}
const cycle: Record<string, unknown> = {};
cycle["self"] = [cycle];
let deep: unknown = 1;
for (let depth = 0; depth < 64; depth += 1) deep = depth % 2 === 0 ? [deep] : { deep };
const fail = (): never => {
  throw new Error("not to be looked at");
};

/** Values that encoders change, leave out, or choke on. */
const odd: readonly unknown[] = [
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  2 ** 64,
  Number.MIN_VALUE,
  1n,
  2n ** 70n,
  Symbol("s"),
  undefined,
  fail,
  class {
    x = 1;
  },
  new Point(),
  new Map([["a", 1]]),
  new Set([1]),
  new WeakMap(),
  Promise.resolve(1),
  /x/g,
  new Error("x"),
  new URL("tcp://192.0.2.1:1"),
  new Date(0),
  new Date(-8.64e15),
  new Date(8.64e15),
  new Date(Number.NaN),
  new (class extends Date {})(0),
  Object(1),
  Object("text"),
  Object(1n),
  Buffer.from("bytes"),
  new Uint8Array(300),
  new Uint8ClampedArray(2),
  new Uint16Array([1, 256]),
  new Float64Array(1),
  new DataView(new ArrayBuffer(2)),
  new ArrayBuffer(2),
  Object.create(Uint8Array.prototype),
  Object.create(Date.prototype),
  new Proxy(new Uint8Array(1), {}),
  new Proxy({ a: 1 }, {}),
  new (class extends Array {})(1),
  Array.from({ length: 2 }),
  Object.assign([], { length: 2 }),
  Object.create(null),
  Object.create({ inherited: 1 }),
  JSON.parse('{"__proto__":{"x":1}}'),
  { constructor: Map, toString: 1 },
  { constructor: 1, hasOwnProperty: 2, length: 3 },
  { toJSON: 1 },
  { toJSON: () => 1 },
  Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 }),
  { [Symbol("s")]: 1 },
  { [Symbol.toStringTag]: "Date" },
  {
    get a(): unknown {
      return fail();
    },
  },
  { "": 1, "0": 2, "10": 3, "2": 4 },
  "\ud83e",
  "a\udc00",
  { "\ud83e": 1 },
  "\u0000\u001f\u007f\u2028\ufeff\ufffd🦙",
  "x".repeat(70_000),
  cycle,
  deep,
  [deep],
  Array.from({ length: 10_000 }, () => []),
];

const anything = fc.anything({
  maxDepth: 4,
  maxKeys: 8,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  stringUnit: "binary",
});
/** Not even the printer of a failed property may look at it. */
const hostile: unknown = new Proxy({}, { getPrototypeOf: fail, get: fail, ownKeys: fail });
const somethingOdd = fc.constantFrom(...odd);
/** Anything, something odd, and something odd inside of something else. */
const value = fc.oneof(
  anything,
  somethingOdd,
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(anything, somethingOdd),
  fc.record({ a: anything, b: fc.array(somethingOdd, { maxLength: 2 }) }),
);

/** Bytes are bytes, whatever their class, and an object without a prototype arrives as a plain one; else nothing may differ. */
function assertArrived(sent: unknown, arrived: unknown): void {
  assert.deepEqual(plain(arrived), plain(sent));
}

function plain(part: unknown): unknown {
  if (part instanceof Uint8Array) return new Uint8Array(part);
  if (Array.isArray(part)) return part.map(plain);
  if (typeof part !== "object" || part === null || part instanceof Date) return part;
  return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, plain(member)]));
}

function assertRefused(error: unknown): void {
  assert.ok(error instanceof UsageError, String(error));
  assert.ok(error.code === "FRAME_INVALID" || error.code === "FRAME_TOO_LONG" || error.code === "DATAGRAM_TOO_LARGE");
  assert.deepEqual([error.side, error.outcome], ["local", "none"]);
}

const formats: readonly MessageFormat<never, unknown>[] = [
  json(),
  msgpack(),
  text(),
  text({ encoding: "latin1" }),
  bytes(),
];
const boundaries = [
  lines(),
  lines({ ending: "crlf" }),
  delimiter("\0"),
  delimiter(["ab", "b"]),
  fixedSize(4),
  lengthPrefix(),
  lengthPrefix({ bytes: 2, endian: "little", adjustment: -2 }),
  varintPrefix(),
  netstring(),
  cobs(),
  slip({ leadingEnd: true }),
];
const codecs: readonly Codec<never, unknown>[] = [
  ...boundaries,
  ...boundaries.flatMap((boundary) => formats.map((format) => chain(boundary, format))),
];

describe("any value", () => {
  it("arrives as it was through every codec, or is refused with a typed error", () => {
    fc.assert(
      fc.property(value, fc.constantFrom(...codecs), (message, codec) => {
        let wire: Buffer;
        try {
          wire = encoded(codec, [message as never]);
        } catch (error) {
          assertRefused(error);
          return;
        }
        const { messages, error } = decoded(codec.createDecoder(), [wire]);
        assert.equal(error, undefined, codec.name);
        assert.equal(messages.length, 1);
        assertArrived(message, messages[0]);
      }),
      { numRuns: 8000 },
    );
  });

  it("that does not let itself be looked at is refused by every format of values", () => {
    for (const format of [json(), msgpack(), text()] as readonly MessageFormat<never, unknown>[]) {
      for (const message of [hostile, [hostile], { a: hostile }]) {
        assert.throws(() => encoded(chain(lengthPrefix(), format), [message as never]), { code: "FRAME_INVALID" });
      }
    }
  });

  it("arrives through json and msgpack alike where both have a form", () => {
    const both = [chain(lengthPrefix(), json()), chain(lengthPrefix(), msgpack())] as const;
    fc.assert(
      fc.property(value, (message) => {
        const [inJson, inMessagePack] = both.map((codec) => {
          try {
            return decoded(codec.createDecoder(), [encoded(codec, [message])]).messages;
          } catch (error) {
            assertRefused(error);
            return undefined;
          }
        });
        if (inJson === undefined) return;
        assert.ok(inMessagePack !== undefined, "what JSON carries, MessagePack does");
        assert.deepEqual(inMessagePack, inJson);
      }),
      { numRuns: 3000, examples: odd.map((one) => [one] as const) as never },
    );
  });
});

const mirror = contract("mirror", "1.0.0", {
  server: {
    echo: call(typeOnly<unknown>(), typeOnly<unknown>(), { idempotent: true }),
    refuse: call(typeOnly<number>(), typeOnly<unknown>(), { idempotent: true }),
  },
});

/** What the handler throws along, by its number. */
const datas: unknown[] = [];
const handlers = {
  echo: (message: unknown) => message,
  refuse: (index: number): never => {
    throw new RemoteError("REFUSED", "no", { data: datas[index] });
  },
};

interface Mirror {
  echo(message: unknown): Promise<unknown>;
  refuse(index: number): Promise<unknown>;
}

/** What is sent to a handler and back arrives, or is refused; what cannot be sent back as data costs no code. */
async function assertMirrored(session: Mirror): Promise<void> {
  const some = fc.sample(value, { numRuns: 300, seed: 7 });
  for (const message of [...odd, ...some]) {
    let answer: unknown;
    try {
      answer = await session.echo(message);
    } catch (error) {
      // The answer is the question, so it can be sent; over datagrams it may only just not fit.
      if (error instanceof RemoteError) assert.match(error.code, /^(?:DATAGRAM_TOO_LARGE|FRAME_TOO_LONG)$/);
      else assertRefused(error);
      continue;
    }
    assertArrived(message, answer);
  }
  for (const data of [...odd, ...some]) {
    datas.push(data);
    const error = (await session.refuse(datas.length - 1).catch((reason: unknown) => reason)) as RemoteError;
    assert.ok(error instanceof RemoteError, String(error));
    assert.deepEqual([error.code, error.message], ["REFUSED", "no"]);
    if (error.data !== undefined) assertArrived(data, error.data);
  }
}

describe("any value, with a contract", () => {
  for (const codec of ["msgpack", "json"] as const) {
    it(`arrives as it was in a session of ${codec}, or is refused, as a message and as the data of an error`, async () => {
      await using server = await serveSessions(mirror, "tcp://127.0.0.1:0", { handlers });
      await using session = await connectSession(mirror, server.localAddress, { codecs: [codec] });
      await assertMirrored(session.remote);
    });

    it(`arrives as it was in datagrams of ${codec}, or is refused, as a message and as the data of an error`, async () => {
      await using server = await serveStateless(mirror, "udp://127.0.0.1:0", { handlers });
      await using client = await connectStateless(mirror, server.localAddress, { codec });
      await assertMirrored(client.remote);
    });
  }
});
