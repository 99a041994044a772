/** What the processes of the demo do: a server, and a client for each kind of socket. */

import { performance } from "node:perf_hooks";
import {
  bind,
  connect,
  type DatagramSocket,
  EndOfStreamError,
  serve,
  serveDatagrams,
  type StreamSocket,
} from "../../index.ts";
import { datagramReplies, streamReplies } from "../sockets/replies.ts";
import { journalOf, type StorePlace } from "./demo-store.ts";
import { loadOther, type OtherQuestion, portOf } from "./other-program.ts";
import { servePlaza } from "./plaza.ts";
import { Tally, type TallyReport } from "./tally.ts";

/** How often a line is asked for. */
const ROUNDS = 5;

/** Where the server can be reached. */
export interface ServerAddresses {
  /** Answers in capitals. */
  readonly tcp: string;
  readonly udp: string;
  /** Counts numbered messages. */
  readonly tcpCounter: string;
  readonly udpCounter: string;
}

/** A line and where to send it. */
export interface Question {
  readonly address: string;
  readonly line: string;
}

/** The answer to it. */
export interface Answer {
  readonly line: string;
  /** The shortest of a few rounds. */
  readonly rttMs: number;
}

/** Which numbers to send where. */
export interface Series {
  readonly address: string;
  readonly first: number;
  readonly last: number;
}

/** What the server process can be asked. */
export interface ServerCalls {
  open(total: number): Promise<ServerAddresses>;
  /** Waits until so many datagrams came, at most `timeoutMs`, and tells what came until now. */
  datagrams(wait: { readonly received: number; readonly timeoutMs: number }): Promise<TallyReport>;
  /** Waits for the end of the numbered connection, and tells what came. */
  stream(): Promise<TallyReport>;
}

/** What a client process can be asked. */
export interface ClientCalls {
  ask(question: Question): Promise<Answer>;
  /** Sends the numbers, one message each, and resolves when the system has them. */
  send(series: Series): Promise<void>;
}

/** The server. */
export function serverRole(): ServerCalls {
  let datagramTally = new Tally(0);
  let wake: (() => void) | undefined;
  let counted: (tally: Promise<TallyReport>) => void = () => undefined;
  const streamTally = new Promise<TallyReport>((resolve) => {
    counted = resolve;
  });
  const never = new AbortController().signal;

  return {
    async open(total) {
      datagramTally = new Tally(total);
      const tcp = await serve("tcp://127.0.0.1:0", (peer) => streamReplies.upper(peer, never));
      const udp = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => datagramReplies.upper(data), {
        replies: "guarded",
      });
      const tcpCounter = await serve("tcp://127.0.0.1:0", async (peer) => {
        const tally = tallyOf(peer, total);
        counted(tally);
        await tally;
      });
      const udpCounter = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => {
        datagramTally.add(String(data));
        wake?.();
      });
      const [a, b, c, d] = [tcp, udp, tcpCounter, udpCounter].map((server) => String(server.localAddress));
      return { tcp: a ?? "", udp: b ?? "", tcpCounter: c ?? "", udpCounter: d ?? "" };
    },
    async datagrams({ received, timeoutMs }) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
        wake = () => {
          if (datagramTally.report().received >= received) resolve();
        };
        wake();
      });
      clearTimeout(timer);
      return datagramTally.report();
    },
    stream: () => streamTally,
  };
}

/** Reads the numbers of one connection, a line each, until its end. */
async function tallyOf(peer: StreamSocket, total: number): Promise<TallyReport> {
  const tally = new Tally(total);
  try {
    for (;;) tally.add((await peer.readUntil("\n")).toString().trimEnd());
  } catch (error) {
    if (!(error instanceof EndOfStreamError)) throw error;
    if (error.partial.length > 0) tally.add(Buffer.from(error.partial).toString());
  }
  return tally.report();
}

/** Asks a few times: the first time a program does something it is slow. */
async function shortest(ask: () => Promise<string>): Promise<Answer> {
  let best: Answer = { line: "", rttMs: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round += 1) {
    const sentAtMs = performance.now();
    const line = await ask();
    best = { line, rttMs: Math.min(best.rttMs, performance.now() - sentAtMs) };
  }
  return best;
}

/** The client with the telephone: a connection for each task. */
export function telephoneRole(): ClientCalls {
  return {
    async ask({ address, line }) {
      await using call = await connect(address);
      return await shortest(async () => {
        await call.write(`${line}\n`);
        return (await call.readUntil("\n")).toString().trimEnd();
      });
    },
    async send({ address, first, last }) {
      await using call = await connect(address);
      for (let number = first; number <= last; number += 1) await call.write(`${number}\n`);
      await call.end();
      // The other side ends when it has read everything.
      await call.read();
    },
  };
}

/** The client with the mailbox. */
export function mailboxRole(): ClientCalls {
  let box: DatagramSocket | undefined;
  return {
    async ask({ address, line }) {
      await using asking = await bind("udp://127.0.0.1:0", { remote: address });
      return await shortest(async () => {
        await asking.send(line);
        return String((await asking.receive({ timeoutMs: 5000 })).data);
      });
    },
    async send({ address, first, last }) {
      box ??= await bind("udp://127.0.0.1:0");
      const numbers = Array.from({ length: last - first + 1 }, (_number, index) => String(first + index));
      await box.sendMany(numbers.map((data) => ({ data, to: address })));
    },
  };
}

/** What a server of the cluster can be asked. */
export interface NodeCalls {
  /** Serves at an address; answers it with its port. */
  serve(question: { readonly address: string; readonly store: StorePlace }): Promise<string>;
  /** How many sessions have a connection here. */
  clients(): Promise<number>;
}

/** A server of the cluster. */
export function nodeRole(): NodeCalls {
  let connected = (): number => 0;
  const ignore = (): void => undefined;
  return {
    async serve({ address, store }) {
      const owner = { resumed: ignore, moved: ignore, failed: (error: unknown) => console.error(String(error)) };
      const server = await servePlaza(address, journalOf(store), owner);
      connected = () => server.stats.sessions - server.stats.detached;
      return String(server.localAddress);
    },
    clients: () => Promise.resolve(connected()),
  };
}

/** A server of another program. */
export function otherNodeRole(): Record<"serve" | "clients", (question: OtherQuestion) => Promise<unknown>> {
  let figures: (() => { readonly sessions: number }) | undefined;
  return {
    async serve({ module, address, place }) {
      const { serve: begin } = loadOther(module);
      const asked = await begin({ port: portOf(address), place });
      figures = () => asked.figures();
      return address;
    },
    clients: () => Promise.resolve(figures?.().sessions ?? 0),
  };
}

/** A call to a child process. */
export interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** What became of it. */
export interface Outcome {
  readonly id: number;
  readonly result?: unknown;
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly detail: string };
}
