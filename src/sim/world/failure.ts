/** What a failed run is recognised by, and what its error says of the world. */

import { ZocaloError } from "../../core/errors.ts";
import { endpointText } from "../kernel/packet.ts";
import type { TcpListener, TcpSocket } from "../kernel/tcp-stack.ts";
import type { UdpSocket } from "../kernel/udp-socket.ts";
import { InvariantError } from "./invariants.ts";

/** How a run failed. */
export interface SimulationFailure {
  /**
   * The same for runs that fail in the same way: the name of the invariant, the code of the error and its call, or the
   * name and the first line of the message of any other error, where numbers and texts are not compared.
   */
  readonly identity: string;
  /** What the run was rejected with. */
  readonly error: unknown;
}

/** Longer messages differ in what does not matter. */
const MOST_CHARACTERS = 120;

/** Recognises a failure. */
export function failureOf(error: unknown): SimulationFailure {
  return { identity: identityOf(error), error };
}

/** Says in the stack of an error, which every runner of tests prints, what replays it; message and identity stay. */
export function withSeed(error: unknown, seed: number, nowMs: number): unknown {
  if (!(error instanceof Error)) return error;
  // A stack that cannot be written stays as it is.
  const where = `at ${nowMs} ms of the simulated world with seed ${seed}`;
  Reflect.set(error, "stack", `${error.stack ?? String(error)}\n    ${where}`);
  return error;
}

function identityOf(error: unknown): string {
  if (error instanceof InvariantError) return `${error.code} ${error.op} ${JSON.stringify(error.invariant)}`;
  if (error instanceof ZocaloError) return `${error.code} ${error.op}`;
  if (!(error instanceof Error)) return "a value that is no error";
  const [line = ""] = error.message.split("\n");
  const shape = line.replaceAll(/\d+(?:\.\d+)*/g, "#").slice(0, MOST_CHARACTERS);
  return `${error.name} ${shape}`.replace(/[:\s]+$/, "");
}

/** What a machine holds, for reports. */
export interface HostSnapshot {
  readonly state: "up" | "paused" | "frozen" | "down";
  /** Wake-ups that a paused program has missed. */
  readonly heldWakes: number;
  /** When the timers of the program are due, the next one first. */
  readonly timersUs: readonly number[];
  readonly listeners: readonly TcpListener[];
  readonly sockets: readonly TcpSocket[];
  readonly datagramSockets: readonly UdpSocket[];
}

interface DescribedHost {
  readonly name: string;
  snapshot(): HostSnapshot;
}

interface DescribedWorld {
  readonly hosts: readonly DescribedHost[];
  readonly seed: number;
  readonly now: number;
}

/** Most sockets of one host that a report names. */
const MOST_LINES = 20;

/** Most timers of one host that a report names. */
const MOST_TIMERS = 3;

/** What a world that goes nowhere waits for: a line for each host with its sockets and timers, and when that was. */
export function describeHosts({ hosts, seed, now }: DescribedWorld): string {
  return `${hosts.map(describeHost).join("\n")}\n  seed ${seed}, at ${now} ms`;
}

function describeHost(host: DescribedHost): string {
  const { listeners, sockets, datagramSockets, state: power, heldWakes, timersUs } = host.snapshot();
  const lines = [
    ...listeners.map((listener) => `listener ${endpointText(listener.local)}, ${listener.queue.length} waiting`),
    ...sockets.map(({ connection, route }) => {
      const { state, readableBytes, unacknowledgedBytes } = connection;
      return `${route.text} ${state}, ${readableBytes} unread, ${unacknowledgedBytes} unacknowledged`;
    }),
    ...datagramSockets.map((box) => `datagram socket ${endpointText(box.local)}, ${box.queue.length} unread`),
  ];
  const more = lines.length > MOST_LINES ? [`and ${lines.length - MOST_LINES} more`] : [];
  const missed = heldWakes > 0 ? `, ${heldWakes} wake-ups missed` : "";
  const state = power === "up" ? "" : ` (${power}${missed})`;
  const list = [...lines.slice(0, MOST_LINES), ...more];
  const timers = timersUs.length === 0 ? "" : `\n    ${timersText(timersUs)}`;
  return `  ${host.name}${state}: ${list.length === 0 ? "no sockets" : list.join("\n    ")}${timers}`;
}

/** How many timers are set, and when the next ones are due. */
function timersText(timersUs: readonly number[]): string {
  const next = timersUs.slice(0, MOST_TIMERS).map((dueUs) => `${dueUs / 1000} ms`);
  const more = timersUs.length > MOST_TIMERS ? ", ..." : "";
  return `${timersUs.length} timers, due at ${next.join(", ")}${more}`;
}
