/** `NODE_DEBUG=zocalo` prints what the diagnostics channels carry. */

import { subscribe } from "node:diagnostics_channel";
import { debuglog } from "node:util";
import { DIAGNOSTIC_CHANNELS, type DiagnosticEvent } from "../io/operation/diagnostics.ts";

const log = debuglog("zocalo");

/** Subscribes to the channels if the environment asks for it. */
export function printDiagnostics(): void {
  if (!log.enabled) return;
  for (const name of DIAGNOSTIC_CHANNELS) {
    subscribe(`zocalo:${name}`, (message) => log(describe(name, message as DiagnosticEvent)));
  }
}

function describe(name: string, event: DiagnosticEvent): string {
  const { kind, local = "-", remote, how, reason, error } = event;
  const ends = remote === undefined ? local : `${local} <-> ${remote}`;
  const problem = error instanceof Error ? error.message : undefined;
  const why = [how, reason, problem].filter((part) => part !== undefined);
  return `${name} ${kind} ${ends}${why.length === 0 ? "" : `: ${why.join(", ")}`}`;
}
