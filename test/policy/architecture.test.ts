import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileGraph, findCycle, importViolations, layerGraph, type LayerTable } from "./import-rules.ts";
import { readSources } from "./read-sources.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/*
 * The architecture, as a test. The tables in this file are policy: they say how the parts of Zócalo depend on each other.
 * They are never edited to make a build pass. A change of a row is a decision of its own, with a file in docs/decisions.
 */

/** Sockets of the kernel and what could reach them: only src/node may import these. */
const KERNEL: ReadonlySet<string> = new Set([
  "node:net",
  "node:tls",
  "node:dgram",
  "node:dns",
  "node:dns/promises",
  "node:http",
  "node:https",
  "node:http2",
]);

/**
 * What each layer may import, beside itself: a layer is a folder of `src` at any depth, `entries` the files directly in it. Rows
 * stand in the order of the rings; a row names only rows above it.
 */
const TABLE: LayerTable = {
  // Ring 0: pure and synchronous. "core" is the files directly in src/core: the errors, and what is too small for a folder.
  core: { layers: [] },
  "core/bytes": { layers: [] },
  "core/options": { layers: ["core"] },
  "core/address": { layers: ["core", "core/options"], packages: ["ipaddr.js"] },
  "core/contract": { layers: ["core", "core/options"] },
  "core/faults": { layers: ["core", "core/options"] },
  "core/framing": { layers: ["core", "core/bytes", "core/options"] },
  "core/framing/formats": { layers: ["core", "core/bytes", "core/options", "core/framing"], packages: ["msgpackr"] },
  "core/framing/boundaries": { layers: ["core/bytes", "core/options", "core/framing", "core/framing/formats"] },
  "core/handshake": {
    layers: ["core", "core/bytes", "core/contract", "core/framing", "core/framing/formats", "core/framing/boundaries"],
  },
  "core/proxy": { layers: ["core", "core/options", "core/address"] },
  "core/session/wire": { layers: ["core", "core/framing", "core/framing/formats", "core/handshake"] },
  "core/session": {
    layers: ["core", "core/bytes", "core/framing", "core/framing/boundaries", "core/handshake", "core/session/wire"],
  },
  "core/session/resume": { layers: ["core", "core/handshake", "core/session"] },
  "core/stateless": { layers: ["core/bytes"] },

  // Ring 1: asynchronous objects over any network.
  "io/network": { layers: ["core", "core/address"] },
  "io/operation": {
    layers: ["core", "core/bytes", "core/options", "core/address", "io/network"],
    builtins: ["node:diagnostics_channel"],
  },
  "io/contract": {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/contract",
      "core/framing",
      "core/framing/formats",
      "core/session",
      "io/operation",
    ],
  },
  "io/session": {
    layers: [
      "core",
      "core/address",
      "core/contract",
      "core/framing/formats",
      "core/handshake",
      "core/session",
      "io/network",
      "io/operation",
      "io/contract",
    ],
  },
  "io/stream": {
    layers: ["core", "core/bytes", "core/address", "core/framing", "core/proxy", "io/network", "io/operation"],
    builtins: ["node:stream", "node:stream/web"],
  },
  "io/datagram": {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/framing",
      "io/network",
      "io/operation",
      "io/contract",
      "io/stream",
    ],
  },
  "io/listener": { layers: ["core", "core/address", "core/proxy", "io/network", "io/operation", "io/stream"] },
  "io/session/traffic": {
    layers: [
      "core",
      "core/bytes",
      "core/contract",
      "core/session/wire",
      "core/session",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
    ],
  },
  "io/session/endpoint": {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/handshake",
      "core/session/wire",
      "core/session",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/session/traffic",
    ],
  },
  "io/session/client": {
    layers: [
      "core",
      "core/address",
      "core/contract",
      "core/handshake",
      "core/session/wire",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/session/endpoint",
    ],
  },
  "io/session/server": {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/contract",
      "core/handshake",
      "core/proxy",
      "core/session",
      "core/session/resume",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/listener",
      "io/session/endpoint",
    ],
  },
  "io/stateless": {
    layers: [
      "core",
      "core/address",
      "core/contract",
      "core/stateless",
      "io/network",
      "io/operation",
      "io/contract",
      "io/datagram",
    ],
  },

  // Ring 2: networks. None knows another.
  memory: { layers: ["core", "core/bytes", "core/address", "io/network", "io/operation", "io/stream"] },
  node: {
    layers: ["core", "core/address", "io/network", "io/operation"],
    builtins: [
      ...KERNEL,
      "node:crypto",
      "node:diagnostics_channel",
      "node:fs",
      "node:os",
      "node:path",
      "node:perf_hooks",
      "node:util",
    ],
  },

  // The simulator.
  "sim/guard": { layers: ["core", "io/stream", "io/datagram", "io/listener"], builtins: ["node:async_hooks"] },
  "sim/kernel": { layers: ["core", "core/options", "core/faults"] },
  "sim/capture": { layers: ["core", "sim/kernel"] },
  "sim/time": { layers: ["core/faults", "sim/guard", "sim/kernel"], builtins: ["node:async_hooks"] },
  "sim/adapter": {
    layers: [
      "core",
      "core/address",
      "core/faults",
      "io/network",
      "io/operation",
      "sim/guard",
      "sim/kernel",
      "sim/time",
    ],
  },
  "sim/world": {
    layers: [
      "core",
      "core/options",
      "core/faults",
      "io/network",
      "sim/guard",
      "sim/kernel",
      "sim/capture",
      "sim/time",
      "sim/adapter",
    ],
  },
  "sim/explore": { layers: ["core", "core/options", "core/faults", "sim/guard", "sim/world"] },

  // The composition root: the public functions, with the network of the kernel as default.
  api: {
    layers: [
      "core",
      "core/address",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/datagram",
      "io/listener",
      "io/session/client",
      "io/session/server",
      "io/stateless",
      "memory",
      "node",
    ],
    builtins: ["node:os"],
  },

  // Ring 3: conformance suites, for any implementation of the contracts; so they know none.
  testing: { layers: ["core", "io/network"], builtins: ["node:assert/strict"] },
  "testing/codec": {
    layers: ["core", "core/bytes", "core/options", "core/framing", "testing"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/stream": {
    layers: ["core", "core/options", "io/network", "io/operation", "io/stream", "testing"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/datagram": {
    layers: ["core", "core/address", "io/network", "io/operation", "io/datagram", "testing", "testing/stream"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/listener": {
    layers: ["core", "core/address", "io/network", "io/stream", "io/listener", "testing", "testing/stream"],
    builtins: ["node:assert/strict", "node:test"],
  },

  // The entry points gather what is public.
  entries: {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/contract",
      "core/faults",
      "core/framing",
      "core/framing/formats",
      "core/framing/boundaries",
      "core/proxy",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/datagram",
      "io/listener",
      "io/session/client",
      "io/session/server",
      "io/stateless",
      "node",
      "sim/kernel",
      "sim/world",
      "sim/explore",
      "api",
      "testing",
      "testing/codec",
      "testing/stream",
      "testing/datagram",
      "testing/listener",
    ],
  },

  // Ring 4: the command is a user of the package like any other.
  "cli/terminal": { layers: ["entries"], builtins: ["*"], packages: ["commander"] },
  "cli/sim": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander"] },
  "cli/sockets": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander", "selfsigned"] },
  "cli/demo": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  "cli/doctor": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  "cli/protocol": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  cli: {
    layers: ["cli/terminal", "cli/sim", "cli/sockets", "cli/demo", "cli/doctor", "cli/protocol"],
    builtins: ["*"],
    packages: ["commander"],
  },
};

/** Sources with logic whose test does not stand beside them, and the test that covers them. Keep it small. */
const COVERED_ELSEWHERE: Readonly<Record<string, string>> = {
  "src/core/contract/method.ts": "src/core/contract/contract.test.ts",
  "src/core/handshake/fields.ts": "src/core/handshake/server-handshake.test.ts",
  "src/core/handshake/hello.ts": "src/core/handshake/server-handshake.test.ts",
  "src/core/session/attachment.ts": "src/core/session/session-rules.test.ts",
  "src/core/session/wire/control-frames.ts": "src/core/session/session.test.ts",
  "src/core/session/exchange.ts": "src/core/session/session.test.ts",
  "src/core/session/incoming.ts": "src/core/session/session.test.ts",
  "src/core/session/losses.ts": "src/core/session/session-rules.test.ts",
  "src/core/session/stream-table.ts": "src/core/session/session.test.ts",
  "src/cli/sockets/connect.ts": "test/cli/connect.test.ts",
  "src/cli/demo/demo.ts": "test/cli/demo.test.ts",
  "src/cli/demo/stream-relay.ts": "test/cli/demo.test.ts",
  "src/cli/demo/experiment.ts": "test/cli/demo.test.ts",
  "src/cli/demo/roles.ts": "test/cli/demo.test.ts",
  "src/cli/protocol/events.ts": "test/cli/events.test.ts",
  "src/cli/sockets/exec.ts": "test/cli/exec.test.ts",
  "src/cli/sockets/join-messages.ts": "test/cli/framing.test.ts",
  "src/cli/sockets/listen.ts": "test/cli/usage.test.ts",
  "src/cli/sockets/listen-streams.ts": "test/cli/listen.test.ts",
  "src/cli/doctor/doctor.ts": "test/cli/doctor.test.ts",
  "src/cli/main.ts": "test/cli/usage.test.ts",
  "src/cli/sockets/send.ts": "test/cli/send.test.ts",
  "src/cli/protocol/open.ts": "test/cli/call.test.ts",
  "src/io/listener/admission.ts": "test/conformance/listeners.test.ts",
  "src/io/stream/socket.ts": "test/conformance/streams.test.ts",
  "src/io/stream/framed-stream.ts": "test/framing/framed.test.ts",
  "src/io/stream/framed-inbound.ts": "test/framing/framed.test.ts",
  "src/io/stream/framed-outbound.ts": "test/framing/framed.test.ts",
  "src/io/stream/inbound.ts": "test/conformance/streams.test.ts",
  "src/io/stream/limits.ts": "test/conformance/listeners.test.ts",
  "src/io/listener/listen.ts": "test/conformance/listeners.test.ts",
  "src/io/stream/outbound.ts": "test/conformance/streams.test.ts",
  "src/memory/pair.ts": "test/conformance/streams.test.ts",
  "src/io/stream/reads.ts": "test/conformance/streams.test.ts",
  "src/io/listener/serve.ts": "test/conformance/listeners.test.ts",
  "src/api/sockets.ts": "test/sockets/wrong-options.test.ts",
  "src/io/session/client/connect.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/serve.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/calls.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/client/connector.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/dispatch.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/endpoint/ending.ts": "test/sessions/closing.test.ts",
  "src/io/session/endpoint/endpoint.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/events.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/endpoint/session.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/contract/format.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/gap.ts": "test/sessions/between-sessions.test.ts",
  "src/io/session/server/greeting.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/groups.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/endpoint/handshake.ts": "test/sessions/opening.test.ts",
  "src/io/session/client/introduction.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/endpoint/keeper.ts": "test/sessions/draining.test.ts",
  "src/io/session/endpoint/link.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/contract/plan.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/reception.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/registry.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/settings.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/stream.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/streams.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/traffic.ts": "test/sessions/calls-and-events.test.ts",
  "src/node/connect-transport.ts": "test/conformance/streams.test.ts",
  "src/node/native-handle.ts": "test/conformance/streams.test.ts",
  "src/testing/datagram/close.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/suite.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/groups.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/receive.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/send.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/server.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/transfer.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/world.ts": "test/conformance/udp.test.ts",
  "src/testing/listener/scene.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/accept.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/drain.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/limits.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/serve.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/suite.ts": "test/conformance/listeners.test.ts",
  "src/testing/manual-clock.ts": "test/conformance/listeners.test.ts",
  "src/testing/datagram/manual-datagrams.ts": "src/io/datagram/outbound.test.ts",
  "src/testing/stream/check.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/cancel.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/concurrency.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/ends.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/suite.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/reads.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/transfer.ts": "test/conformance/streams.test.ts",
  "src/testing/codec/errors.ts": "src/testing/codec/suite.test.ts",
  "src/testing/codec/messages.ts": "src/testing/codec/suite.test.ts",
  "src/cli/sim/report.ts": "test/cli/sim.test.ts",
  "src/cli/demo/process.ts": "test/cli/demo.test.ts",
  "src/cli/protocol/contract.ts": "test/cli/contract.test.ts",
  "src/cli/sim/sim.ts": "test/cli/sim.test.ts",
  "src/core/framing/frame-error.ts": "src/core/framing/frame-decoder.test.ts",
  "src/io/contract/handlers.ts": "test/sessions/opening.test.ts",
  "src/io/session/end.ts": "test/sessions/closing.test.ts",
  "src/io/stream/bridges.ts": "test/sockets/bridges.test.ts",
  "src/node/network.ts": "test/conformance/streams.test.ts",
  "src/cli/protocol/load-contract.ts": "test/cli/call.test.ts",
};

/** A source with more lines of logic than this needs a test. */
const UNTESTED_LOGIC_LINES = 40;
const MAX_FILE_LINES = 400;
/** A name must say what a thing is; these say only that somebody needed a place. */
const FORBIDDEN_WORDS: ReadonlySet<string> = new Set(
  "util utils utility utilities helper helpers common manager managers misc".split(" "),
);

const sources = readSources(repositoryRoot, "src/");
const code = sources.filter((file) => !file.path.endsWith(".test.ts"));

function assertNone(problems: readonly string[], rule: string): void {
  assert.equal(problems.length, 0, `${rule}\n  ${problems.join("\n  ")}`);
}

test("each layer imports only what the table allows", () => {
  assertNone(importViolations(sources, TABLE, KERNEL), "forbidden imports:");
});

test("the table itself has no cycle: a row names only rows above it", () => {
  const rows = Object.keys(TABLE);
  const problems = rows.flatMap((row, index) =>
    (TABLE[row]?.layers ?? [])
      .filter((layer) => !rows.slice(0, index).includes(layer))
      .map((layer) => `${row}: ${layer}`),
  );
  assertNone(problems, "rows that name themselves, a later row or none:");
});

test("no cycle among files, imports of types included", () => {
  assert.equal(findCycle(fileGraph(sources))?.join(" -> "), undefined);
});

test("no cycle among layers", () => {
  assert.equal(findCycle(layerGraph(sources))?.join(" -> "), undefined);
});

test("the core is synchronous", () => {
  const problems = code
    .filter((file) => file.path.startsWith("src/core/"))
    .flatMap((file) => file.asyncUses.map((use) => `${file.path}:${use.line}: ${use.word}`));
  assertNone(problems, "src/core must not await, nor know promises:");
});

test("entry points only re-export", () => {
  const entries = code.filter((file) => /^src\/[^/]+$/.test(file.path));
  assert.notEqual(entries.length, 0);
  assertNone(
    entries.filter((file) => !file.onlyReExports).map((file) => file.path),
    "statements other than `export ... from` in:",
  );
});

test(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
  assertNone(
    sources.filter((file) => file.lines > MAX_FILE_LINES).map((file) => `${file.path}: ${file.lines} lines`),
    "cut by concept, not by length:",
  );
});

test("no file or folder has a name that says nothing", () => {
  const problems = readSources(repositoryRoot, "")
    .map((file) => file.path)
    .filter((path) => path.split(/[/.-]/).some((word) => FORBIDDEN_WORDS.has(word)));
  assertNone(problems, "name it for the concept that it implements:");
});

test("every file with logic has a test", () => {
  const paths = new Set(sources.map((file) => file.path));
  const problems = code
    .filter((file) => file.logicLines > UNTESTED_LOGIC_LINES)
    .filter((file) => !paths.has(file.path.replace(/\.ts$/, ".test.ts")) && COVERED_ELSEWHERE[file.path] === undefined)
    .map((file) => `${file.path}: ${file.logicLines} lines of logic`);
  assertNone(problems, "no x.test.ts beside x.ts, and not listed in COVERED_ELSEWHERE:");
});

test("the list of sources covered elsewhere is true", () => {
  const paths = new Set(code.map((file) => file.path));
  const problems = Object.entries(COVERED_ELSEWHERE).flatMap(([source, covering]) => [
    ...(paths.has(source) ? [] : [`${source} does not exist`]),
    ...(existsSync(join(repositoryRoot, covering)) ? [] : [`${covering} does not exist`]),
    ...(existsSync(join(repositoryRoot, source.replace(/\.ts$/, ".test.ts")))
      ? [`${source} has a test of its own`]
      : []),
  ]);
  assertNone(problems, "in COVERED_ELSEWHERE:");
});
