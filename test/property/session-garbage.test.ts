import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../src/core/errors.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { Session } from "../../src/core/session/session.ts";
import { DEFAULT_REPLAY } from "../../src/core/session/settings.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";

/* What a peer sends never does more than end the session, with one typed error that blames the peer. */

const LIMITS = {
  ...DEFAULT_LIMITS,
  maxMessageBytes: 4096,
  windowBytes: 2000,
  streamWindowBytes: 500,
  maxCalls: 4,
  maxStreams: 3,
};

const types = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x00, 0x7f];
const small = fc.constantFrom(0, 1, 2, 3, 4, 5, 255);

/** A frame that is valid more often than not. */
const frame = fc
  .tuple(fc.constantFrom(...types), fc.array(small, { maxLength: 20 }), fc.integer({ min: -1, max: 1 }))
  .map(([type, payload, lie]) => {
    const wanted = type === 0x11 || type === 0x14 ? payload.length : type < 0x14 ? 8 : payload.length;
    const body = Buffer.alloc(wanted);
    Buffer.from(payload).copy(body);
    const bytes = Buffer.alloc(5 + body.length);
    bytes.writeUInt32BE(Math.max(0, body.length + 1 + (payload.length % 7 === 0 ? lie : 0)), 0);
    bytes[4] = type;
    body.copy(bytes, 5);
    return bytes;
  });

/** Feeds a session, and checks what must always hold. */
function feed(role: "client" | "server", bytes: Buffer, random: SeededRandom): void {
  const session = new Session({ role, limits: LIMITS, peerLimits: LIMITS, replay: DEFAULT_REPLAY, keptMs: 60_000 }, 0);
  session.attach(0, 0);
  const nothing = { bytes: Buffer.alloc(3), start: 0, end: 3 };
  session.sendEvent(0, nothing, 0);
  session.call(0, nothing, 1000, 0);
  session.openStream(0, nothing, { sends: true, receives: true }, 0);
  let endings = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(40));
    session.receive(bytes, at, end, at);
    for (let happened = session.nextEvent(); happened !== undefined; happened = session.nextEvent()) {
      assert.equal(endings, 0, "something was told behind the end");
      if (happened.type === "ended") {
        endings += 1;
        const { error } = happened;
        if (error instanceof ProtocolError) assert.equal(error.side, "remote");
      }
      if (happened.type === "call" && random.oneIn(2)) session.respond(happened.id, nothing, at);
      if (happened.type === "event" && random.oneIn(2)) session.eventHandled(happened.chargeBytes);
    }
    session.output(at);
    assert.ok(session.retainedBytes < 200_000);
    at = end;
  }
  assert.equal(session.state === "ended", endings === 1);
  session.detach(0);
  session.onDeadline(Infinity);
  while (session.nextEvent() !== undefined);
}

test("garbage ends a session with one typed error and nothing else", () => {
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(frame, { maxLength: 40 }).map((frames) => Buffer.concat(frames)),
  );
  fc.assert(
    fc.property(fc.constantFrom("client" as const, "server" as const), input, fc.nat(), (role, bytes, seed) => {
      feed(role, bytes, new SeededRandom(seed));
    }),
    { numRuns: 3000 },
  );
});
