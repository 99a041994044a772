/**
 * `wire`: messages of 64 bytes with a 4-byte length prefix, one way, sender and receiver in two processes: Zócalo's framed
 * socket against a loop written by hand on raw `node:net` (bench/baseline). Fixed number of messages, warm-up excluded,
 * every message touched. `decoder`: what a decoder costs alone, however the bytes are cut. `answers`: each request is answered,
 * and the client does not wait for one before it sends the next. `fanout`: each message goes to thirty connections.
 */

import { allocations, decoding, storing } from "./framing/decoding.ts";
import { alternate, pick } from "./harness/alternate.ts";
import { show } from "./harness/figures.ts";
import { type Figures, start } from "./harness/processes.ts";

const ROLES = new URL("./framing/roles.js", import.meta.url).href;
const COUNT = 5_000_000;
const WARM_UP = 1_000_000;

async function oneWay(sender: string, receiver: string): Promise<Figures> {
  const server = start(ROLES, receiver);
  const client = start(ROLES, sender);
  const { port = 0 } = await server.ask("serve", { warmUp: WARM_UP });
  await client.ask("send", { port, count: COUNT });
  const figures = await server.ask("served");
  server.stop();
  client.stop();
  return figures;
}

async function wire(): Promise<void> {
  const variants = {
    baseline: () => oneWay("rawSender", "rawReceiver"),
    onFrames: () => oneWay("zocaloSender", "onFrames"),
    onMessages: () => oneWay("zocaloSender", "onMessages"),
    batches: () => oneWay("zocaloSender", "batches"),
    forAwait: () => oneWay("zocaloSender", "forAwait"),
    sendAwaited: () => oneWay("zocaloSenderAwaited", "onMessages"),
    receiverOnly: () => oneWay("rawSender", "onMessages"),
    senderOnly: () => oneWay("zocaloSender", "rawReceiver"),
  };
  const series = await alternate(variants);

  for (const [name, title, target] of [
    ["onFrames", "sendMany to onFrames", undefined],
    ["onMessages", "sendMany to onMessages", { atLeast: 0.8 }],
    ["batches", "sendMany to batches()", { atLeast: 0.8 }],
    ["forAwait", "sendMany to for await", undefined],
    ["sendAwaited", "awaited send to onMessages", undefined],
    ["receiverOnly", "raw sender to onMessages", undefined],
    ["senderOnly", "sendMany to raw receiver", undefined],
  ] as const) {
    const sides = { subject: pick(series, name, "rate"), baseline: pick(series, "baseline", "rate") };
    show({ name: title, ...sides, target, unit: "messages a second" });
    const cpu = { subject: pick(series, name, "cpu"), baseline: pick(series, "baseline", "cpu") };
    show({ name: "  receiver's processor time a message", ...cpu, unit: "ns" });
  }
  const sides = { subject: pick(series, "forAwait", "rate"), baseline: pick(series, "batches", "rate") };
  show({ name: "for await against batches()", ...sides, target: { atLeast: 0.25 }, unit: "messages a second" });
}

const ANSWERING = new URL("./framing/answering.js", import.meta.url).href;

/** A server that has a warm-up, and the work of a client; answers the rate and the server's processor time of each message. */
async function served(role: string, command: string, input: Figures, messages: number): Promise<Figures> {
  const server = start(ANSWERING, role);
  const client = start(ANSWERING, command);
  try {
    const { port = 0 } = await server.ask("serve");
    await client.ask(command, { ...input, port });
    await server.ask("spent");
    const { rate = 0 } = await client.ask(command, { ...input, port });
    const { ns = 0 } = await server.ask("spent");
    return { rate, cpu: ns / messages };
  } finally {
    server.stop();
    client.stop();
  }
}

async function answers(): Promise<void> {
  const count = 1_000_000;
  const run = (way: string) => () => served(`${way}Answers`, "ask", { count }, count);
  const ways = ["rawEach", "rawChunk", "batches", "onMessages", "forAwait"];
  const series = await alternate(Object.fromEntries(ways.map((way) => [way, run(way)])));
  for (const baseline of ["rawEach", "rawChunk"]) {
    for (const [way, name] of [
      ["batches", "batches() and sendMany"],
      ["onMessages", "onMessages and send"],
      ["forAwait", "for await and await send"],
    ] as const) {
      const sides = { subject: pick(series, way, "rate"), baseline: pick(series, baseline, "rate") };
      show({ name: `answers, ${name}, against ${baseline}`, ...sides, unit: "a second" });
    }
  }
}

async function fanout(): Promise<void> {
  for (const together of [1, 100]) {
    const run = (way: string) => () => served(`${way}Fan`, "spread", { count: 10_000, together }, 300_000);
    const ways = ["rawEach", "rawChunk", "zocalo", "broadcast"];
    const series = await alternate(Object.fromEntries(ways.map((way) => [way, run(way)])));
    for (const way of ["zocalo", "broadcast"]) {
      for (const baseline of ["rawEach", "rawChunk"]) {
        const sides = { subject: pick(series, way, "cpu"), baseline: pick(series, baseline, "cpu") };
        const name = `to 30 connections, ${together} at a time, ${way} against ${baseline}: processor time`;
        show({ name, ...sides, unit: "ns a message and receiver" });
      }
    }
  }
}

const MIB = 1_048_576;

async function decoder(): Promise<void> {
  for (const [title, messageBytes] of [
    ["messages of 64 bytes", 64],
    ["messages of 1 MiB", MIB],
  ] as const) {
    for (const [pieceBytes, total] of [
      [1, 4 * MIB],
      [16, 8 * MIB],
      [65_536, 64 * MIB],
    ] as const) {
      const once = decoding(messageBytes, pieceBytes, total);
      const twice = decoding(messageBytes, pieceBytes, 2 * total);
      const series = await alternate({ once: async () => once(), twice: async () => twice() });
      const sides = { subject: pick(series, "twice", "ns"), baseline: pick(series, "once", "ns") };
      show({
        name: `twice the bytes, ${title}, pieces of ${pieceBytes}`,
        ...sides,
        target: { atMost: 2.2 },
        unit: "ns",
      });
    }
  }
  const decode = decoding(64, 1, MIB);
  const store = storing(1, MIB);
  const calls = (figures: Figures): Figures => ({ ns: (figures["ns"] ?? 0) / MIB });
  const series = await alternate({ decode: async () => calls(decode()), store: async () => calls(store()) });
  const sides = { subject: pick(series, "decode", "ns"), baseline: pick(series, "store", "ns") };
  show({ name: "a piece of 1 byte against storing it", ...sides, target: { atMost: 2 }, unit: "ns a call" });
  for (const [way, bytes] of Object.entries(allocations())) {
    console.log(`memory allocated for a message of 64 bytes, ${way}: ${bytes.toFixed(1)} bytes`);
  }
}

const word = process.argv[2];
if (word === undefined || word === "decoder") await decoder();
if (word === undefined || word === "wire") await wire();
if (word === undefined || word === "answers") await answers();
if (word === undefined || word === "fanout") await fanout();
