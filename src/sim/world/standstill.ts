/** What a world that goes nowhere waits for, as text for the error that ends it. */

import { endpointText } from "../kernel/packet.ts";
import type { SimHost } from "./host.ts";

/** Most sockets of one host that a report names. */
const MOST_LINES = 20;

/** Most timers of one host that a report names. */
const MOST_TIMERS = 3;

/** A line for each host with its listeners, connections, datagram sockets and timers. */
export function describeHosts(hosts: readonly SimHost[]): string {
  return hosts.map(describeHost).join("\n");
}

function describeHost(host: SimHost): string {
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
