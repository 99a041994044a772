/** The client library of Toxiproxy for Node, unchanged, through every method that it has. */

import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { Toxiproxy, ToxiproxyError } from "toxiproxy-node-client";
import { serve, type Server } from "../../src/index.ts";
import { type FaultProxies, type ServedApi, serveApi, startProxy } from "../../src/proxy.ts";

const PORT = /:(\d+)$/;

/** Connects with `node:net`, says something, and gathers what comes until the end. */
function exchange(
  listen: string,
  said: string,
): Promise<{ readonly text: string; readonly error: string | undefined }> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(PORT.exec(listen)?.[1]), "127.0.0.1");
    let text = "";
    let failure: string | undefined;
    socket.on("data", (piece) => (text += String(piece)));
    socket.on("error", (error: NodeJS.ErrnoException) => (failure = error.code));
    socket.on("close", () => resolve({ text, error: failure }));
    socket.end(said);
  });
}

describe("the client library of Toxiproxy for Node", () => {
  let server: Server;
  let running: FaultProxies;
  let api: ServedApi;
  let toxiproxy: Toxiproxy;
  let upstream: string;
  before(async () => {
    server = await serve("tcp://127.0.0.1:0", async (peer) => {
      for await (const bytes of peer) await peer.write(bytes);
      await peer.end();
    });
    upstream = server.localAddress.hostPort;
    running = await startProxy({ seed: 3 });
    api = await serveApi(running, "127.0.0.1:0");
    toxiproxy = new Toxiproxy(api.url);
  });
  after(async () => {
    await api.close();
    await running.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
  });

  it("getVersion, createProxy, get, getAll, populate, update, remove, reset", async () => {
    assert.match(await toxiproxy.getVersion(), /"version":"2\./);
    const proxy = await toxiproxy.createProxy({ name: "echo", listen: "127.0.0.1:0", upstream });
    assert.deepEqual(await exchange(proxy.listen, "hola"), { text: "hola", error: undefined });
    assert.equal((await toxiproxy.get("echo")).listen, proxy.listen);
    assert.deepEqual(Object.keys(await toxiproxy.getAll()), ["echo"]);
    const down = await proxy.update({ enabled: false, listen: proxy.listen, upstream });
    assert.deepEqual([down.enabled, (await exchange(proxy.listen, "hola")).error], [false, "ECONNREFUSED"]);
    await toxiproxy.reset();
    assert.equal((await exchange(proxy.listen, "hola")).text, "hola");
    const populated = await toxiproxy.populate([{ name: "two", listen: "127.0.0.1:0", upstream }]);
    assert.equal((await exchange(populated["two"]?.listen ?? "", "dos")).text, "dos");
    await populated["two"]?.remove();
    await proxy.remove();
    assert.deepEqual(await toxiproxy.getAll(), {});
    await assert.rejects(toxiproxy.get("echo"), ToxiproxyError);
  });

  it("addToxic, getToxic, update, remove, and what each type does to a connection", async () => {
    const proxy = await toxiproxy.createProxy({ name: "bad", listen: "127.0.0.1:0", upstream });
    const text = "x".repeat(5000);
    const whole = { text, error: undefined };
    const effects = [
      { type: "latency", attributes: { latency: 5, jitter: 2 }, effect: whole },
      { type: "bandwidth", attributes: { rate: 1000 }, effect: whole },
      { type: "slicer", attributes: { average_size: 700, size_variation: 300, delay: 10 }, effect: whole },
      { type: "slow_close", attributes: { delay: 5 }, effect: whole },
      { type: "packet_loss", attributes: { loss_rate: 0 }, effect: whole },
      { type: "limit_data", attributes: { bytes: 1200 }, effect: { text: "x".repeat(1200), error: undefined } },
      { type: "timeout", attributes: { timeout: 20 }, effect: { text: "", error: undefined } },
      { type: "reset_peer", attributes: { timeout: 0 }, effect: { text: "", error: "ECONNRESET" } },
    ] as const;
    for (const { type, attributes, effect } of effects) {
      const toxic = await proxy.addToxic({ type, attributes, name: "", stream: "downstream", toxicity: 1 } as never);
      assert.deepEqual(await exchange(proxy.listen, text), effect, type);
      assert.equal((await proxy.getToxic(`${type}_downstream`)).type, type);
      const harmless = await toxic.update({ attributes, toxicity: 0 } as never);
      assert.equal(harmless.toxicity, 0);
      for (let index = 0; index < 20; index += 1) assert.deepEqual(await exchange(proxy.listen, text), whole, type);
      await toxic.remove();
      await assert.rejects(proxy.getToxic(`${type}_downstream`), ToxiproxyError);
      assert.deepEqual(await exchange(proxy.listen, text), whole, type);
    }
    await proxy.remove();
  });

  it("with one seed the same connections are hit, whatever else happens", async () => {
    const hit = async (name: string): Promise<string> => {
      const proxy = await toxiproxy.createProxy({ name, listen: "127.0.0.1:0", upstream });
      await proxy.addToxic({
        type: "reset_peer",
        attributes: { timeout: 0 },
        toxicity: 0.3,
        name: "",
        stream: "downstream",
      } as never);
      let marks = "";
      for (let index = 0; index < 40; index += 1)
        marks += (await exchange(proxy.listen, "x")).error === undefined ? "." : "R";
      await proxy.remove();
      return marks;
    };
    const first = await hit("same");
    assert.match(first, /\./);
    assert.match(first, /R/);
    const other = await startProxy({ seed: 3 });
    const second = await serveApi(other, "127.0.0.1:0");
    toxiproxy = new Toxiproxy(second.url);
    assert.equal(await hit("same"), first);
    await second.close();
    await other.close();
  });
});
