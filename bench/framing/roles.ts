/** The processes of bench/framing.ts. */

import net from "node:net";
import { lengthPrefix } from "../../src/framing.ts";
import { connect, type FramedStream, listen } from "../../src/index.ts";
import { receiveFramed, sendFramed } from "../baseline/framed-net.ts";
import { Meter } from "../harness/meter.ts";
import { play, type Role } from "../harness/processes.ts";

const HOST = "127.0.0.1";
const PAYLOAD = Buffer.alloc(64, 3);
const BATCH: readonly Uint8Array[] = Array.from({ length: 1000 }, () => PAYLOAD);

type Framed = FramedStream<Uint8Array>;

/** The ways of receiving. */
const READERS: Record<string, (framed: Framed, meter: Meter) => Promise<void>> = {
  onFrames: (framed, meter) =>
    framed.onFrames((bytes, start, end) => meter.touch(bytes[start] as number, bytes[end - 1] as number)),
  onMessages: (framed, meter) =>
    framed.onMessages((message) => meter.touch(message[0] as number, message[63] as number)),
  batches: async (framed, meter) => {
    for await (const batch of framed.batches()) {
      for (const message of batch) meter.touch(message[0] as number, message[63] as number);
    }
  },
  forAwait: async (framed, meter) => {
    for await (const message of framed) meter.touch(message[0] as number, message[63] as number);
  },
};

function zocaloReceiver(reader: string): () => Role {
  return () => {
    let done: Promise<{ rate: number; cpu: number; heap: number }> | undefined;
    return {
      serve: async ({ warmUp = 0 }) => {
        const listener = await listen(`tcp://${HOST}:0`);
        done = listener.accept().then(async (socket) => {
          const meter = new Meter(warmUp);
          await READERS[reader]?.(socket.framed(lengthPrefix()), meter);
          return meter.figures();
        });
        return { port: listener.localAddress.port };
      },
      served: async () => await (done as NonNullable<typeof done>),
    };
  };
}

function rawReceiver(): Role {
  let done: Promise<{ rate: number; cpu: number; heap: number }> | undefined;
  return {
    serve: ({ warmUp = 0 }) =>
      new Promise((resolve) => {
        const server = net.createServer();
        done = new Promise((settle) => {
          server.once("connection", (socket: net.Socket) => {
            const meter = new Meter(warmUp);
            const touch = (bytes: Buffer, start: number, end: number): void =>
              meter.touch(bytes[start] as number, bytes[end - 1] as number);
            settle(receiveFramed(socket, touch).then(() => meter.figures()));
          });
        });
        server.listen(0, HOST, () => resolve({ port: (server.address() as net.AddressInfo).port }));
      }),
    served: async () => await (done as NonNullable<typeof done>),
  };
}

function rawSender(): Role {
  return {
    send: ({ port = 0, count = 0 }) => {
      const socket = net.connect(port, HOST, () => sendFramed(socket, PAYLOAD, count));
      return {};
    },
  };
}

/** `sendMany` with a thousand at a time, or an awaited `send` for each. */
function zocaloSender(oneByOne: boolean): () => Role {
  return () => ({
    send: async ({ port = 0, count = 0 }) => {
      const socket = await connect(`tcp://${HOST}:${port}`);
      const framed = socket.framed(lengthPrefix());
      const run = async (): Promise<void> => {
        if (oneByOne) for (let sent = 0; sent < count; sent += 1) await framed.send(PAYLOAD);
        else for (let sent = 0; sent < count; sent += BATCH.length) await framed.sendMany(BATCH);
        await framed.close();
      };
      void run();
      return {};
    },
  });
}

play({
  rawReceiver,
  rawSender,
  zocaloSender: zocaloSender(false),
  zocaloSenderAwaited: zocaloSender(true),
  onFrames: zocaloReceiver("onFrames"),
  onMessages: zocaloReceiver("onMessages"),
  batches: zocaloReceiver("batches"),
  forAwait: zocaloReceiver("forAwait"),
});
