/** The figures of a server on datagrams, for `metrics()`. */

import { counter, gauge, type MetricFamily } from "../../core/open-metrics.ts";
import type { DatagramServerStats } from "./server.ts";

/** @param kernelDrops - Datagrams that the kernel has dropped; undefined where it does not tell. */
export function datagramFamilies(stats: DatagramServerStats, kernelDrops: number | undefined): readonly MetricFamily[] {
  const dropped = [{ labels: { by: "queue" }, value: stats.datagramsDropped }];
  if (kernelDrops !== undefined) dropped.push({ labels: { by: "kernel" }, value: kernelDrops });
  return [
    counter("zocalo_datagrams_received", "Datagrams taken from the network", stats.datagramsReceived),
    counter("zocalo_received_bytes", "Bytes of the datagrams that came", stats.bytesReceived),
    counter("zocalo_datagrams_sent", "Datagrams that the kernel has taken", stats.datagramsSent),
    counter("zocalo_sent_bytes", "Bytes of the datagrams that the kernel has taken", stats.bytesSent),
    {
      name: "zocalo_datagrams_dropped",
      type: "counter",
      help: "Datagrams that came and were dropped: by the receive queue, or before it by the kernel",
      samples: dropped,
    },
    gauge("zocalo_datagrams_waiting", "Datagrams in the receive queue", stats.datagramsWaiting),
    gauge("zocalo_requests_running", "Handlers that run now", stats.requestsActive),
    counter("zocalo_requests", "Handlers that came to their end", stats.requestsHandled),
    counter("zocalo_requests_failed", "Handlers that threw, or whose reply could not be sent", stats.requestsFailed),
    counter("zocalo_requests_refused", "Datagrams that were not handed to a handler", stats.requestsRefused),
  ];
}
