/**
 * Conformance suites: what every implementation of Zócalo's contracts must do, as tests for `node:test`; and a clock for
 * tests that do not sleep.
 *
 * @packageDocumentation
 */

export type { CodecSuiteOptions } from "./testing/codec/check.ts";
export { codecSuite } from "./testing/codec/suite.ts";
export { datagramSuite } from "./testing/datagram/suite.ts";
export type { DatagramTraits, DatagramWorld } from "./testing/datagram/world.ts";
export { FaultyJournal, type JournalCall, type JournalFault } from "./testing/journal/faulty.ts";
export type { MakeJournal, WantedJournal } from "./testing/journal/scene.ts";
export { journalSuite } from "./testing/journal/suite.ts";
export type { ListenerWorld } from "./testing/listener/scene.ts";
export { listenerSuite } from "./testing/listener/suite.ts";
export { ManualClock } from "./testing/manual-clock.ts";
export { type OpenedStreams, streamSuite, type StreamSuiteOptions, type StreamWorld } from "./testing/stream/suite.ts";
