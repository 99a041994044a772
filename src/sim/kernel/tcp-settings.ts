/** What a simulated kernel's TCP can be told; the defaults are those of Linux. */

import { checkOptions, optionInvalid, type OptionRules, wholeNumber } from "../../core/options/check-options.ts";

/** Settings of the simulated TCP, the same for all hosts of a world. */
export interface SimTcpSettings {
  /** Bytes that a connection holds for its peer until they are acknowledged. Default 262144. */
  readonly sendBufferBytes: number;
  /** Bytes that a connection holds for its program; the window. Default 262144. */
  readonly receiveBufferBytes: number;
  /** Repetitions of a SYN before the kernel gives up: after 127 seconds with the default of 6. */
  readonly synRetries: number;
  /** Repetitions of a SYN-ACK. Default 5. */
  readonly synAckRetries: number;
  /** Repetitions of a segment before the kernel gives up: after about 15 minutes with the default of 15. */
  readonly retries: number;
  /** Smallest retransmission time-out in milliseconds. Default 200 (RFC 6298 would have 1000). */
  readonly rtoMinMs: number;
  /** Largest retransmission time-out in milliseconds. Default 120000. */
  readonly rtoMaxMs: number;
  /** How long the side that closed first remembers a connection, in milliseconds. Default 60000. */
  readonly timeWaitMs: number;
  /** How long the kernel waits for the FIN of a peer whose connection the program has closed. Default 60000. */
  readonly finTimeoutMs: number;
  /** Time without traffic before the first keepalive probe, in milliseconds, where the program does not say. Default 7200000. */
  readonly keepAliveIdleMs: number;
  /**
   * Time between keepalive probes in milliseconds, where the program does not say how long a peer may be idle. Default 75000.
   * Where it does (`setKeepAlive(true, idleMs)`) it is 1000, as Node sets it.
   */
  readonly keepAliveIntervalMs: number;
  /** Keepalive probes without an answer before the kernel gives up, in the same case. Default 9; else 10, as Node sets it. */
  readonly keepAliveProbes: number;
}

/** The settings of Linux. */
export const DEFAULT_TCP: SimTcpSettings = {
  sendBufferBytes: 262_144,
  receiveBufferBytes: 262_144,
  synRetries: 6,
  synAckRetries: 5,
  retries: 15,
  rtoMinMs: 200,
  rtoMaxMs: 120_000,
  timeWaitMs: 60_000,
  finTimeoutMs: 60_000,
  keepAliveIdleMs: 7_200_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
};

/** The smallest value of those settings that may not be 0. */
const LEAST: Partial<SimTcpSettings> = {
  sendBufferBytes: 1,
  receiveBufferBytes: 1,
  rtoMinMs: 1,
  rtoMaxMs: 1,
  keepAliveIdleMs: 1,
  keepAliveIntervalMs: 1,
};

const RULES: OptionRules = Object.fromEntries(
  (Object.keys(DEFAULT_TCP) as (keyof SimTcpSettings)[]).map((name) => [
    name,
    wholeNumber(LEAST[name] ?? 0, Number.MAX_SAFE_INTEGER),
  ]),
);

/** The settings of a world. Throws `OPTION_INVALID` for one that is no whole number, or that there is not. */
export function tcpSettings(given: Partial<SimTcpSettings> | undefined): SimTcpSettings {
  const settings: SimTcpSettings = { ...DEFAULT_TCP, ...checkOptions({ op: "simulate" }, given, RULES, "tcp.") };
  if (settings.rtoMinMs <= settings.rtoMaxMs) return settings;
  throw optionInvalid({ op: "simulate" }, "tcp.rtoMinMs must not be greater than tcp.rtoMaxMs");
}
