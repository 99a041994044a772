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
const COVERED: readonly (readonly [folder: string, files: string, by: string])[] = [
  ["src/api", "sockets", "test/sockets/wrong-options.test.ts"],
  ["src/cli", "main", "test/cli/usage.test.ts"],
  ["src/cli", "new-project", "test/cli/new.test.ts"],
  ["src/cli/demo", "demo experiment process roles", "test/cli/demo.test.ts"],
  ["src/cli/demo", "cluster cluster-run cluster-screen crowd demo-store plaza", "test/cli/cluster.test.ts"],
  ["src/cli/doctor", "doctor", "test/cli/doctor.test.ts"],
  ["src/cli/inspect", "ask inspect", "test/inspect/preload.test.ts"],
  ["src/cli/protocol", "call load-contract open", "test/cli/call.test.ts"],
  ["src/cli/protocol", "contract", "test/cli/contract.test.ts"],
  ["src/cli/protocol", "events", "test/cli/events.test.ts"],
  ["src/cli/proxy", "proxy record-flags schedule-flags", "test/cli/proxy.test.ts"],
  ["src/cli/sim", "report sim", "test/cli/sim.test.ts"],
  ["src/cli/sockets", "connect", "test/cli/connect.test.ts"],
  ["src/cli/sockets", "exec", "test/cli/exec.test.ts"],
  ["src/cli/sockets", "listen-streams", "test/cli/listen.test.ts"],
  ["src/cli/sockets", "exchange send", "test/cli/send.test.ts"],
  ["src/cli/sockets", "listen", "test/cli/usage.test.ts"],
  ["src/cli/terminal", "run-command", "test/cli/listen.test.ts"],
  ["src/core", "error-codes", "src/core/errors.test.ts"],
  ["src/core/address", "host", "src/core/address/parse.test.ts"],
  ["src/core/contract", "diff-words", "src/core/contract/diff.test.ts"],
  ["src/core/contract", "method", "src/core/contract/contract.test.ts"],
  ["src/core/framing", "frame-error", "src/core/framing/frame-decoder.test.ts"],
  ["src/core/framing/boundaries", "escaped-boundary", "src/core/framing/boundaries/cobs.test.ts"],
  ["src/core/handshake", "fields hello", "src/core/handshake/server-handshake.test.ts"],
  ["src/core/options", "nearest-name", "src/core/options/check-options.test.ts"],
  ["src/core/proxy", "parse-v1", "src/core/proxy/parse.test.ts"],
  ["src/core/session", "attachment losses", "src/core/session/session-rules.test.ts"],
  ["src/core/session", "exchange incoming requests stream-table", "src/core/session/session.test.ts"],
  ["src/core/session", "shared-lane", "test/property/shared-lane.test.ts"],
  ["src/core/session/wire", "control-frames frame-types", "src/core/session/session.test.ts"],
  ["src/inspect", "doors inspect", "test/inspect/preload.test.ts"],
  ["src/inspect", "registry rows session-detail session-lists watch", "test/inspect/figures.test.ts"],
  ["src/http", "answer open-port", "test/inspect/routes.test.ts"],
  ["src/inspect", "answers routes web-server", "test/inspect/routes.test.ts"],
  ["src/io/contract", "format plan", "test/sessions/calls-and-events.test.ts"],
  ["src/io/contract", "handlers", "test/sessions/opening.test.ts"],
  ["src/io/contract", "call-metrics", "test/sessions/metrics.test.ts"],
  ["src/io/contract", "call-watch", "test/sessions/interceptors.test.ts"],
  ["src/io/datagram", "settings", "test/property/options.test.ts"],
  ["src/io/listener", "metrics", "test/sessions/metrics.test.ts"],
  ["src/io/listener", "accept-queue handshakes", "src/io/listener/listener.test.ts"],
  ["src/io/listener", "admission listen serve", "test/conformance/listeners.test.ts"],
  ["src/io/session", "gap", "test/sessions/between-sessions.test.ts"],
  ["src/io/session", "settings", "test/sessions/calls-and-events.test.ts"],
  ["src/io/session", "end", "test/sessions/closing.test.ts"],
  ["src/io/session/client", "connect connector introduction", "test/sessions/calls-and-events.test.ts"],
  ["src/io/session/client", "opening readiness waiting", "test/sessions/ready.test.ts"],
  ["src/io/session/endpoint", "endpoint link session", "test/sessions/calls-and-events.test.ts"],
  ["src/io/session/endpoint", "ending", "test/sessions/closing.test.ts"],
  ["src/io/session/endpoint", "handshake", "test/sessions/opening.test.ts"],
  ["src/io/session/server", "greeting groups reception registry serve", "test/sessions/calls-and-events.test.ts"],
  [
    "src/io/session/traffic",
    "calls dispatch events handlers stream streams traffic",
    "test/sessions/calls-and-events.test.ts",
  ],
  ["src/io/session/server", "metrics", "test/sessions/metrics.test.ts"],
  ["src/io/session/shared", "heard log past", "test/sim/shared-log.test.ts"],
  ["src/io/session/shared", "presence", "test/sim/presence.test.ts"],
  ["src/io/session/server", "broadcast", "test/sessions/groups.test.ts"],
  ["src/io/session/shared", "topics", "test/sessions/groups.test.ts"],
  ["src/io/session/traffic", "context", "test/sessions/metadata.test.ts"],
  ["src/io/session/traffic", "waiting-requests", "test/sessions/careless-programs.test.ts"],
  ["src/io/session/traffic", "answers", "test/sessions/rules-of-messages.test.ts"],
  ["src/io/stateless", "answers", "src/io/stateless/serve.test.ts"],
  ["src/io/stateless", "settings", "test/property/options.test.ts"],
  ["src/io/stream", "limits", "test/conformance/listeners.test.ts"],
  ["src/io/stream", "inbound outbound reads socket", "test/conformance/streams.test.ts"],
  ["src/io/stream", "framed-inbound framed-outbound framed-stream", "test/framing/framed.test.ts"],
  ["src/io/stream", "bridges", "test/sockets/bridges.test.ts"],
  ["src/io/journal", "load-package log-tail options store-calls", "test/journal/file-journal.test.ts"],
  ["src/journal/file", "check-file journal lmdb notices numbers store", "test/journal/file-journal.test.ts"],
  ["src/journal/nats", "connect journal log-watch server-answer store", "test/journal/nats-journal.test.ts"],
  ["src/io/session/server", "commits journaling leave-sessions", "test/sim/session-moves.test.ts"],
  ["src/io/session/server", "careful-starts", "test/sim/handlers-careful.test.ts"],
  ["src/journal/redis", "connect journal scripts store", "test/journal/redis-journal.test.ts"],
  ["src/journal/memory", "log", "src/journal/memory/journal.test.ts"],
  ["src/memory", "pair", "test/conformance/streams.test.ts"],
  ["src/io/operation", "within", "src/io/operation/deadline.test.ts"],
  ["src/node", "errno-in-place", "src/node/errno.test.ts"],
  ["src/node", "socket-file path-claim", "src/node/unix-path.test.ts"],
  ["src/node", "connect-transport native-handle network", "test/conformance/streams.test.ts"],
  ["src/page/inspect", "figures gauges heat-map inspect-page page-frame pull", "test/browser/inspect-page.test.ts"],
  ["src/page/inspect", "seen sequence servers-view session-view", "test/browser/inspect-page.test.ts"],
  ["src/page/inspect", "sessions-view table texts", "test/browser/inspect-page.test.ts"],
  ["src/page/shell", "listen shell visible", "test/browser/proxy-page.test.ts"],
  ["src/proxy", "fault", "src/proxy/start-proxy.test.ts"],
  ["src/proxy", "datagram-proxy", "src/proxy/datagram-way.test.ts"],
  ["src/proxy", "report stream-proxy", "src/proxy/stream-way.test.ts"],
  ["src/proxy", "capture", "test/interop/proxy-capture.test.ts"],
  ["src/proxy", "connection-log", "src/proxy/watch.test.ts"],
  ["src/proxy/api", "api-error metrics serve-api toxic-board toxics", "src/proxy/api/routes.test.ts"],
  [
    "src/page/proxy",
    "connections details diagram fault-form lane-plot lanes painter proxy-page schedule",
    "test/browser/proxy-page.test.ts",
  ],
  ["src/proxy/page", "routes", "src/proxy/page/serve-page.test.ts"],
  ["src/sim/kernel", "udp-socket", "src/sim/kernel/udp-stack.test.ts"],
  ["src/sim/kernel", "packet", "src/sim/world/fabric.test.ts"],
  ["src/testing", "manual-clock", "test/conformance/listeners.test.ts"],
  ["src/testing", "expect-error", "test/conformance/streams.test.ts"],
  ["src/testing/codec", "errors linear messages", "src/testing/codec/suite.test.ts"],
  [
    "src/testing/datagram",
    "close groups loops queue receive send server suite transfer world",
    "test/conformance/udp.test.ts",
  ],
  ["src/testing/journal", "lifetime log records scene", "src/testing/journal/suite.test.ts"],
  ["src/testing/listener", "accept broadcast closing limits scene serve suite", "test/conformance/listeners.test.ts"],
  [
    "src/testing/stream",
    "aborts bridges cancel check concurrency ends loops reads suite transfer",
    "test/conformance/streams.test.ts",
  ],
];
const COVERED_ELSEWHERE: ReadonlyMap<string, string> = new Map(
  COVERED.flatMap(([folder, files, by]) => files.split(" ").map((name) => [`${folder}/${name}.ts`, by] as const)),
);

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
    .filter((file) => !paths.has(file.path.replace(/\.ts$/, ".test.ts")) && !COVERED_ELSEWHERE.has(file.path))
    .map((file) => `${file.path}: ${file.logicLines} lines of logic`);
  assertNone(problems, "no x.test.ts beside x.ts, and not listed in COVERED:");
});

test("the list of sources covered elsewhere is true", () => {
  const paths = new Set(code.map((file) => file.path));
  const problems = [...COVERED_ELSEWHERE].flatMap(([source, covering]) => [
    ...(paths.has(source) ? [] : [`${source} does not exist`]),
    ...(existsSync(join(repositoryRoot, covering)) ? [] : [`${covering} does not exist`]),
    ...(existsSync(join(repositoryRoot, source.replace(/\.ts$/, ".test.ts")))
      ? [`${source} has a test of its own`]
      : []),
  ]);
  assertNone(problems, "in COVERED:");
});
