import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SACKS } from "./packet.ts";
import { TcpSender } from "./tcp-sender.ts";
import { DEFAULT_TCP } from "./tcp-settings.ts";

/** A sender whose SYN was acknowledged; `sent` takes what it has sent. */
function sender(): { sent: () => readonly string[]; tcp: TcpSender } {
  const tcp = new TcpSender(0, DEFAULT_TCP);
  const sent = (): readonly string[] =>
    tcp.output().map(({ seq, data, syn, fin }) => `${seq}${syn ? "S" : ""}${fin ? "F" : ""}+${data.length}`);
  tcp.mss = 10;
  tcp.synchronize(0);
  assert.deepEqual(sent(), ["0S+0"]);
  tcp.acknowledged(1, 100, NO_SACKS, 100_000);
  return { sent, tcp };
}

test("segments of one maximum size, a FIN behind them, everything acknowledged", () => {
  const { sent, tcp } = sender();
  tcp.write(Buffer.alloc(25));
  tcp.finish();
  tcp.fill(0);
  assert.deepEqual(sent(), ["1+10", "11+10", "21+5", "26F+0"]);
  tcp.acknowledged(27, 100, NO_SACKS, 200_000);
  assert.equal(tcp.finished, true);
  assert.equal(tcp.deadlineUs, Number.POSITIVE_INFINITY);
});

test("the time-out doubles each time, and the end is known", () => {
  const { sent, tcp } = sender();
  tcp.write(Buffer.alloc(5));
  tcp.fill(1_000_000);
  const dueUs: number[] = [];
  while (tcp.onDeadline(tcp.deadlineUs, 3)) dueUs.push(tcp.deadlineUs);
  // The round trip of 100 ms, and four times its deviation of 50 ms.
  assert.deepEqual(dueUs, [1_900_000, 3_100_000, 5_500_000]);
  assert.deepEqual(sent(), ["1+5", "1+5", "1+5", "1+5"]);
});

test("three later segments that arrived repeat a lost one at once, and only once", () => {
  const { sent, tcp } = sender();
  tcp.write(Buffer.alloc(50));
  tcp.fill(0);
  tcp.acknowledged(1, 100, [[11, 31]], 1000);
  assert.equal(sent().length, 5);
  tcp.acknowledged(1, 100, [[11, 41]], 2000);
  tcp.acknowledged(1, 100, [[11, 51]], 3000);
  assert.deepEqual(sent(), ["1+10"]);
});

test("a closed window is asked for, with longer and longer pauses", () => {
  const { sent, tcp } = sender();
  tcp.write(Buffer.alloc(150));
  tcp.fill(0);
  tcp.acknowledged(101, 0, NO_SACKS, 1000);
  tcp.fill(1000);
  const first = tcp.deadlineUs;
  sent();
  tcp.onDeadline(first, 15);
  assert.deepEqual(sent(), ["100+0"]);
  assert.ok(tcp.deadlineUs - first > first - 1000);
  tcp.acknowledged(101, 50, NO_SACKS, first + 1);
  tcp.fill(first + 1);
  assert.equal(tcp.next, 151);
});
