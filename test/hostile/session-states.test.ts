/**
 * Frames that are well formed and come when they make no sense, from a client to our server and from a server to our client:
 * the session ends with one typed error, or goes on as if nothing had come.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { call, contract, event, type Session, stream, typeOnly } from "../../src/protocol.ts";
import { atEnd, connectSession, serveSessions } from "../sessions/opened.ts";
import { ack, callFrame, eventFrame, idFrame, itemFrame, openFrame, RawClient } from "../sessions/raw-client.ts";
import { nothingEscapes } from "./escapes.ts";
import { portOf } from "../fixtures/port-of.ts";

nothingEscapes();

const [ACK, CREDIT, PING, PONG, GOAWAY, CLOSE] = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15] as const;
const [EVENT, CALL, RESULT, ERROR, CANCEL, OPEN, ITEM, END] = [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47] as const;

/** Both sides offer the same. */
const side = {
  ask: call<string, string>(),
  flow: stream({ sends: typeOnly<string>(), receives: typeOnly<string>() }),
  stuck: call<string, string>(),
  tell: event<string>(),
};
const mirror = contract("mirror", "1.0.0", { server: side, client: side });
const offers = Object.keys(side);
const [ask, flow, stuck, tell] = [0, 1, 2, 3] as const;

/** A peer whose frames are written by hand, and the program that it meets. */
interface Meeting {
  readonly peer: RawClient;
  readonly session: Session<typeof side>;
  readonly errors: { readonly code: string }[];
  /** The first id that the peer may use; the next is two higher. */
  readonly id: number;
}

function handlersOf() {
  return {
    ask: () => "answer",
    flow: async (_nothing: unknown, items: AsyncIterable<string>) => {
      for await (const item of items) assert.equal(item, "x");
    },
    stuck: () => new Promise<string>(() => undefined),
    tell: () => undefined,
  };
}

const meetings = {
  async "a client"(): Promise<Meeting> {
    const errors: { readonly code: string }[] = [];
    const server = await serveSessions(mirror, "tcp://127.0.0.1:0", {
      handlers: handlersOf(),
      onError: (error) => errors.push(error as { readonly code: string }),
    });
    const peer = await RawClient.to(server.localAddress.port);
    await peer.hello("mirror", { offers });
    while (server.stats.sessions === 0) await nextTurn();
    const [session] = server.sessions.values();
    assert.ok(session);
    return { peer, session, errors, id: 1 };
  },
  async "a server"(): Promise<Meeting> {
    const errors: { readonly code: string }[] = [];
    const listener = net.createServer().listen(0, "127.0.0.1");
    atEnd(() => listener.close());
    const port = await portOf(listener);
    const arrival = once(listener, "connection") as Promise<[net.Socket]>;
    const opening = connectSession(mirror, `tcp://127.0.0.1:${port}`, {
      handlers: handlersOf(),
      reconnect: false,
      onError: (error) => errors.push(error as { readonly code: string }),
    });
    const [socket] = await arrival;
    const peer = new RawClient(socket);
    atEnd(() => peer.close());
    await peer.welcome({ offers });
    return { peer, session: await opening, errors, id: 2 };
  },
} as const;

function credit(id: number, limit: bigint): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeUInt32BE(id);
  payload.writeBigUInt64BE(limit, 4);
  return payload;
}

function goAway(survives: 0 | 1, accepted: bigint): Buffer {
  const payload = Buffer.alloc(13);
  payload[0] = survives;
  payload.writeBigUInt64BE(accepted, 5);
  return payload;
}

function number(value: bigint): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64BE(value);
  return payload;
}

function closing(body: string): Buffer {
  return Buffer.concat([number(0n), Buffer.from(body)]);
}

const failure = (id: number): Buffer => Buffer.concat([idFrame(id), Buffer.from('{"code":"NO","message":"no"}')]);
const answer = (id: number): Buffer => Buffer.concat([idFrame(id), Buffer.from('"x"')]);

/** The ids of our own calls begin there. */
const own = (meeting: Meeting): number => 3 - meeting.id;

/** Sends one thing so often that it would be felt, and less often than answers are kept that are not acknowledged. */
function often(act: (meeting: Meeting) => void): (meeting: Meeting) => void {
  return (meeting) => {
    meeting.peer.socket.cork();
    for (let count = 0; count < 5000; count += 1) act(meeting);
    meeting.peer.socket.uncork();
  };
}

type Act = (meeting: Meeting) => void | Promise<void>;

/** The program has sent two events, and the peer has them. */
async function told({ session, peer }: Meeting): Promise<void> {
  await session.remote.tell("one");
  await session.remote.tell("two");
  await peer.frameOf(EVENT);
  await peer.frameOf(EVENT);
}

/** The session goes on. */
const ignored: Readonly<Record<string, Act>> = {
  "credit of 2^53": ({ peer }) => peer.send(CREDIT, credit(0, 2n ** 53n)),
  "the highest credit, often": often(({ peer }) => peer.send(CREDIT, credit(0, 2n ** 64n - 1n))),
  "credit that goes back": ({ peer }) => peer.send(CREDIT, credit(0, 0n)),
  "credit for a stream that is not": ({ peer }) => peer.send(CREDIT, credit(99, 2n ** 53n)),
  "the same acknowledgement, often": often(({ peer }) => peer.send(ACK, ack(0))),
  "answers to calls that were never made": (meeting) => {
    for (let id = 0; id < 10; id += 1) {
      meeting.peer.send(RESULT, answer(id));
      meeting.peer.send(ERROR, failure(id));
    }
  },
  "an answer twice, then an error": async (meeting) => {
    const asked = meeting.session.remote.ask("x");
    await meeting.peer.frameOf(CALL);
    meeting.peer.send(RESULT, answer(own(meeting)));
    meeting.peer.send(RESULT, answer(own(meeting)));
    meeting.peer.send(ERROR, failure(own(meeting)));
    assert.equal(await asked, "x");
  },
  "a result for a stream": ({ peer, id }) => {
    peer.send(OPEN, openFrame(id, flow, 3));
    peer.send(RESULT, answer(id));
  },
  "cancels of what is not, often": often(({ peer, id }) => peer.send(CANCEL, idFrame(id))),
  "a call and its cancel, often": often(({ peer, id }) => {
    peer.send(CALL, callFrame(id, ask, "x"));
    peer.send(CANCEL, idFrame(id));
  }),
  "a stream and its cancel, often": often(({ peer, id }) => {
    peer.send(OPEN, openFrame(id, flow, 3));
    peer.send(CANCEL, idFrame(id));
  }),
  "items, an end and credit of a stream that is not": ({ peer, id }) => {
    peer.send(ITEM, itemFrame(id, "x"));
    peer.send(END, idFrame(id));
    peer.send(CREDIT, credit(id, 2n ** 64n - 1n));
  },
  "items and an end behind a cancel": ({ peer, id }) => {
    peer.send(OPEN, openFrame(id, flow, 3));
    peer.send(CANCEL, idFrame(id));
    peer.send(ITEM, itemFrame(id, "x"));
    peer.send(END, idFrame(id));
  },
  "pongs that were not asked for": often(({ peer }) => peer.send(PONG, number(7n))),
  "a goodbye, twice": ({ peer }) => {
    peer.send(GOAWAY, goAway(0, 0n));
    peer.send(GOAWAY, goAway(0, 0n));
  },
  "a call for which nobody waits": ({ peer, id }) => peer.send(CALL, callFrame(id, stuck, "x", 0)),
  "calls with the shortest and the longest time": ({ peer, id }) => {
    peer.send(CALL, callFrame(id, stuck, "x", 1));
    peer.send(CALL, callFrame(id + 2, stuck, "x", 0xffff_fffe));
  },
  "more directions than there are": ({ peer, id }) => peer.send(OPEN, openFrame(id, flow, 255 as 3)),
};

/** The session ends with FRAME_INVALID. */
const invalid: Readonly<Record<string, Act>> = {
  "an acknowledgement of what was not sent": ({ peer }) => peer.send(ACK, ack(9)),
  "the highest acknowledgement": ({ peer }) => peer.send(ACK, number(2n ** 64n - 1n)),
  "an acknowledgement that goes back": async (meeting) => {
    await told(meeting);
    meeting.peer.send(ACK, ack(2));
    meeting.peer.send(ACK, ack(1));
  },
  "the call id 0": ({ peer }) => peer.send(CALL, callFrame(0, ask)),
  "a call id of the other side": ({ peer, id }) => peer.send(CALL, callFrame(3 - id, ask)),
  "a call id that is in use": ({ peer, id }) => {
    peer.send(CALL, callFrame(id, stuck, "x"));
    peer.send(CALL, callFrame(id, stuck, "x"));
  },
  "a stream id that is in use": ({ peer, id }) => {
    peer.send(OPEN, openFrame(id, flow, 3));
    peer.send(OPEN, openFrame(id, flow, 3));
  },
  "a stream with the id of a call": ({ peer, id }) => {
    peer.send(CALL, callFrame(id, stuck, "x"));
    peer.send(OPEN, openFrame(id, flow, 3));
  },
  "a stream without a direction": ({ peer, id }) => peer.send(OPEN, openFrame(id, flow, 0 as 1)),
  "an end twice": async ({ peer, session, id }) => {
    // A stream of ours, so that its other direction stays open.
    session.remote.flow();
    await peer.frameOf(OPEN);
    peer.send(END, idFrame(3 - id));
    peer.send(END, idFrame(3 - id));
  },
  "an item behind the end": async ({ peer, session, id }) => {
    session.remote.flow();
    await peer.frameOf(OPEN);
    peer.send(END, idFrame(3 - id));
    peer.send(ITEM, itemFrame(3 - id, "x"));
  },
  "a goodbye that accepts what was not sent": ({ peer }) => peer.send(GOAWAY, goAway(0, 2n ** 53n)),
  "a goodbye from the future, to come back": ({ peer }) => peer.send(GOAWAY, goAway(1, 9n)),
  "a frame without a type": ({ peer }) => void peer.socket.write(Buffer.alloc(4)),
  "a close without a number": ({ peer }) => peer.send(CLOSE, Buffer.alloc(7)),
};

/** The session ends, by the code with which it does. */
const broken: Readonly<Record<string, Readonly<Record<string, Act>>>> = {
  FRAME_INVALID: invalid,
  FRAME_TOO_LONG: { "a frame of 4 GiB": ({ peer }) => void peer.socket.write(Buffer.alloc(5, 255)) },
  LIMIT_EXCEEDED: {
    "more calls than are allowed": ({ peer, id }) => {
      for (let count = 0; count <= DEFAULT_LIMITS.maxCalls; count += 1)
        peer.send(CALL, callFrame(id + count * 2, stuck, "x"));
    },
  },
};

/** Types that nobody may send now, and sizes that no frame of the type has. */
const unknownFrames: readonly (readonly [type: number, bytes: number])[] = [
  ...[0x00, 0x01, 0x02, 0x03, 0x0f, 0x16, 0x3f, 0x48, 0x7f, 0x80, 0xbf, 0xff].map((type) => [type, 8] as const),
  ...[ACK, PING, PONG, CREDIT, GOAWAY].map((type) => [type, 7] as const),
  ...[ACK, PING, PONG, CREDIT, GOAWAY].map((type) => [type, 14] as const),
  ...[EVENT, CALL, RESULT, ERROR, CANCEL, OPEN, ITEM, END].map((type) => [type, 1] as const),
];

for (const [who, meet] of Object.entries(meetings)) {
  for (const [what, act] of Object.entries(ignored)) {
    test(`${who} sends ${what}: the session goes on`, async () => {
      const meeting = await meet();
      const { peer, session, errors, id } = meeting;
      await act(meeting);
      // Behind all that: one answer, and one pong.
      peer.send(CALL, callFrame(id + 1000, ask, "x"));
      for (let frame = await peer.frameOf(RESULT); frame.payload.readUInt32BE() !== id + 1000; ) {
        frame = await peer.frameOf(RESULT);
      }
      peer.send(PING, number(1n));
      await peer.frameOf(PONG);
      assert.deepEqual([session.state, errors], [what.startsWith("a goodbye") ? "leaving" : "open", []]);
      session.abort();
    });
  }

  for (const [code, acts] of Object.entries(broken)) {
    for (const [what, act] of Object.entries(acts)) {
      test(`${who} sends ${what}: ${code}`, async () => {
        const meeting = await meet();
        await act(meeting);
        await endsWith(meeting, code);
      });
    }
  }

  test(`${who} sends frames of unknown types and sizes: FRAME_INVALID`, async () => {
    for (const [type, bytes] of unknownFrames) {
      const meeting = await meet();
      meeting.peer.send(type, Buffer.alloc(bytes));
      await endsWith(meeting, "FRAME_INVALID");
    }
  });

  test(`${who} says goodbye in odd ways: the session is over, and nothing behind it counts`, async () => {
    for (const [body, code, message] of [
      ['{"code":"","message":"bye"}', undefined, "bye"],
      ['{"code":"NOT_A_CODE","message":5}', "SESSION_LOST", ""],
      ["{{", "SESSION_LOST", "the peer closed the session and did not say why"],
      ["null", "SESSION_LOST", "the peer closed the session and did not say why"],
      ["", "SESSION_LOST", "the peer closed the session and did not say why"],
      [JSON.stringify({ code: "", message: "x".repeat(100_000) }), undefined, "x".repeat(1024)],
    ] as const) {
      const { peer, session, errors, id } = await meet();
      peer.socket.cork();
      peer.send(CLOSE, closing(body));
      peer.send(CLOSE, closing('{"code":"FRAME_INVALID","message":"again"}'));
      peer.send(CALL, callFrame(id, ask, "x"));
      peer.send(EVENT, eventFrame(tell, "x"));
      peer.send(0xff, Buffer.alloc(3));
      peer.socket.uncork();
      const end = await session.closed;
      assert.deepEqual([end.error?.code, end.message, errors], [code, message, []]);
      await peer.untilEnd();
      await assert.rejects(peer.frameOf(RESULT));
    }
  });

  test(`${who} sends 100,000 pings and reads nothing: what is kept for it is bounded`, async () => {
    const { peer, session } = await meet();
    peer.socket.pause();
    for (let round = 0; round < 100; round += 1) {
      peer.socket.cork();
      for (let count = 0; count < 1000; count += 1) peer.send(PING, number(1n));
      peer.socket.uncork();
      await nextTurn();
      assert.ok(session.stats.heldBytes < 100_000, `${session.stats.heldBytes} bytes are held`);
    }
    peer.socket.resume();
    peer.send(PING, number(2n));
    for (let frame = await peer.frameOf(PONG); frame.payload[7] !== 2; ) frame = await peer.frameOf(PONG);
    assert.equal(session.state, "open");
  });
}

/** The peer is told why, the program too, once, and the connection ends. */
async function endsWith({ peer, session, errors }: Meeting, code: string): Promise<void> {
  const { payload } = await peer.frameOf(CLOSE);
  assert.equal((JSON.parse(String(payload.subarray(8))) as { readonly code: string }).code, code);
  const { error } = await session.closed;
  assert.deepEqual([error?.code, error?.side], [code, "remote"]);
  assert.deepEqual(
    errors.map((each) => each.code),
    [code],
  );
  await peer.untilEnd();
  peer.close();
}
