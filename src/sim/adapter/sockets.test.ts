import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, PORT } from "../../../test/sim/scene.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import { check } from "../world/check.ts";

test("connecting: refused, unreachable, blackholed", async () => {
  await check({ seed: 1 }, async (world) => {
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

test("a name has addresses of both families; what a simulated host has not is refused", async () => {
  await check({ seed: 1 }, async (world) => {
    const { network } = world.host("a", undefined, { names: ["Alias.Example"] });
    assert.deepEqual(await network.sockets.resolve("alias.example", 4), ["192.0.2.1"]);
    assert.deepEqual(await network.sockets.resolve("localhost", 6), ["::1"]);
    assert.equal(await codeOf(connectOver(network, "unix:/run/x.sock")), "UNSUPPORTED");
    assert.equal(await codeOf(listenOver(network, "tcp://0.0.0.0:1", { fd: 3 })), "UNSUPPORTED");
    assert.equal(await codeOf(listenOver(network, "tcp://192.0.2.9:1")), "ADDRESS_NOT_AVAILABLE");
    const reason = new Error("enough");
    const controller = new AbortController();
    const attempt = connectOver(network, "tcp://192.0.2.77:1", { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(attempt, reason);
  });
});

test("a listener tells its port and its callers, of both families, and refuses after close", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const listener = await listenOver(b.network, "tcp://[::]:0");
    const { port } = listener.localAddress;
    assert.notEqual(port, 0);
    for (const target of ["192.0.2.2", "[2001:db8::2]"]) {
      const [call, peer] = await Promise.all([connectOver(a.network, `tcp://${target}:${port}`), listener.accept()]);
      assert.equal(peer.remoteAddress.toString(), call.localAddress.toString());
      assert.equal(peer.localAddress.toString(), call.remoteAddress.toString());
    }
    await listener.close();
    assert.equal(await codeOf(connectOver(a.network, `tcp://192.0.2.2:${port}`)), "CONNECTION_REFUSED");
  });
});

test("a caller that has reset before it was accepted is seen as reset", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const listener = await listenOver(b.network, `tcp://0.0.0.0:${PORT}`);
    b.pause();
    const call = await connectOver(a.network, `tcp://192.0.2.2:${PORT}`);
    call.abort();
    await world.sleep(10);
    b.resume();
    const peer = await listener.accept();
    assert.equal(await codeOf(peer.read()), "CONNECTION_RESET");
  });
});
