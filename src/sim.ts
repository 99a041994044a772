/**
 * A simulated network: the same program on hosts, links and time that a seed decides, with faults that can be replayed.
 *
 * @packageDocumentation
 */

export type { BurstyLoss, LinkConditions, Reordering } from "./core/faults/conditions.ts";
export {
  type CertificateFault,
  FAULT_KINDS,
  type Fault,
  type FaultGuard,
  type FaultKind,
  faultText,
  type TimedFault,
} from "./core/faults/fault.ts";
export { type Choices, type FaultList, formatFaultList, parseFaultList } from "./core/faults/fault-list.ts";
export type { Latency } from "./core/faults/latency.ts";
export { type Exploration, type ExploreOptions, explore } from "./sim/explore/explore.ts";
export type { SimulationFailure } from "./sim/world/failure.ts";
export { type ShrinkOptions, type ShrinkReport, shrink } from "./sim/explore/shrink.ts";
export { type SimTestOptions, simTest } from "./sim/explore/sim-test.ts";
export { type ChaosOptions, type Simulation, type SimulationOptions, simulation } from "./sim/explore/simulation.ts";
export { ExplorationTotals, type ExplorationSummary, type FailureGroup } from "./sim/explore/totals.ts";
export type { SimTcpSettings } from "./sim/kernel/tcp-settings.ts";
export { check } from "./sim/world/check.ts";
export { Disk } from "./sim/world/disk.ts";
export type { Host, HostMain } from "./sim/world/host-contract.ts";
export { type ConditionCount, InvariantError } from "./sim/world/invariants.ts";
export type { PacketRule, PacketVerdict, PacketView } from "./sim/world/packet-rule.ts";
export { type SimulatedPlace, simulatedPlace } from "./sim/world/place.ts";
export { simulate } from "./sim/world/simulate.ts";
export type { TraceRecord, TraceSink } from "./sim/world/trace.ts";
export type {
  HostLike,
  HostOptions,
  SimulateOptions,
  SimulationReport,
  World,
} from "./sim/world/world-contract.ts";
