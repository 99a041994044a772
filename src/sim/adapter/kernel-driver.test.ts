import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomStream } from "../../core/faults/random-stream.ts";
import type { Scope } from "../guard/scope.ts";
import { type Packet, resetFor, Route } from "../kernel/packet.ts";
import { DEFAULT_TCP } from "../kernel/tcp-settings.ts";
import { Scheduler } from "../time/scheduler.ts";
import { KernelDriver } from "./kernel-driver.ts";
import { Process } from "./process.ts";

/** A kernel that keeps what is sent, in a world without a network. */
class Bench {
  readonly sent: Packet[] = [];
  readonly #scheduler: Scheduler;
  readonly kernel: KernelDriver;
  #until = 0;

  constructor() {
    const limits = { livelockEvents: 1000, limitUs: Number.MAX_SAFE_INTEGER, permutation: undefined };
    const unexpected = (): never => assert.fail("the world ended by itself");
    const watch = { deadlock: unexpected, livelock: unexpected, tooLong: unexpected, frozen: unexpected };
    const work = { pending: () => [], takeDone: () => [], whenDone: unexpected };
    this.#scheduler = new Scheduler(limits, work as never, watch);
    const random = new RandomStream(1, "test");
    const process = new Process(this.#scheduler, {} as Scope, random);
    const machine = {
      random,
      addresses: ["192.0.2.1", "2001:db8::1"],
      mtuTo: () => 1500,
      noWayTo: () => undefined,
      newFlow: () => 7,
    };
    this.kernel = new KernelDriver(process, machine, DEFAULT_TCP, undefined, (packet) => void this.sent.push(packet));
  }

  /** Lets everything happen up to a moment, which is kept busy by an event of its own. */
  readonly runTo = (atUs: number): Promise<void> => {
    this.#scheduler.at(atUs, 0, () => (this.#until = atUs));
    return this.#scheduler.run(() => this.#until >= atUs);
  };
}

test("the first segment says how much fits beside the headers of its family, and is repeated by the timer", async () => {
  for (const [ip, mss] of [
    ["192.0.2.2", 1460],
    ["2001:db8::2", 1440],
  ] as const) {
    const { kernel, sent, runTo } = new Bench();
    const socket = kernel.connect(undefined, { ip, port: 6 });
    const [first] = sent;
    assert.ok(first?.kind === "tcp" && first.segment.syn && first.segment.mss === mss);
    assert.equal(first.route, socket.route);
    await runTo(1_000_001);
    assert.equal(sent.length, 2);
    await runTo(2_999_999);
    assert.equal(sent.length, 2);
    await runTo(3_000_001);
    assert.equal(sent.length, 3);
  }
});

test("a connection that is over is forgotten, and its timer ends; what comes behind it is answered", async () => {
  const { kernel, sent, runTo } = new Bench();
  const call = kernel.connect(undefined, { ip: "192.0.2.2", port: 6 });
  const told: unknown[] = [];
  kernel.users.set(call, (notice) => void told.push(notice, call.connection.failure));
  const [syn] = sent;
  assert.ok(syn?.kind === "tcp");
  const route = new Route("tcp", syn.route.to, syn.route.from);
  kernel.arrive({ kind: "tcp", route, segment: resetFor(syn.segment) });
  assert.deepEqual(told, ["failed", "refused"]);
  assert.deepEqual(kernel.tcp.sockets, []);
  await runTo(200_000_000);
  assert.equal(sent.length, 1);
  kernel.arrive({ ...syn, route });
  assert.ok(sent[1]?.kind === "tcp" && sent[1].segment.rst);
});

test("a halt says nothing, and nothing happens behind it", async () => {
  const { kernel, sent, runTo } = new Bench();
  const call = kernel.connect(undefined, { ip: "192.0.2.2", port: 6 });
  kernel.users.set(call, () => assert.fail("a halt says nothing"));
  kernel.halt();
  await runTo(200_000_000);
  assert.deepEqual([sent.length, kernel.tcp.sockets.length], [1, 0]);
});
