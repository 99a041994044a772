import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileGraph, findCycle, importViolations, layerGraph } from "./import-rules.ts";
import { KERNEL, TABLE } from "./layers.ts";
import { readSources } from "./read-sources.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/* The architecture, as a test: the table of layers is in layers.ts. */

/** Sources with logic whose test does not stand beside them, and the test that covers them. Keep it small. */
const COVERED_ELSEWHERE: Readonly<Record<string, string>> = {
  "src/core/contract/method.ts": "src/core/contract/contract.test.ts",
  "src/core/handshake/fields.ts": "src/core/handshake/server-handshake.test.ts",
  "src/core/handshake/hello.ts": "src/core/handshake/server-handshake.test.ts",
  "src/core/framing/boundaries/escaped-boundary.ts": "src/core/framing/boundaries/cobs.test.ts",
  "src/core/session/attachment.ts": "src/core/session/session-rules.test.ts",
  "src/core/session/wire/control-frames.ts": "src/core/session/session.test.ts",
  "src/core/session/exchange.ts": "src/core/session/session.test.ts",
  "src/core/session/incoming.ts": "src/core/session/session.test.ts",
  "src/core/session/losses.ts": "src/core/session/session-rules.test.ts",
  "src/core/session/requests.ts": "src/core/session/session.test.ts",
  "src/cli/terminal/run-command.ts": "test/cli/listen.test.ts",
  "src/cli/sockets/connect.ts": "test/cli/connect.test.ts",
  "src/cli/demo/demo.ts": "test/cli/demo.test.ts",
  "src/cli/demo/stream-relay.ts": "test/cli/demo.test.ts",
  "src/cli/demo/experiment.ts": "test/cli/demo.test.ts",
  "src/cli/demo/roles.ts": "test/cli/demo.test.ts",
  "src/cli/protocol/call.ts": "test/cli/call.test.ts",
  "src/cli/protocol/events.ts": "test/cli/events.test.ts",
  "src/cli/sockets/exec.ts": "test/cli/exec.test.ts",
  "src/cli/sockets/listen.ts": "test/cli/usage.test.ts",
  "src/cli/sockets/listen-streams.ts": "test/cli/listen.test.ts",
  "src/cli/doctor/doctor.ts": "test/cli/doctor.test.ts",
  "src/cli/main.ts": "test/cli/usage.test.ts",
  "src/cli/sockets/exchange.ts": "test/cli/send.test.ts",
  "src/cli/sockets/send.ts": "test/cli/send.test.ts",
  "src/cli/protocol/open.ts": "test/cli/call.test.ts",
  "src/io/datagram/settings.ts": "test/property/options.test.ts",
  "src/io/stateless/answers.ts": "src/io/stateless/serve.test.ts",
  "src/io/stateless/settings.ts": "test/property/options.test.ts",
  "src/io/listener/accept-queue.ts": "src/io/listener/listener.test.ts",
  "src/io/listener/admission.ts": "test/conformance/listeners.test.ts",
  "src/io/listener/handshakes.ts": "src/io/listener/listener.test.ts",
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
  "src/io/session/traffic/answers.ts": "test/sessions/rules-of-messages.test.ts",
  "src/io/session/traffic/handlers.ts": "test/sessions/calls-and-events.test.ts",
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
  "src/io/session/endpoint/link.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/contract/plan.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/reception.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/server/registry.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/settings.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/stream.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/streams.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/traffic.ts": "test/sessions/calls-and-events.test.ts",
  "src/io/session/traffic/waiting-requests.ts": "test/sessions/careless-programs.test.ts",
  "src/node/bind-transport.ts": "src/node/datagram-transport.test.ts",
  "src/node/errno-in-place.ts": "src/node/errno.test.ts",
  "src/sim/kernel/packet.ts": "src/sim/world/fabric.test.ts",
  "src/sim/kernel/udp-socket.ts": "src/sim/kernel/udp-stack.test.ts",
  "src/node/connect-transport.ts": "test/conformance/streams.test.ts",
  "src/node/native-handle.ts": "test/conformance/streams.test.ts",
  "src/testing/datagram/close.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/queue.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/suite.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/groups.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/loops.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/receive.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/send.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/server.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/transfer.ts": "test/conformance/udp.test.ts",
  "src/testing/datagram/world.ts": "test/conformance/udp.test.ts",
  "src/testing/listener/scene.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/accept.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/closing.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/limits.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/serve.ts": "test/conformance/listeners.test.ts",
  "src/testing/listener/suite.ts": "test/conformance/listeners.test.ts",
  "src/testing/expect-error.ts": "test/conformance/streams.test.ts",
  "src/testing/manual-clock.ts": "test/conformance/listeners.test.ts",
  "src/testing/datagram/manual-datagrams.ts": "src/io/datagram/outbound.test.ts",
  "src/testing/stream/check.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/cancel.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/concurrency.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/ends.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/aborts.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/loops.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/suite.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/reads.ts": "test/conformance/streams.test.ts",
  "src/testing/stream/transfer.ts": "test/conformance/streams.test.ts",
  "src/testing/codec/errors.ts": "src/testing/codec/suite.test.ts",
  "src/testing/codec/linear.ts": "src/testing/codec/suite.test.ts",
  "src/testing/codec/messages.ts": "src/testing/codec/suite.test.ts",
  "src/cli/sim/report.ts": "test/cli/sim.test.ts",
  "src/cli/demo/process.ts": "test/cli/demo.test.ts",
  "src/cli/protocol/contract.ts": "test/cli/contract.test.ts",
  "src/cli/sim/sim.ts": "test/cli/sim.test.ts",
  "src/core/error-codes.ts": "src/core/errors.test.ts",
  "src/core/address/host.ts": "src/core/address/parse.test.ts",
  "src/core/options/nearest-name.ts": "src/core/options/check-options.test.ts",
  "src/core/proxy/parse-v1.ts": "src/core/proxy/parse.test.ts",
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
