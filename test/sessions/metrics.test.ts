import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, connect, serve, serveDatagrams } from "../../src/index.ts";
import { call, contract, event, RemoteError, stream, typeOnly } from "../../src/protocol.ts";
import { atEnd, connectSession, connectStateless, serveSessions, serveStateless } from "./opened.ts";
import { readOpenMetrics } from "../fixtures/open-metrics.ts";
import { gate } from "../fixtures/gate.ts";

/* `server.metrics()` of every kind of server: OpenMetrics that a strict reader takes, and the right figures. */

const desk = contract("desk", "1.2.0", {
  server: {
    add: call(typeOnly<number[]>(), typeOnly<number>(), { idempotent: true }),
    fail: call(typeOnly<string>(), undefined, { idempotent: true }),
    slow: call(undefined, undefined, { idempotent: true }),
    tell: event<string>(),
    count: stream({ request: typeOnly<number>(), sends: typeOnly<number>() }),
  },
});

async function startDesk(metrics?: boolean) {
  const { open: go, opened: gone } = gate();
  const { open: hear, opened: heard } = gate();
  const server = await serveSessions(desk, "tcp://127.0.0.1:0", {
    ...(metrics === undefined ? {} : { metrics }),
    handlers: {
      add: (numbers) => numbers.reduce((sum, one) => sum + one, 0),
      fail(code) {
        throw code === "" ? new Error("a mistake") : new RemoteError(code);
      },
      slow: () => gone,
      tell: () => hear(),
      count: (to) => Array.from({ length: to }, (_, index) => index),
    },
  });
  const session = await connectSession(desk, server.localAddress);
  return { server, session, go, heard };
}

test("a server of sessions counts sessions, connections, bytes, and with metrics: true its calls", async () => {
  const { server, session, go, heard } = await startDesk(true);
  for (let left = 3; left > 0; left -= 1) await session.remote.add([1, 2]);
  await assert.rejects(session.remote.fail("ROOM_FULL"));
  await assert.rejects(session.remote.fail(""));
  await session.remote.tell("hola");
  await heard;
  const items: number[] = [];
  for await (const item of session.remote.count(3)) items.push(item);
  await assert.rejects(session.remote.add("no numbers" as never));
  const slow = session.remote.slow();
  await session.remote.add([]);
  const figures = readOpenMetrics(await server.metrics());
  const expected = {
    'zocalo_server_info{contract="desk",version="1.2.0"}': 1,
    zocalo_connections: 1,
    zocalo_connections_accepted_total: 1,
    'zocalo_connections_refused_total{reason="max-connections"}': 0,
    'zocalo_sessions{state="open"}': 1,
    'zocalo_sessions{state="detached"}': 0,
    zocalo_sessions_opened_total: 1,
    zocalo_sessions_resumed_total: 0,
    zocalo_events_dropped_total: 0,
    'zocalo_calls_total{method="add",kind="call",code="OK"}': 4,
    'zocalo_calls_total{method="add",kind="call",code="INTERNAL"}': 1,
    'zocalo_calls_total{method="fail",kind="call",code="ROOM_FULL"}': 1,
    'zocalo_calls_total{method="fail",kind="call",code="INTERNAL"}': 1,
    'zocalo_calls_total{method="tell",kind="event",code="OK"}': 1,
    'zocalo_calls_total{method="count",kind="stream",code="OK"}': 1,
    'zocalo_calls_running{method="slow",kind="call"}': 1,
    'zocalo_calls_running{method="add",kind="call"}': 0,
    'zocalo_call_duration_seconds_count{method="add"}': 5,
    'zocalo_call_duration_seconds_bucket{method="slow",le="+Inf"}': 0,
    zocalo_invalid_messages_total: 0,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, figures.get(key)])), expected);
  assert.equal(figures.has('zocalo_call_duration_seconds_count{method="tell"}'), false, "events have no duration");
  const [{ localAddress } = { localAddress: undefined }] = server.sessions.values();
  assert.ok(localAddress !== undefined);
  assert.ok((figures.get("zocalo_received_bytes_total") ?? 0) > 100);
  assert.ok((figures.get("zocalo_sent_bytes_total") ?? 0) > 100);
  go();
  await slow;
});

test("without metrics: true there are no figures of calls, and the rest is there", async () => {
  const { server, session } = await startDesk();
  await session.remote.add([1]);
  const figures = readOpenMetrics(await server.metrics());
  assert.equal(figures.get("zocalo_sessions_opened_total"), 1);
  assert.deepEqual(
    [...figures.keys()].filter((key) => key.startsWith("zocalo_call")),
    [],
  );
});

test("counters never go down: what sessions and connections that are over have counted stays", async () => {
  const { server, session } = await startDesk(true);
  await session.remote.add([1, 2, 3]);
  const before = readOpenMetrics(await server.metrics());
  await session.close();
  const other = await connectSession(desk, server.localAddress);
  await other.remote.add([1]);
  other.abort();
  const after = readOpenMetrics(await server.metrics());
  for (const [key, value] of before) {
    if (!/_total|_count|_bucket/.test(key)) continue;
    assert.ok((after.get(key) ?? 0) >= value, `${key} was ${value} and is ${after.get(key)}`);
  }
  assert.equal(after.get("zocalo_sessions_opened_total"), 2);
});

test("a program that makes codes up fills no memory", async () => {
  const { server, session } = await startDesk(true);
  for (let number = 0; number < 40; number += 1) await assert.rejects(session.remote.fail(`CODE_${number}`));
  const figures = readOpenMetrics(await server.metrics());
  const codes = [...figures.keys()].filter((key) => key.startsWith('zocalo_calls_total{method="fail"'));
  assert.equal(codes.length, 33);
  assert.equal(figures.get('zocalo_calls_total{method="fail",kind="call",code="OTHER"}'), 8);
});

test("the names of a contract and of codes are escaped", async () => {
  const { server, session } = await startDesk(true);
  await assert.rejects(session.remote.fail('A"\\\nB'));
  const figures = readOpenMetrics(await server.metrics());
  assert.equal(figures.get('zocalo_calls_total{method="fail",kind="call",code="A\\"\\\\\\nB"}'), 1);
});

test("a server of connections counts those, and bytes of open and closed ones", async () => {
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    for (let text = await peer.read(); text !== null; text = await peer.read()) await peer.write(text);
  });
  atEnd(() => server.close({ timeoutMs: 0 }));
  const first = await connect(server.localAddress);
  await first.write("hola");
  await first.readExactly(4);
  const open = readOpenMetrics(await server.metrics());
  assert.equal(open.get("zocalo_connections"), 1);
  assert.equal(open.get("zocalo_received_bytes_total"), 4);
  assert.equal(open.get("zocalo_sent_bytes_total"), 4);
  await first.close();
  await server.close();
  const closed = readOpenMetrics(await server.metrics());
  assert.equal(closed.get("zocalo_connections"), 0);
  assert.equal(closed.get("zocalo_connections_accepted_total"), 1);
  assert.equal(closed.get("zocalo_received_bytes_total"), 4);
});

test("a server of datagrams counts those, and what was dropped by whom", async () => {
  const server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data);
  atEnd(() => server.close({ timeoutMs: 0 }));
  const box = await bind("udp://127.0.0.1:0");
  atEnd(() => box.close());
  await box.send("hola", server.localAddress);
  await box.receive();
  const figures = readOpenMetrics(await server.metrics());
  assert.equal(figures.get("zocalo_datagrams_received_total"), 1);
  assert.equal(figures.get("zocalo_received_bytes_total"), 4);
  assert.equal(figures.get("zocalo_datagrams_sent_total"), 1);
  assert.equal(figures.get('zocalo_datagrams_dropped_total{by="queue"}'), 0);
  assert.equal(
    figures.get('zocalo_datagrams_dropped_total{by="kernel"}'),
    process.platform === "linux" ? 0 : undefined,
  );
  await server.close();
  assert.equal(readOpenMetrics(await server.metrics()).get("zocalo_datagrams_received_total"), 1);
});

test("a server of a contract over datagrams counts its calls as one of sessions does", async () => {
  const sums = contract("sums", "1.0.0", {
    server: { add: call(typeOnly<number[]>(), typeOnly<number>(), { idempotent: true }), tell: event<string>() },
  });
  const server = await serveStateless(sums, "udp://127.0.0.1:0", {
    metrics: true,
    handlers: { add: (numbers) => numbers.length, tell: () => undefined },
  });
  const client = await connectStateless(sums, server.localAddress);
  await client.remote.add([1, 2]);
  const figures = readOpenMetrics(await server.metrics());
  assert.equal(figures.get('zocalo_server_info{contract="sums",version="1.0.0"}'), 1);
  assert.equal(figures.get('zocalo_calls_total{method="add",kind="call",code="OK"}'), 1);
  assert.equal(figures.get('zocalo_call_duration_seconds_bucket{method="add",le="+Inf"}'), 1);
  assert.equal(figures.get("zocalo_invalid_datagrams_total"), 0);
});
