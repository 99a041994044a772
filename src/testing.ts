/**
 * Conformance suites: what every implementation of Zócalo's contracts must do, as tests for `node:test`; and a clock for
 * tests that do not sleep.
 *
 * @packageDocumentation
 */

export { ManualClock } from "./testing/manual-clock.ts";
export { type OpenedStreams, streamSuite, type StreamSuiteOptions } from "./testing/stream-suite.ts";
