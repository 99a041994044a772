/** What goes wrong now, as something that a test can do: the command, with its file, or the calls of Toxiproxy. */

import type { FaultFields, ProxyRow, ScheduleRow } from "../../proxy/page/wire.ts";

/** What Toxiproxy calls a fault, and how its attributes follow; undefined where it has no word. */
function toxicOf(fault: FaultFields): Readonly<Record<string, unknown>> | undefined {
  const { kind, latency, chance, bitsPerSecond, averageBytes, variationBytes, delayMs, bytes, afterMs } = fault;
  const {
    fromMs,
    toMs,
    kind: shape,
  } = (typeof latency === "object" && latency !== null ? latency : {}) as Record<string, unknown>;
  const jitter = (Number(toMs) - Number(fromMs)) / 2;
  switch (kind) {
    case "latency":
      if (typeof latency === "number") return { type: "latency", attributes: { latency, jitter: 0 } };
      if (shape !== "uniform") return undefined;
      return { type: "latency", attributes: { latency: Number(fromMs) + jitter, jitter } };
    case "loss":
      return { type: "packet_loss", attributes: { loss_rate: chance } };
    case "burst-loss":
      return burstOf(Number(fault["enter"]), Number(fault["leave"]));
    case "bandwidth":
      return { type: "bandwidth", attributes: { rate: Number(bitsPerSecond) / 8000 } };
    case "slicing":
      return {
        type: "slicer",
        attributes: {
          average_size: averageBytes,
          size_variation: variationBytes ?? 0,
          delay: Number(delayMs ?? 0) * 1000,
        },
      };
    case "cut":
      return { type: "limit_data", attributes: { bytes } };
    case "linger":
      return { type: "slow_close", attributes: { delay: delayMs } };
    case "timeout":
      return { type: "timeout", attributes: { timeout: afterMs ?? 0 } };
    case "reset":
      return { type: "reset_peer", attributes: { timeout: whenOf(fault)["afterMs"] ?? 0 } };
    default:
      return undefined;
  }
}

/** With a correlation a packet fares as the one before; there is none that is worse than independent loss. */
function burstOf(enter: number, leave: number): Readonly<Record<string, unknown>> | undefined {
  const redrawn = enter + leave;
  if (redrawn === 0 || redrawn > 1) return undefined;
  return { type: "packet_loss", attributes: { loss_rate: enter / redrawn, correlation: 1 - redrawn } };
}

function whenOf({ when = {} }: FaultFields): Readonly<Record<string, unknown>> {
  return when as Readonly<Record<string, unknown>>;
}

/** The streams of a fault, in Toxiproxy's words: `upstream` is what the client sends. */
function streamsOf({ from, to, kind }: FaultFields): readonly string[] {
  if (kind === "reset" || (from === to && from !== undefined)) return ["upstream", "downstream"];
  return [from === "client" || to === "server" ? "upstream" : "downstream"];
}

/** A word of a shell, in quotes where it needs them. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A call for each fault, for `toxiproxy-node-client` and the like: one line of JSON and where it is sent. */
export function toxiproxyCalls(proxies: readonly ProxyRow[]): string {
  const lines = proxies.flatMap(({ name, listen, upstream, faults }) => {
    const place = (address: string): string => address.replace(/^tcp:\/\//, "");
    const proxy = JSON.stringify({ name, listen: place(listen), upstream: place(upstream) });
    return [`POST /proxies ${proxy}`, ...faults.flatMap(({ fault }, index) => toxicLines(name, fault, index + 1))];
  });
  return `${lines.join("\n")}\n`;
}

function toxicLines(proxy: string, fault: FaultFields, number: number): readonly string[] {
  const toxic = toxicOf(fault);
  const when = whenOf(fault);
  const others = Object.keys(when).filter(
    (name) => name !== "chance" && !(name === "afterMs" && fault.kind === "reset"),
  );
  if (toxic === undefined || others.length > 0) return [`# ${JSON.stringify(fault)} has no word in Toxiproxy`];
  const toxicity = when["chance"] === undefined ? {} : { toxicity: when["chance"] };
  return streamsOf(fault).map((stream) => {
    const name = `${String(toxic["type"])}_${stream}_${number}`;
    return `POST /proxies/${encodeURIComponent(proxy)}/toxics ${JSON.stringify({ name, ...toxic, stream, ...toxicity })}`;
  });
}

/** How long a fault of the command lasts: longer than a test. */
const LONG_MS = 3_600_000;

/** The faults that act now, as a schedule that begins with all of them. */
function scheduleOf(seed: number, proxies: readonly ProxyRow[]): ScheduleRow & Readonly<Record<string, unknown>> {
  const isAlone = proxies.length === 1;
  const faults = proxies.flatMap(({ name, faults: acting }) =>
    acting.map(({ fault }) => ({ atMs: 0, lastsMs: LONG_MS, ...(isAlone ? {} : { proxy: name }), ...fault })),
  );
  return { format: 1, seed, faults };
}

/** A script of a shell that writes the schedule and runs a test behind the proxies. */
export function shellScript(seed: number, proxies: readonly ProxyRow[], recorded: ScheduleRow | undefined): string {
  const schedule = recorded ?? scheduleOf(seed, proxies);
  const { faults, ...head } = schedule;
  const fields = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`);
  const lines = faults.map((fault) => `    ${JSON.stringify(fault)}`);
  const json = `{\n${fields.join("")}  "faults": [\n${lines.join(",\n")}\n  ]\n}`;
  const [first] = proxies;
  const isAlone = proxies.length === 1 && first !== undefined;
  const file = `cat > faults.json <<'END'\n${json}\nEND\n`;
  const ways = isAlone ? `${shellWord(first.listen)} ${shellWord(first.upstream)}` : "--config proxies.json";
  const list = proxies.map(({ name, listen, upstream }) => `  ${JSON.stringify({ name, listen, upstream })}`);
  const config = isAlone ? "" : `cat > proxies.json <<'END'\n[\n${list.join(",\n")}\n]\nEND\n`;
  return `${config}${file}zocalo proxy ${ways} --seed ${seed} --faults faults.json -- npm test\n`;
}
