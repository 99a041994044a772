/** Attacks on a server of sessions by clients that are let in. */

import type net from "node:net";
import {
  type Attack,
  type Block,
  type Bounds,
  type Done,
  flood,
  type Place,
  repeated,
  untilAborted,
} from "./attack.ts";
import { frames, heard, openRaw, USUAL_LIMITS } from "./raw-session.ts";
import { METHODS } from "./targets.ts";

const CONNECTIONS = 10;
const STREAMS = 64;
const UNKNOWN = 99;
const BROKEN = Buffer.from("{");
const ONE = Buffer.from("1");
const ITEM_BYTES = 16_384;
/** A server of the defaults lets a stream hold so much that nobody reads. */
const STREAM_WINDOW_BYTES = 262_144;

async function openMany(place: Place, done: Done, count: number, fields?: object): Promise<net.Socket[]> {
  return await Promise.all(Array.from({ length: count }, () => openRaw(place, done, fields)));
}

function openStreams(socket: net.Socket, method: number): void {
  for (let stream = 0; stream < STREAMS; stream += 1) socket.write(frames.open(stream * 2 + 1, method, 1));
}

/** The same frames from some sessions, which need no credit. */
function floodOf(piece: Buffer, streams: boolean): Attack {
  return async (place, bounds, done, signal) => {
    const sockets = await openMany(place, done, CONNECTIONS);
    if (streams) for (const socket of sockets) openStreams(socket, METHODS.read);
    await flood(sockets, repeated(piece), bounds, done, signal);
    await untilAborted(signal);
    for (const socket of sockets) socket.destroy();
  };
}

/** Requests from sessions that keep to their credit; one that was ended is followed by another. */
function requestsOf(connections: number, block: () => Block, fields?: object): Attack {
  const lane = async (place: Place, bounds: Bounds, done: Done, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && done.bytes < bounds.maxBytes && done.connects < bounds.maxConnects) {
      const socket = await openRaw(place, done, fields);
      const begun = socket.bytesWritten;
      const room = (): number => heard(socket).credit - (socket.bytesWritten - begun);
      const acknowledging = setInterval(() => socket.write(frames.ack(heard(socket).messages)), 50);
      await flood([socket], block(), bounds, done, signal, room);
      clearInterval(acknowledging);
      socket.destroy();
    }
  };
  return async (place, bounds, done, signal) => {
    const share = { ...bounds, bytesPerSecond: bounds.bytesPerSecond / connections };
    await Promise.all(Array.from({ length: connections }, () => lane(place, share, done, signal)));
  };
}

/** Pieces that need an id each, in blocks. */
function numbered(piece: (id: number) => Buffer, count: number): () => Block {
  return () => {
    let id = -1;
    return () => Buffer.concat(Array.from({ length: count }, () => piece((id += 2))));
  };
}

/** A MessagePack array of empty maps, as long as a frame may be. */
const MAPS: Buffer = Buffer.concat([Buffer.from("dd000fffd0", "hex"), Buffer.alloc(0xfffd0, 0x80)]);

/** Sessions of an own window of one byte, which acknowledge everything and never open it again. */
const closedWindows: Attack = async (place, bounds, done, signal) => {
  const sockets = await openMany(place, done, 60, { limits: { ...USUAL_LIMITS, windowBytes: 1 } });
  while (!signal.aborted && done.connects <= bounds.maxConnects) {
    for (const socket of sockets) if (socket.writable) socket.write(frames.ack(heard(socket).messages));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const socket of sockets) socket.destroy();
};

/** Sessions that are opened and dropped, for which a server keeps what it broadcasts. */
const dropped: Attack = async (place, bounds, done, signal) => {
  while (!signal.aborted && done.connects < bounds.maxConnects) {
    const sockets = await openMany(place, done, Math.min(50, bounds.maxConnects - done.connects));
    for (const socket of sockets) socket.destroy();
  }
  await untilAborted(signal);
};

/** Streams of items that no handler reads, as many as are taken. */
const unread: Attack = async (place, bounds, done, signal) => {
  const item = frames.item(1, Buffer.from(JSON.stringify("x".repeat(ITEM_BYTES))));
  const sockets: net.Socket[] = [];
  while (!signal.aborted && done.connects < bounds.maxConnects && done.bytes < bounds.maxBytes) {
    const socket = await openRaw(place, done);
    sockets.push(socket);
    openStreams(socket, METHODS.hold);
    for (let stream = 0; stream < STREAMS && !signal.aborted; stream += 1) {
      item.writeUInt32BE(stream * 2 + 1, 5);
      await flood([socket], Buffer.from(item), { ...bounds, maxBytes: done.bytes + STREAM_WINDOW_BYTES }, done, signal);
    }
  }
  await untilAborted(signal);
  for (const socket of sockets) socket.destroy();
};

/** A principal that holds more and less by turns, beside thousands of sessions without a connection. */
const changes: Attack = async (place, bounds, done, signal) => {
  const detached = bounds.maxConnects - CONNECTIONS;
  while (!signal.aborted && done.connects < detached) {
    const sockets = await openMany(place, done, Math.min(50, detached - done.connects));
    for (const socket of sockets) socket.destroy();
  }
  const sockets = await openMany(place, done, CONNECTIONS, { auth: "greedy" });
  for (const socket of sockets) openStreams(socket, METHODS.read);
  const items = numbered(
    (id) => frames.item((id % (2 * STREAMS)) | 1, Buffer.from(JSON.stringify("x".repeat(2000)))),
    16,
  );
  await flood(sockets, items(), bounds, done, signal);
  await untilAborted(signal);
  for (const socket of sockets) socket.destroy();
};

/** One session that is continued again and again, from its beginning. */
const resumes: Attack = async (place, bounds, done, signal) => {
  const first = await openRaw(place, done);
  let { token } = heard(first).answer as { token: string };
  const { session, server } = heard(first).answer as { session: string; server: string };
  let last = first;
  for (let attempt = 1; !signal.aborted && done.connects < bounds.maxConnects; attempt += 1) {
    const resume = { session, token, server, attempt, received: 0, acknowledged: 0, sent: 0 };
    const next = await openRaw(place, done, { resume });
    last.destroy();
    last = next;
    token = (heard(next).answer?.["token"] as string | undefined) ?? token;
  }
  await untilAborted(signal);
  last.destroy();
};

/** Right and wrong messages by turns, so that a session is not ended. */
const MIXED: Buffer = Buffer.concat([
  ...Array.from({ length: 999 }, () => frames.event(METHODS.note, BROKEN)),
  frames.event(METHODS.note, ONE),
]);

/** By name. */
export const sessionAttacks = {
  acknowledgements: floodOf(frames.ack(0), true),
  credits: floodOf(frames.credit(0, 1), true),
  pings: floodOf(frames.ping(), false),
  unknownIds: floodOf(Buffer.concat([frames.cancel(7), frames.item(7, ONE), frames.end(7)]), false),
  brokenEvents: requestsOf(1, () => repeated(frames.event(METHODS.note, BROKEN))),
  unknownEvents: requestsOf(1, () => repeated(frames.event(UNKNOWN, Buffer.alloc(0)))),
  mixedEvents: requestsOf(CONNECTIONS, () => MIXED),
  brokenCalls: requestsOf(
    CONNECTIONS,
    numbered((id) => frames.call(id, METHODS.echo, BROKEN), 100),
  ),
  calls: requestsOf(
    CONNECTIONS,
    numbered((id) => frames.call(id, METHODS.echo, ONE), 100),
  ),
  events: requestsOf(CONNECTIONS, () => repeated(frames.event(METHODS.note, ONE))),
  openAndCancel: requestsOf(
    CONNECTIONS,
    numbered((id) => Buffer.concat([frames.open(id, METHODS.read, 1), frames.cancel(id)]), 100),
  ),
  callAndCancel: requestsOf(
    CONNECTIONS,
    numbered((id) => Buffer.concat([frames.call(id, METHODS.wait, ONE), frames.cancel(id)]), 100),
  ),
  emptyMaps: requestsOf(1, () => frames.event(METHODS.note, MAPS), { codecs: ["msgpack"] }),
  closedWindows,
  dropped,
  unread,
  changes,
  resumes,
} as const satisfies Record<string, Attack>;
