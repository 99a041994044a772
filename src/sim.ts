/**
 * A simulated network: the same program on hosts, links and time that a seed decides, with faults that can be replayed.
 *
 * @packageDocumentation
 */

export type { BurstyLoss, LinkConditions, Reordering } from "./core/faults/conditions.ts";
export type { Latency } from "./core/faults/latency.ts";
export type { CertificateFault } from "./sim/adapter/sim-tls.ts";
export type { TcpSettings } from "./sim/kernel/tcp-settings.ts";
export { check } from "./sim/world/check.ts";
export { Disk } from "./sim/world/disk.ts";
export type { Host, HostMain } from "./sim/world/host-contract.ts";
export type { ConditionCount } from "./sim/world/invariants.ts";
export type { PacketRule, PacketVerdict, PacketView } from "./sim/world/packet-rule.ts";
export { type SimulateOptions, type SimulationReport, simulate } from "./sim/world/simulate.ts";
export type { TraceRecord, TraceSink } from "./sim/world/trace.ts";
export type { FaultGuard, HostLike, HostOptions, World } from "./sim/world/world-contract.ts";
