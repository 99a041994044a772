/** The processes of `answers` and `fanout` in bench/framing.ts: a server that answers, or hands on, every message. */

import { once } from "node:events";
import net from "node:net";
import { lengthPrefix } from "../../src/framing.ts";
import { type FramedStream, listen, serve as serveStreams, type StreamSocket } from "../../src/index.ts";
import { receiveFramed } from "../baseline/framed-net.ts";
import { type Figures, play, type Role } from "../harness/processes.ts";

const HOST = "127.0.0.1";
const PAYLOAD_BYTES = 64;
const FRAME_BYTES = PAYLOAD_BYTES + 4;
/** Requests that leave together, and blocks of them that are under way. */
const BLOCK = 250;
const BLOCKS_AHEAD = 4;
/** Connections to which each message goes. */
const RECEIVERS = 30;
const GREETING: Buffer = Buffer.from("hello");

type Framed = FramedStream<Uint8Array>;

function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(payload.length + 4);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.set(payload, 4);
  return bytes;
}

/** Processor time in nanoseconds since the last call. */
function processorTime(): () => number {
  let before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    return (user + system) * 1000;
  };
}

/** Raw servers: what is written by hand on `node:net`. A chunk of the kernel is answered in one write, or message by message. */
const RAW_ANSWERS: Record<string, (socket: net.Socket) => void> = {
  rawEach: (socket) =>
    void receiveFramed(socket, (bytes, start, end) => socket.write(frame(bytes.subarray(start, end)))),
  rawChunk: (socket) => {
    let answers: Buffer[] = [];
    void receiveFramed(socket, (bytes, start, end) => {
      if (answers.length === 0) {
        process.nextTick(() => {
          socket.write(Buffer.concat(answers));
          answers = [];
        });
      }
      answers.push(frame(bytes.subarray(start, end)));
    });
  },
};

/** The ways of answering each message of a framed socket. */
const ANSWERS: Record<string, (framed: Framed) => Promise<void>> = {
  batches: async (framed) => {
    for await (const batch of framed.batches()) await framed.sendMany(batch);
  },
  onMessages: (framed) => framed.onMessages((message) => framed.send(message)),
  forAwait: async (framed) => {
    for await (const message of framed) await framed.send(message);
  },
};

/** Serves, and tells what it has cost since it was asked last. */
function server(serve: () => Promise<number>): Role {
  const spent = processorTime();
  return { serve: async () => ({ port: await serve() }), spent: () => ({ ns: spent() }) };
}

async function rawPort(onConnection: (socket: net.Socket) => void): Promise<number> {
  const listener = net.createServer({ noDelay: true }, onConnection).listen(0, HOST);
  await once(listener, "listening");
  return (listener.address() as net.AddressInfo).port;
}

async function zocaloPort(onConnection: (socket: StreamSocket) => void): Promise<number> {
  const listener = await listen(`tcp://${HOST}:0`);
  void (async () => {
    for await (const socket of listener) onConnection(socket);
  })();
  return listener.localAddress.port;
}

/** Sends blocks of requests, some ahead of the answers, and counts the bytes of the answers. */
async function ask({ port = 0, count = 0 }: Figures): Promise<Figures> {
  const socket = net.connect({ port, host: HOST, noDelay: true });
  await once(socket, "connect");
  const block = Buffer.concat(Array.from({ length: BLOCK }, () => frame(Buffer.alloc(PAYLOAD_BYTES, 3))));
  const blocks = count / BLOCK;
  const startedAt = performance.now();
  for (let ahead = 0; ahead < BLOCKS_AHEAD; ahead += 1) socket.write(block);
  let [sent, received] = [BLOCKS_AHEAD, 0];
  await new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
      for (; sent < blocks && received >= (sent - BLOCKS_AHEAD + 1) * block.length; sent += 1) socket.write(block);
      if (received === count * FRAME_BYTES) resolve();
    });
  });
  const seconds = (performance.now() - startedAt) / 1000;
  socket.destroy();
  return { rate: count / seconds };
}

/** Raw fan-out: a write for each message and receiver, or one for each chunk and receiver. */
const RAW_FANS: Record<string, (source: net.Socket, receivers: readonly net.Socket[]) => void> = {
  rawEach: (source, receivers) =>
    void receiveFramed(source, (bytes, start, end) => {
      const message = frame(bytes.subarray(start, end));
      for (const receiver of receivers) receiver.write(message);
    }),
  rawChunk: (source, receivers) => {
    let messages: Buffer[] = [];
    void receiveFramed(source, (bytes, start, end) => {
      if (messages.length === 0) {
        process.nextTick(() => {
          const all = Buffer.concat(messages);
          messages = [];
          for (const receiver of receivers) receiver.write(all);
        });
      }
      messages.push(frame(bytes.subarray(start, end)));
    });
  },
};

/** The first who comes is the source; the next thirty receive all that it sends. Everybody is greeted, and so knows its part. */
function fan<S>(
  start: (source: S, receivers: readonly S[]) => void,
  greet: (socket: S) => unknown,
): (socket: S) => void {
  let receivers: S[] | undefined;
  return (socket) => {
    if (receivers === undefined) start(socket, (receivers = []));
    else if (receivers.push(socket) === RECEIVERS) receivers = undefined;
    void greet(socket);
  };
}

/** Zócalo's fan-out: what a chat does, one message after the other to everybody. */
function handOn(source: Framed, receivers: readonly Framed[]): void {
  void source.onMessages((message) => {
    for (const receiver of receivers) void receiver.send(message);
  });
}

/** The same by `Server.broadcast`, which leaves no slow receiver behind: it encodes once, and writes for each message. */
async function broadcastPort(): Promise<number> {
  const codec = lengthPrefix();
  const place = await serveStreams(`tcp://${HOST}:0`, async (peer) => {
    join(peer);
    await peer.closed;
  });
  const join = fan<StreamSocket>(
    (source, to) => void source.framed(codec).onMessages((message) => place.broadcast(message, { codec, to })),
    (socket) => socket.write(GREETING),
  );
  return place.localAddress.port;
}

/** A source that sends some messages at a time, and receivers that count; all in one process. */
async function spread({ port = 0, count = 0, together = 1 }: Figures): Promise<Figures> {
  const open = async (): Promise<net.Socket> => {
    const socket = net.connect({ port, host: HOST, noDelay: true });
    await once(socket, "readable");
    socket.read();
    return socket;
  };
  const source = await open();
  const others: net.Socket[] = [];
  while (others.length < RECEIVERS) others.push(await open());
  const block = Buffer.concat(Array.from({ length: together }, () => frame(Buffer.alloc(PAYLOAD_BYTES, 3))));
  let received = 0;
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    for (const socket of others) {
      socket.on("data", (bytes: Buffer) => {
        received += bytes.length;
        const round = RECEIVERS * block.length;
        if (received === count * RECEIVERS * FRAME_BYTES) resolve();
        else if (received % round === 0) source.write(block);
      });
    }
    source.write(block);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  for (const socket of [source, ...others]) socket.destroy();
  return { rate: (count * RECEIVERS) / seconds };
}

const roles: Record<string, () => Role> = { ask: () => ({ ask }), spread: () => ({ spread }) };
for (const [name, answer] of Object.entries(RAW_ANSWERS)) roles[`${name}Answers`] = () => server(() => rawPort(answer));
for (const [name, answer] of Object.entries(ANSWERS)) {
  roles[`${name}Answers`] = () => server(() => zocaloPort((socket) => void answer(socket.framed(lengthPrefix()))));
}
for (const [name, start] of Object.entries(RAW_FANS))
  roles[`${name}Fan`] = () => server(() => rawPort(fan(start, (socket) => socket.write(GREETING))));
roles["zocaloFan"] = () => {
  const join = fan(handOn, (framed) => framed.send(GREETING));
  return server(() => zocaloPort((socket) => join(socket.framed(lengthPrefix()))));
};
roles["broadcastFan"] = () => server(broadcastPort);
play(roles);
