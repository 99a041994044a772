/** Figures of the proxies as Prometheus reads them, with the names of Toxiproxy 2. */

import type { FaultProxy } from "../public.ts";

/** Text of the exposition format, version 0.0.4. */
export function metricsText(proxies: Iterable<FaultProxy>): string {
  const received: string[] = [];
  const sent: string[] = [];
  for (const { name, listen, upstream, bytes } of proxies) {
    const { fromClient, fromServer, toServer, toClient } = bytes;
    const labels = (direction: string): string =>
      Object.entries({ direction, listener: listen.hostPort, proxy: name, upstream: upstream.hostPort })
        .map(([label, value]) => `${label}="${escaped(value)}"`)
        .join(",");
    received.push(`{${labels("upstream")}} ${fromClient}`, `{${labels("downstream")}} ${fromServer}`);
    sent.push(`{${labels("upstream")}} ${toServer}`, `{${labels("downstream")}} ${toClient}`);
  }
  return [
    ...family("received", "taken from a sender", received),
    ...family("sent", "given to a receiver", sent),
    "",
  ].join("\n");
}

function family(word: string, help: string, samples: readonly string[]): readonly string[] {
  const name = `toxiproxy_proxy_${word}_bytes_total`;
  const head = [`# HELP ${name} Bytes ${help}, by direction.`, `# TYPE ${name} counter`];
  return [...head, ...samples.map((sample) => `${name}${sample}`)];
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
