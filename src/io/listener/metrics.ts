/** The figures of a listener, for `metrics()`. */

import { counter, gauge, type MetricFamily } from "../../core/open-metrics.ts";
import type { StreamSocket } from "../stream/socket.ts";
import type { ListenerStats } from "./public.ts";

/** Counts the bytes of connections. What it answers never goes down, as it must be for a counter. */
export class ConnectionBytes {
  readonly #over = { received: 0, sent: 0 };
  #told = { received: 0, sent: 0 };

  /** A connection is over. */
  add({ bytesReceived, bytesSent }: StreamSocket): void {
    this.#over.received += bytesReceived;
    this.#over.sent += bytesSent;
  }

  /** Those of the connections that are over, and of some that may be open. */
  with(connections: Iterable<StreamSocket>): { readonly received: number; readonly sent: number } {
    let { received, sent } = this.#over;
    for (const { isOver, bytesReceived, bytesSent } of connections) {
      if (isOver) continue;
      received += bytesReceived;
      sent += bytesSent;
    }
    // A connection that is being closed belongs to nobody who could name it.
    this.#told = { received: Math.max(received, this.#told.received), sent: Math.max(sent, this.#told.sent) };
    return this.#told;
  }
}

/** The figures of a listener and of its connections. */
export function listenerFamilies(
  stats: ListenerStats,
  bytes: { readonly received: number; readonly sent: number },
): readonly MetricFamily[] {
  return [
    gauge("zocalo_connections", "Connections that are open, those in a handshake included", stats.open),
    gauge(
      "zocalo_handshakes",
      "Connections that are in a handshake of TLS, or before their PROXY header",
      stats.handshakes,
    ),
    counter("zocalo_connections_accepted", "Connections handed to the program", stats.accepted),
    {
      name: "zocalo_connections_refused",
      type: "counter",
      help: "Connections turned away, by reason",
      samples: Object.entries(stats.refused).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    counter("zocalo_received_bytes", "Bytes that came", bytes.received),
    counter("zocalo_sent_bytes", "Bytes that the kernel has taken", bytes.sent),
  ];
}
