/** `zocalo call` and `zocalo events` on udp: addresses. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bytes, call, contract, event, RemoteError, serveStateless, typeOnly } from "../../src/protocol.ts";
import { bind } from "../../src/index.ts";
import { contractFile } from "./contracts.ts";
import { run, start } from "./program.ts";
import { FILE_TEXT as CHAT } from "./served-chat.ts";
import { gate } from "../fixtures/gate.ts";

const idempotent = { idempotent: true } as const;
const telemetry = contract("telemetry", "1.0.0", {
  server: {
    measured: event<{ celsius: number }>(),
    settings: call(undefined, typeOnly<{ everyMs: number }>(), idempotent),
    double: call(typeOnly<number>(), typeOnly<number>(), idempotent),
    fail: call(typeOnly<string>(), undefined, idempotent),
    dump: call(typeOnly<number>(), bytes, idempotent),
    wait: call(undefined, undefined, idempotent),
  },
});

const text = (version = "1.0.0"): string => `const idempotent = { idempotent: true };
export const telemetry = contract("telemetry", ${JSON.stringify(version)}, {
  server: {
    measured: event(typeOnly()), settings: call(undefined, typeOnly(), idempotent),
    double: call(typeOnly(), typeOnly(), idempotent), fail: call(typeOnly(), undefined, idempotent),
    dump: call(typeOnly(), bytes, idempotent), wait: call(undefined, undefined, idempotent),
  },
});`;

async function serveTelemetry(t: TestContext) {
  const measured: number[] = [];
  const { open: tell, opened: heard } = gate();
  const server = await serveStateless(telemetry, "udp://127.0.0.1:0", {
    handlers: {
      measured: ({ celsius }) => {
        measured.push(celsius);
        tell();
      },
      settings: () => ({ everyMs: 1000 }),
      double: (number) => 2 * number,
      fail(code) {
        throw new RemoteError(code, "it did not work", { data: { seats: 2 } });
      },
      dump: (size) => Buffer.alloc(size, 7),
      wait: (_nothing, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  return { server, address: String(server.localAddress), file: contractFile(t, text()), measured, heard };
}

test("calls are answered and events arrive over datagrams", async (t) => {
  const { address, file, measured, heard } = await serveTelemetry(t);
  const settings = await run(t, ["call", address, file, "settings"]);
  assert.deepEqual(settings, { code: 0, signal: null, stdout: '{"everyMs":1000}\n', stderr: "" });
  const double = await run(t, ["call", "-v", address, file, "double", "21"]);
  assert.equal(double.stdout, "42\n");
  assert.match(double.stderr, /^asking from udp:\/\/\S+, udp:\/\/127\.0\.0\.1:\d+$/m);
  const said = await run(t, ["call", address, file, "measured", '{"celsius":21.5}']);
  assert.deepEqual(said, { code: 0, signal: null, stdout: "", stderr: "" });
  await heard;
  assert.deepEqual(measured, [21.5]);
  const long = await run(t, ["call", address, file, "dump", "1000"]);
  assert.equal(long.stdout, `"${Buffer.alloc(1000, 7).toString("base64")}"\n`);
  const failed = await run(t, ["call", address, file, "fail", '"NO_ROOM"']);
  assert.deepEqual([failed.code, failed.stderr], [1, 'zocalo: NO_ROOM: it did not work {"seats":2}\n']);
});

test("nobody there, no answer, Ctrl-C", async (t) => {
  const { address, file } = await serveTelemetry(t);
  const late = await run(t, ["call", address, file, "wait", "--timeout", "300"]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^zocalo: TIMEOUT udp:\S+: no answer within 300 ms, though it was sent once; is the/);
  const gone = await bind("udp://127.0.0.1:0");
  await gone.close();
  const nobody = await run(t, ["call", String(gone.localAddress), file, "settings", "--timeout", "300"]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^zocalo: TIMEOUT udp:\S+: no answer within 300 ms, .*; nobody listens there/);
  const waiting = start(t, ["call", "-v", address, file, "wait"]);
  await waiting.tells(/^asking from/m);
  waiting.child.kill("SIGINT");
  assert.equal((await waiting.ended).signal, "SIGINT");
});

test("what a datagram cannot promise, and what is written wrong, is told before anything is sent", async (t) => {
  const { address, file, server } = await serveTelemetry(t);
  const write = 'export const c = contract("c", "1.0.0", { server: { set: call(), list: stream({ sends: bytes }) } });';
  const calls = contractFile(t, write);
  const streams = contractFile(t, write.replace("set: call(), ", ""));
  const chat = contractFile(t, CHAT);
  for (const [args, line, code] of [
    [["call", address, calls, "set"], /^zocalo: UNSUPPORTED.*: "set" is not idempotent, .* use a session/, 1],
    [["call", address, streams, "list"], /^zocalo: UNSUPPORTED.*: "list" is a stream/, 1],
    [["call", address, chat, "say", '"x"'], /^zocalo: UNSUPPORTED.*: the client offers "said"/, 1],
    [["events", address, chat], /^zocalo: UNSUPPORTED udp:\S+: over datagrams a server knows no clients/, 1],
    [["events", address, file], /^zocalo: UNSUPPORTED udp:\S+: over datagrams a server knows no clients/, 1],
    [["call", address, file, "double", "2", "--auth", "me.json"], /--auth needs a session/, 2],
    [["call", address, file, "double", "2", "--or", "tcp://a:1"], /--or needs a session/, 2],
    [["call", address, file, "double", "2", "--wait-for-server", "5"], /--wait-for-server needs a connection/, 2],
    [["call", address, file, "double", "2", "--insecure"], /--insecure needs a tls:\/\/ address/, 2],
    [["call", address, file, "measured", JSON.stringify("x".repeat(2000))], /^zocalo: DATAGRAM_TOO_LARGE/, 1],
    [["call", "udp://239.1.2.3:5000", file, "settings"], /^zocalo: ADDRESS_INVALID.*one server/, 2],
  ] as const) {
    const end = await run(t, args);
    assert.match(end.stderr, line);
    assert.deepEqual([end.code, end.stdout], [code, ""], end.stderr);
  }
  assert.equal(server.stats.calls + server.stats.events + server.stats.refused, 0);
  const other = await run(t, ["call", address, contractFile(t, text("1.1.0")), "settings"]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /^zocalo: VERSION_UNSUPPORTED udp:\S+: the server offers "telemetry 1\.0\.0"/);
});
