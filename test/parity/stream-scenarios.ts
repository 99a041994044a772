import { connect, type StreamSocket } from "../../src/index.ts";
import { codeOf, failureOf, pending, rest, type Scenario, scenario, type Scene } from "./ground.ts";

/** More than fits into all buffers on the way. */
const FLOOD_BYTES = 24 * 1_048_576;
const SHORT_MS = 20;

/** Bytes whose value follows from their place. */
function pattern(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
}

/** Fills the way to a peer that does not read, until a write has to wait; answers how many bytes were taken. */
async function fill(socket: StreamSocket): Promise<number> {
  let taken = 0;
  for (let stuck = 0; stuck < 3; ) {
    const before = socket.bytesSent;
    try {
      await socket.write(Buffer.alloc(65_536), { timeoutMs: SHORT_MS });
      taken += 65_536;
    } catch (error) {
      if ((error as { outcome?: string }).outcome === "all") taken += 65_536;
    }
    stuck = socket.bytesSent === before ? stuck + 1 : 0;
  }
  return taken;
}

async function readCount(socket: StreamSocket, count: number): Promise<number> {
  return (await socket.readExactly(count)).length;
}

/** Connecting, sending, receiving, time-outs and cancellation. */
export const streamScenarios: readonly Scenario[] = [
  scenario(
    "nothing listens",
    ["CONNECTION_REFUSED"],
    async (scene) => [await codeOf(scene.connect(await scene.freePort("tcp")))],
    { freePorts: true },
  ),
  scenario(
    "a signal that is aborted already, and a time-out of zero",
    ["Error: changed my mind", "TIMEOUT"],
    async (scene) => {
      const listener = await scene.listen();
      const { port } = listener.localAddress;
      const signal = AbortSignal.abort(new Error("changed my mind"));
      return [await codeOf(scene.connect(port, { signal })), await codeOf(scene.connect(port, { timeoutMs: 0 }))];
    },
  ),
  scenario(
    "localhost is a name of this machine",
    [true],
    async (scene) => {
      const { port } = (await scene.listen()).localAddress;
      await using call = await connect(`tcp://localhost:${port}`, { network: scene.ground.client });
      return [call.remoteAddress.port === port];
    },
    { oneMachine: true },
  ),
  scenario("both ends know both addresses", [true, true, true], async (scene) => {
    const { call, peer, listener } = await scene.joined();
    return [
      call.localAddress.toString() === peer.remoteAddress.toString(),
      peer.localAddress.toString() === call.remoteAddress.toString(),
      call.remoteAddress.port === listener.localAddress.port,
    ];
  }),
  scenario("a megabyte each way at once", [true, true, 1_000_000, 1_000_000], async (scene) => {
    const { call, peer } = await scene.joined();
    const bytes = pattern(1_000_000);
    const read = async (socket: StreamSocket): Promise<boolean> =>
      (await socket.readExactly(bytes.length)).equals(bytes);
    const [a, b] = await Promise.all([read(call), read(peer), call.write(bytes), peer.write(bytes)]);
    return [a, b, call.bytesSent, call.bytesReceived];
  }),
  scenario("fifty calls through one listener, each with its own answer", [1225, 50], async (scene) => {
    const listener = await scene.listen();
    const echo = async (): Promise<void> => {
      for (let count = 0; count < 50; count += 1) {
        const peer = await listener.accept();
        void peer.readUntil("\n").then((line) => peer.write(line));
      }
    };
    void echo();
    const answers = Array.from({ length: 50 }, async (_, index) => {
      const call = await scene.connect(listener.localAddress.port);
      await call.write(`${index}\n`);
      return Number(String(await call.readUntil("\n")));
    });
    const sum = (await Promise.all(answers)).reduce((total, value) => total + value, 0);
    return [sum, listener.stats.accepted];
  }),
  scenario("readExactly beyond the end has what came", ["END_OF_STREAM", "abc"], async (scene) => {
    const { call, peer } = await scene.joined();
    await call.write("abc");
    await call.end();
    const error = await peer.readExactly(5).catch((reason: unknown) => reason as { code: string; partial: Buffer });
    return ["code" in error && error.code, "partial" in error && String(Buffer.from(error.partial))];
  }),
  scenario(
    "a delimiter that does not come consumes nothing",
    ["DELIMITER_NOT_FOUND", "12345\n", "rest", "end"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      await call.write("12345\nrest");
      await call.end();
      const early = await codeOf(peer.readUntil("\n", { maxBytes: 5 }));
      return [early, String(await peer.readUntil("\n")), ...(await rest(peer))];
    },
  ),
  scenario("a read that times out leaves the connection and the bytes alone", ["TIMEOUT", "abc"], async (scene) => {
    const { call, peer } = await scene.joined();
    const late = await codeOf(peer.readExactly(3, { timeoutMs: SHORT_MS }));
    await call.write("abc");
    return [late, String(await peer.readExactly(3))];
  }),
  scenario("a read that is called off leaves the bytes to the next one", ["Error: enough", "abcd"], async (scene) => {
    const { call, peer } = await scene.joined();
    const stop = new AbortController();
    const first = pending(peer.readExactly(3, { signal: stop.signal }));
    const second = peer.readExactly(4);
    stop.abort(new Error("enough"));
    await call.write("abcd");
    return [await codeOf(first), String(await second)];
  }),
  scenario("reads are served in their order", ["ab", "cd;", "efg"], async (scene) => {
    const { call, peer } = await scene.joined();
    const reads = [peer.readExactly(2), peer.readUntil(";"), peer.readExactly(3)];
    await call.write("abcd;efg");
    return (await Promise.all(reads)).map(String);
  }),
  scenario(
    "a writer waits for a reader that does not read, and goes on when it does",
    [false, FLOOD_BYTES, true],
    async (scene) => {
      const { call, peer } = await scene.joined();
      let settled = false;
      const bytes = Buffer.alloc(FLOOD_BYTES, "x");
      const writing = call.write(bytes).then(() => (settled = true));
      await scene.until(() => peer.bytesReceived > 0);
      await scene.pause(SHORT_MS);
      const early = settled;
      const count = await readCount(peer, FLOOD_BYTES);
      await writing;
      return [early, count, settled];
    },
  ),
  scenario(
    "a write that times out in the queue is not sent, and the rest arrives when the window opens",
    [["TIMEOUT", "none"], true, "last", "end", "none"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const taken = await fill(call);
      const failure = await failureOf(call.write("never", { timeoutMs: SHORT_MS }));
      const last = call.write("last").then(() => call.end());
      const count = await readCount(peer, taken);
      return [failure, count === taken, ...(await rest(peer)), await codeOf(last)];
    },
  ),
  scenario(
    "a write that is called off in the queue is not sent",
    ["Error: enough", true, "last", "end", "none"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const taken = await fill(call);
      const stop = new AbortController();
      const called = pending(call.write("never", { signal: stop.signal }));
      const last = call.write("last").then(() => call.end());
      stop.abort(new Error("enough"));
      const code = await codeOf(called);
      const count = await readCount(peer, taken);
      return [code, count === taken, ...(await rest(peer)), await codeOf(last)];
    },
  ),
  scenario(
    "timeouts.idleMs ends a silent connection, and its peer is told",
    ["CONNECTION_RESET", "timeout", "IDLE_TIMEOUT"],
    async (scene) => {
      const { call, peer } = await scene.joined({ listen: { timeouts: { idleMs: SHORT_MS } } });
      const read = await codeOf(call.read());
      const end = await peer.closed;
      return [read, end.how, end.error?.code];
    },
  ),
  scenario(
    "timeouts.writeStallMs ends a connection whose peer takes nothing",
    [["WRITE_STALLED", "unknown"], "timeout"],
    async (scene) => {
      const { call } = await scene.joined({ connect: { timeouts: { writeStallMs: 50 } } });
      const failure = await failureOf(call.write(Buffer.alloc(FLOOD_BYTES)));
      return [failure, (await call.closed).how];
    },
  ),
  scenario("lifetimeMs ends a connection however busy it is", ["timeout", "LIFETIME_EXCEEDED"], async (scene) => {
    const { call, peer } = await scene.joined({ connect: { timeouts: { lifetimeMs: 50 } } });
    const busy = async (): Promise<string> => {
      for (;;) {
        const code = await codeOf(call.write("x").then(() => peer.readExactly(1)));
        if (code !== "none") return code;
        await scene.pause();
      }
    };
    await busy();
    const { how, error } = await call.closed;
    return [how, error?.code];
  }),
  scenario(
    "a local address and port that are asked for are used",
    [true, "ADDRESS_NOT_AVAILABLE"],
    async (scene: Scene) => {
      const listener = await scene.listen();
      const wanted = await scene.bindClient();
      const { port } = wanted.localAddress;
      const localAddress = `${scene.ground.clientHost}:${port}`;
      const call = await scene.connect(listener.localAddress.port, { localAddress });
      const again = await codeOf(scene.connect(listener.localAddress.port, { localAddress }));
      return [call.localAddress.port === port, again];
    },
    { freePorts: true },
  ),
  scenario(
    "a local port on which a listener of the same machine stands",
    ["ADDRESS_IN_USE"],
    async (scene) => {
      const [listener, other] = [await scene.listen(), await scene.listen()];
      const localAddress = `${scene.ground.clientHost}:${other.localAddress.port}`;
      return [await codeOf(scene.connect(listener.localAddress.port, { localAddress }))];
    },
    { oneMachine: true },
  ),
  scenario("a local address that this machine has not", ["ADDRESS_NOT_AVAILABLE"], async (scene) => {
    const listener = await scene.listen();
    return [await codeOf(scene.connect(listener.localAddress.port, { localAddress: "203.0.113.77:0" }))];
  }),
];
