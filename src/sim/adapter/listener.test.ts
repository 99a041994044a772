import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, PORT } from "../../../test/sim/scene.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import { check } from "../world/check.ts";

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
