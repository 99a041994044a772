import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ZocaloError } from "../../core/errors.ts";
import { bindOver } from "../../io/bind.ts";
import { connectOver } from "../../io/connect.ts";
import { listenOver } from "../../io/listen.ts";
import type { Network } from "../../io/network.ts";
import { serveOver } from "../../io/serve.ts";
import type { StreamSocket } from "../../io/stream-socket.ts";
import { check } from "./check.ts";
import type { SimHost } from "./host.ts";
import { simulate } from "./simulate.ts";
import type { World } from "./world-contract.ts";

const PORT = "7000";

/** An echo server on a host. */
async function echo(network: Network): Promise<void> {
  const handler = async (peer: StreamSocket): Promise<void> => {
    for await (const bytes of peer) await peer.write(bytes);
  };
  await serveOver(network, `tcp://0.0.0.0:${PORT}`, handler);
}

/** Two hosts and a connection between them. */
async function joined(world: World): Promise<{ a: SimHost; b: SimHost; call: StreamSocket; peer: StreamSocket }> {
  const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
  const door = await listenOver(b.network, `tcp://0.0.0.0:${PORT}`);
  const [call, peer] = await Promise.all([connectOver(a.network, `tcp://b:${PORT}`), door.accept()]);
  return { a, b, call, peer };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    (error: unknown) => (error as ZocaloError).code,
  );

test("an exchange takes the time of its round trips, and the same seed gives the same run", async () => {
  const main = async (world: World): Promise<string> => {
    world.host("server", echo);
    const { network } = world.host("client");
    const call = await connectOver(network, `tcp://server:${PORT}`);
    await call.write("hola");
    return String(await call.readExactly(4));
  };
  const first = await check({ seed: 5, link: { latency: 10 } }, main);
  assert.equal(first.value, "hola");
  // The look-up takes 1 ms; IPv6 is refused, IPv4 connects, and the exchange: a round trip of 20 ms each.
  assert.equal(first.durationMs, 61);
  assert.equal((await simulate({ seed: 5, link: { latency: 10 } }, main)).digest, first.digest);
  assert.notEqual((await simulate({ seed: 6, link: { latency: 10 } }, main)).digest, first.digest);
});

test("check stops at the first difference and shows both sides", async () => {
  let runs = 0;
  const main = async (world: World): Promise<void> => {
    runs += 1;
    const call = (await joined(world)).call;
    await call.write(`run ${runs}`);
    await world.sleep(60_000);
    assert.equal(runs, 1, "the second run was to stop before");
  };
  await assert.rejects(check({ seed: 1 }, main), (error: ZocaloError) => {
    assert.equal(error.code, "SIM_DIVERGED");
    assert.match(error.detail, /first run: .*"event":"send .*\nsecond run: .*"event":"send /);
    return true;
  });
});

test("connecting: refused, unreachable, blackholed", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { network } = world.host("a");
    const silent = world.host("b");
    const attempt = (target: string): Promise<string> =>
      codeOf(connectOver(network, target, { timeoutMs: Number.POSITIVE_INFINITY }));
    assert.equal(await attempt("tcp://b:9"), "CONNECTION_REFUSED");
    assert.equal(await attempt("tcp://192.0.2.77:9"), "HOST_UNREACHABLE");
    assert.equal(await attempt("tcp://10.0.0.1:9"), "NETWORK_UNREACHABLE");
    assert.equal(await attempt("tcp://nobody:9"), "NAME_NOT_FOUND");
    world.name("nobody", "NAME_LOOKUP_FAILED");
    assert.equal(await attempt("tcp://nobody:9"), "NAME_LOOKUP_FAILED");
    silent.crash();
    const before = world.now;
    assert.equal(await attempt("tcp://192.0.2.2:9"), "CONNECTION_TIMED_OUT");
    // Seven SYNs: 1 + 2 + 4 + ... + 64 seconds.
    assert.equal(world.now - before, 127_000);
  });
});

test("a partition is silence, a heal shows late, and no byte is lost", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { a, b, call, peer } = await joined(world);
    {
      using cut = world.partition(a, b);
      await call.write("late");
      assert.equal(await codeOf(peer.read({ timeoutMs: 10_000 })), "TIMEOUT");
      cut.heal();
    }
    const healedAt = world.now;
    assert.equal(String(await peer.readExactly(4)), "late");
    assert.ok(world.now - healedAt < 13_000, `${world.now - healedAt} ms`);
  });
});

test("a partition that lasts ends with CONNECTION_TIMED_OUT at the sender", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { a, b, call } = await joined(world);
    world.partitionOneWay(b, a);
    await call.write("anybody?");
    const before = world.now;
    assert.equal((await call.closed).how, "timeout");
    // Fifteen repetitions with a smallest time-out of 200 ms, as Linux documents it for tcp_retries2.
    const minutes = (world.now - before) / 60_000;
    assert.ok(minutes > 13 && minutes < 17, `${minutes} minutes`);
  });
});

test("data that arrived stays readable, then the reset is seen", async () => {
  await simulate({ seed: 1, cutReads: false }, async (world) => {
    const { call, peer } = await joined(world);
    await call.write("last words");
    await world.sleep(10);
    call.abort();
    await world.sleep(10);
    assert.equal(String(await peer.readExactly(10)), "last words");
    assert.equal(await codeOf(peer.read()), "CONNECTION_RESET");
  });
});

test("a crash is silence; after the restart the old connection gets a reset; zombies do nothing", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const log: string[] = [];
    const server = world.host("server", async (network, disk) => {
      const starts = (disk.read("starts")?.[0] ?? 0) + 1;
      disk.write("starts", Buffer.from([starts]));
      log.push(`start ${starts}`);
      const door = await listenOver(network, `tcp://0.0.0.0:${PORT}`);
      try {
        const peer = await door.accept();
        await peer.read();
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, 3_600_000));
      } finally {
        log.push(`finally ${starts}`);
      }
    });
    const { network } = world.host("client");
    const call = await connectOver(network, `tcp://server:${PORT}`);
    const old = server.network;
    server.crash();
    await call.write("into the dark");
    assert.equal(await codeOf(call.read({ timeoutMs: 5_000 })), "TIMEOUT");
    server.restart();
    assert.equal(await codeOf(call.read()), "CONNECTION_RESET");
    // The network of the former life answers nothing any more.
    void old.sockets.resolve("client", 4).then(() => log.push("zombie"));
    await world.sleep(10_000);
    assert.deepEqual(log, ["start 1", "start 2"]);
    assert.equal(server.zombieCalls > 0, true);
  });
});

test("a paused program still acknowledges, a frozen machine does not", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { b, call, peer } = await joined(world);
    b.pause();
    await call.write("x");
    await world.sleep(1000);
    assert.equal(b.snapshot().sockets[0]?.connection.readableBytes, 1);
    b.resume();
    assert.equal(String(await peer.read()), "x");
    b.freeze();
    await call.write("y");
    await world.sleep(1000);
    assert.equal(b.snapshot().sockets[0]?.connection.readableBytes, 0);
    b.thaw();
    assert.equal(String(await peer.read()), "y");
  });
});

test("a slow reader stops the writer with a zero window; keepalive finds a peer that vanished", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const { b, call, peer } = await joined(world);
    b.pause();
    assert.equal(await codeOf(call.write(Buffer.alloc(4_000_000), { timeoutMs: 30_000 })), "TIMEOUT");
    b.resume();
    assert.equal((await peer.readExactly(4_000_000)).length, 4_000_000);
    call.setKeepAlive(true, 60_000);
    const before = world.now;
    b.crash();
    assert.equal((await call.closed).how, "timeout");
    assert.ok(world.now - before < 60_000 + 10 * 75_000);
  });
});

test("clocks may differ, and time is the world's", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const late = world.host("late", undefined, { skewMs: -5000 });
    assert.equal(late.network.clock.now(), -5000);
    await new Promise<void>((resolve) => void late.network.clock.setTimer(resolve, 1500));
    assert.equal(world.now, 1500);
    let happened = 0;
    world.at(2000, () => (happened = world.now));
    await world.sleep(1000);
    assert.equal(happened, 2000);
  });
});

test("datagrams: fragments, unreachable ports on connected mailboxes only, overflow, groups between hosts", async () => {
  await simulate({ seed: 1, link: { loss: 0.2 } }, async (world) => {
    const [a, b, c] = [world.host("a"), world.host("b"), world.host("c")];
    const box = await bindOver(b.network, "udp://0.0.0.0:5000", { receiveQueueDatagrams: 10_000 });
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    for (let count = 0; count < 200; count += 1) await sender.send(Buffer.alloc(1000), "udp://b:5000");
    await world.sleep(100);
    const small = box.stats.datagramsReceived;
    for (let count = 0; count < 200; count += 1) {
      await sender.send(Buffer.alloc(8000), "udp://b:5000");
      await world.sleep(1);
    }
    const large = box.stats.datagramsReceived - small;
    assert.ok(small > 140 && small < 180, String(small));
    // Six fragments: 0.8^6 = 0.26.
    assert.ok(large > 30 && large < 80, String(large));
    world.link(a, b, { loss: 0 });
    world.link(a, c, { loss: 0 });
    await sender.send("to nobody", "udp://b:9");
    await world.sleep(10);
    await sender.send("no error", "udp://b:9");
    const connected = await bindOver(a.network, "udp://0.0.0.0:0", { remote: "udp://b:9" });
    await connected.send("to nobody");
    assert.equal(await codeOf(connected.receive()), "CONNECTION_REFUSED");
    const group = "udp://233.252.0.1:6000";
    const members = [await bindOver(b.network, group), await bindOver(c.network, group)];
    await sender.send("all", group);
    for (const member of members) assert.equal(String((await member.receive()).data), "all");
  });
});

test("leaks fail the run even when they are caught; real files freeze the time", async () => {
  const leaking = async (world: World): Promise<void> => {
    try {
      Math.random();
    } catch {
      await world.sleep(1);
    }
  };
  await assert.rejects(simulate({}, leaking), { code: "SIM_CLOCK_LEAK" });
  const inHost = async (world: World): Promise<void> => {
    world.host("a", async () => void (await fetch("http://127.0.0.1:9/").catch(() => undefined)));
    await world.sleep(1);
  };
  await assert.rejects(simulate({}, inHost), { code: "SIM_LEAK", local: "a" });
  const lines: string[] = [];
  const reading = async (world: World): Promise<void> => {
    await fs.promises.readFile(fileURLToPath(import.meta.url));
    assert.equal(world.now, 0);
  };
  await simulate({ trace: (line) => void lines.push(line) }, reading);
  assert.ok(lines.some((line) => line.includes('"frozen"')));
});

test("runs that have no end of their own get one, with a report", async () => {
  const stuck = async (world: World): Promise<void> => {
    const { call } = await joined(world);
    await call.read();
  };
  await assert.rejects(simulate({ seed: 9 }, stuck), (error: ZocaloError) => {
    assert.equal(error.code, "SIM_DEADLOCK");
    assert.match(error.detail, /a: tcp 192\.0\.2\.1:\d+>192\.0\.2\.2:7000 ESTABLISHED, 0 unread/);
    assert.match(error.detail, /seed 9/);
    return true;
  });
  const spin = async (world: World): Promise<void> => {
    for (;;) await new Promise<void>((resolve) => world.clock.defer(resolve));
  };
  await assert.rejects(simulate({ livelockEvents: 1000 }, spin), { code: "SIM_LIVELOCK" });
  const tick = async (world: World): Promise<void> => {
    for (;;) await world.sleep(1000);
  };
  await assert.rejects(simulate({ limitMs: 10_000 }, tick), { code: "TIMEOUT" });
});

test("errors of programs end the run; hosts have documentation addresses and names of their own", async () => {
  const failing = async (world: World): Promise<void> => {
    world.host("a", () => {
      throw new Error("of the program");
    });
    await world.sleep(1);
  };
  await assert.rejects(simulate({}, failing), { message: "of the program" });
  await simulate({}, async (world) => {
    assert.deepEqual(world.host("a").addresses, ["192.0.2.1", "2001:db8::1"]);
    assert.throws(() => world.host("a"), { code: "OPTION_INVALID" });
    assert.throws(() => world.host("b", undefined, { addresses: ["10.0.0.1"] }), { code: "ADDRESS_INVALID" });
    assert.throws(() => world.host("b", undefined, { addresses: ["192.0.2.1"] }), { code: "ADDRESS_INVALID" });
    assert.throws(() => world.partition("a", "nobody"), { code: "OPTION_INVALID" });
  });
});

test("groups, rings and single hosts can be cut off", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const names = ["a", "b", "c", "d"];
    for (const name of names) world.host(name, echo);
    const reached = async (): Promise<string> => {
      const pairs: string[] = [];
      for (const from of world.hosts) {
        for (const to of names.filter((name) => name !== from.name)) {
          const attempt = connectOver(from.network, `tcp://${to}:${PORT}`, { timeoutMs: 100 });
          if ((await codeOf(attempt)) === "none") pairs.push(from.name + to);
        }
      }
      return pairs.join(" ");
    };
    const halves = world.partitionGroups(["a", "b"], ["c", "d"]);
    assert.equal(await reached(), "ab ba cd dc");
    halves.heal();
    halves.heal();
    const bridge = world.partitionGroups(["a", "b", "c"], ["c", "d"]);
    assert.equal(await reached(), "ab ac ba bc ca cb cd dc");
    bridge.heal();
    const ring = world.ring(...names);
    assert.equal(await reached(), "ab ad ba bc cb cd da dc");
    ring.heal();
    using alone = world.isolate("d");
    assert.equal(await reached(), "ab ac ba bc ca cb");
    alone.heal();
  });
});
