import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { ZocaloError } from "../../core/errors.ts";
import { assertError, expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { bindOver } from "./bind.ts";
import type { DatagramSocket } from "./public.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

async function opened(transport: ManualDatagrams): Promise<DatagramSocket> {
  return await bindOver(manualNetwork(clock, [transport]), "udp://127.0.0.1:0", { remote: transport.remoteAddress });
}

test("errors that nobody knows are wrapped, and errors name both ends", async () => {
  const box = await opened(new ManualDatagrams({ remote: "udp://127.0.0.1:2000" }));
  (box as unknown as { transport: ManualDatagrams }).transport.fail(new Error("strange"));
  const error = await expectError(box.receive(), {
    code: "SYSTEM_ERROR",
    op: "receive",
    remote: "udp://127.0.0.1:2000",
  });
  assert.equal((error.cause as Error).message, "strange");
});

test("its life is published", async () => {
  const events: unknown[] = [];
  const listener = (message: unknown, channel: string | symbol): void => void events.push([String(channel), message]);
  for (const name of ["zocalo:open", "zocalo:close"]) subscribe(name, listener);
  const names = { kind: "datagram", local: "udp://127.0.0.1:1000", remote: undefined };
  const box = await opened(new ManualDatagrams());
  await box.close();
  const lost = new ManualDatagrams();
  const other = await opened(lost);
  const ended = other.closed;
  lost.fail(new ZocaloError("CLOSED", { op: "receive" }), true);
  const { error } = await ended;
  assertError(other.signal.reason, { code: "CLOSED" });
  for (const name of ["zocalo:open", "zocalo:close"]) unsubscribe(name, listener);
  assert.deepEqual(events, [
    ["zocalo:open", names],
    ["zocalo:close", { ...names, how: "closed", error: undefined }],
    ["zocalo:open", names],
    ["zocalo:close", { ...names, how: "failed", error }],
  ]);
});

test("signal and closed can be asked for before and after the end", async () => {
  const box = await opened(new ManualDatagrams());
  const { signal, closed } = box;
  assert.equal(box.signal, signal);
  assert.equal(box.closed, closed);
  await box.close();
  assert.deepEqual(await closed, { how: "closed" });
  assert.equal(signal.aborted, true);
  const other = await opened(new ManualDatagrams());
  await other.close();
  assert.deepEqual(await other.closed, { how: "closed" });
  assert.equal(other.signal.aborted, true);
});

test("abort drops what waits, at once, also while it is being closed", async () => {
  for (const closing of [false, true]) {
    const transport = new ManualDatagrams();
    const box = await opened(transport);
    const sent = expectError(box.send("waits", "udp://127.0.0.1:2000"), { code: "CONNECTION_ABORTED", op: "send" });
    const received = closing ? undefined : expectError(box.receive(), { code: "CONNECTION_ABORTED" });
    const closed = closing ? box.close() : undefined;
    const reason = new Error("enough");
    box.abort(reason);
    await Promise.all([sent, received, closed]);
    const { how, error } = await box.closed;
    assert.deepEqual([how, error?.code, error?.cause], ["aborted", "CONNECTION_ABORTED", reason]);
    box.abort();
    assert.equal((await box.closed).error, error);
  }
});
