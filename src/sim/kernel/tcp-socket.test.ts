import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomStream } from "../../core/faults/random-stream.ts";
import type { KernelEnvironment, KernelTimer, Packet } from "./packet.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { DEFAULT_TCP } from "./tcp-settings.ts";
import { TcpSocket } from "./tcp-socket.ts";

/** A kernel that keeps what is sent, and a timer that the test looks at. */
class Bench {
  nowUs = 0;
  readonly sent: Packet[] = [];
  readonly forgotten: TcpSocket[] = [];
  dueUs: number | undefined;
  onTimer = (): void => assert.fail("no timer");

  open(ip: string): TcpSocket {
    const timer: KernelTimer = {
      set: (atUs) => void (this.dueUs = atUs),
      cancel: () => void (this.dueUs = undefined),
    };
    const environment: KernelEnvironment = {
      random: new RandomStream(1, "test"),
      addresses: [],
      nowUs: () => this.nowUs,
      at: () => assert.fail("only timers"),
      timer: (_flow, action) => {
        this.onTimer = action;
        return timer;
      },
      newFlow: () => 7,
      send: (packet, flow) => {
        assert.equal(flow, 7);
        this.sent.push(packet);
      },
      mtuTo: () => 1500,
      noWayTo: () => undefined,
    };
    const forget = (socket: TcpSocket): void => void this.forgotten.push(socket);
    const [local, remote] = [
      { ip, port: 5 },
      { ip, port: 6 },
    ];
    return new TcpSocket(environment, local, remote, forget, (needs, mss) =>
      TcpConnection.open(DEFAULT_TCP, needs, 100, mss),
    );
  }
}

test("the first segment says how much fits beside the headers of its family, and is repeated by the timer", () => {
  for (const [ip, mss] of [
    ["192.0.2.1", 1460],
    ["2001:db8::1", 1440],
  ] as const) {
    const bench = new Bench();
    const socket = bench.open(ip);
    const [first] = bench.sent;
    assert.ok(first?.kind === "tcp" && first.segment.syn && first.segment.mss === mss);
    assert.deepEqual([first.route.from, first.route.to], [socket.local, socket.remote]);
    assert.equal(bench.dueUs, 1_000_000);
    bench.nowUs = 1_000_000;
    bench.onTimer();
    assert.equal(bench.sent.length, 2);
    assert.equal(bench.dueUs, 3_000_000);
  }
});

test("a connection that is over is forgotten once, and its timer ends; a halt says nothing", () => {
  const bench = new Bench();
  const socket = bench.open("192.0.2.1");
  socket.connection.abort();
  socket.rearm();
  assert.deepEqual(bench.forgotten, [socket]);
  assert.equal(bench.dueUs, undefined);
  const other = new Bench();
  const halted = other.open("192.0.2.1");
  const told = (): void => assert.fail("a halt says nothing");
  halted.connection.user = { connected: told, readable: told, writable: told, failed: told };
  halted.halt();
  assert.equal(halted.connection.user, undefined);
  assert.equal(other.dueUs, undefined);
  assert.deepEqual([other.forgotten.length, other.sent.length], [0, 1]);
});
