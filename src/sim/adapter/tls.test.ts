import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../test/sim/scene.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import { check } from "../world/check.ts";

const sent = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251));
const tls = { cert: "any", key: "any", alpn: ["zocalo/1"] };

test("a handshake takes its round trip and agrees on name and protocol", async () => {
  await check({ seed: 1, link: { latency: 10 } }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const listener = await listenOver(b.network, "tls://[::]:7000", { tls });
    const before = world.now;
    const options = { tls: { alpn: ["other", "zocalo/1"] } };
    const [call, peer] = await Promise.all([connectOver(a.network, "tls://b:7000", options), listener.accept()]);
    assert.equal(world.now - before, 1 + 50);
    assert.deepEqual([call.tls?.alpn, call.tls?.authorized, peer.tls?.servername], ["zocalo/1", true, "b"]);
    await call.write("hola");
    assert.equal(String(await peer.readExactly(4)), "hola");
    const [direct, other] = await Promise.all([connectOver(a.network, "tls://192.0.2.2:7000"), listener.accept()]);
    assert.deepEqual([direct.tls?.servername, other.tls?.servername], ["192.0.2.2", undefined]);
    assert.deepEqual(direct.tls?.peerCertificate?.subjectAltNames, ["IP Address:192.0.2.2"]);
  });
});

test("certificate errors on demand, protocols without agreement, and peers that speak no TLS", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    await listenOver(b.network, "tls://[::]:7000", { tls });
    b.certificateFault = "CERTIFICATE_EXPIRED";
    assert.equal(await codeOf(connectOver(a.network, "tls://b:7000")), "CERTIFICATE_EXPIRED");
    const careless = await connectOver(a.network, "tls://b:7000", { tls: { insecure: true } });
    assert.deepEqual([careless.tls?.authorized, careless.tls?.authorizationError], [false, "CERTIFICATE_EXPIRED"]);
    b.certificateFault = undefined;
    assert.equal(await codeOf(connectOver(a.network, "tls://b:7000", { tls: { alpn: ["other"] } })), "TLS_FAILED");
    const plain = await connectOver(a.network, "tcp://b:7000");
    await plain.write("GET / HTTP/1.1");
    assert.notEqual(await codeOf(plain.readExactly(1)), "none");
  });
});

test("no byte behind a handshake is lost, when its last message comes together with them", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await check({ seed, link: { latency: 1 } }, async (world) => {
      const [a, b] = [world.host("a"), world.host("b")];
      const listener = await listenOver(b.network, "tls://[::]:7000", { tls });
      let messages = 0;
      // The first message says hello, the second one finishes.
      world.rule(({ from, payload }) => {
        if (from === "a" && payload.length > 0) messages += 1;
        return from === "a" && payload.length > 0 && messages === 2 ? "drop" : undefined;
      });
      const [call, peer] = await Promise.all([
        connectOver(a.network, "tls://b:7000").then(async (socket) => {
          await socket.write(sent);
          return socket;
        }),
        listener.accept(),
      ]);
      assert.ok((await peer.readExactly(sent.length)).equals(sent));
      call.abort();
    });
  }
});

test("certificates of clients: shown, not shown, not good; and what each side knows of the other", async () => {
  await check({ seed: 1 }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const own = { cert: "any", key: "any" };
    const ask = await listenOver(b.network, "tls://[::]:7000", { tls: { ...own, clientCertificate: "ask" } });
    await listenOver(b.network, "tls://[::]:7001", { tls: { ...own, ca: "any", clientCertificate: "require" } });
    const pair = async (shown: boolean): Promise<readonly unknown[]> => {
      const options = { tls: shown ? own : {} };
      const [call, peer] = await Promise.all([connectOver(a.network, "tls://b:7000", options), ask.accept()]);
      assert.deepEqual(call.tls?.peerCertificate?.subjectAltNames, ["DNS:b"]);
      return [peer.tls?.authorized, peer.tls?.authorizationError, peer.tls?.peerCertificate?.subject];
    };
    assert.deepEqual(await pair(true), [true, undefined, "client"]);
    assert.deepEqual(await pair(false), [false, "CERTIFICATE_REQUIRED", undefined]);
    const strict = (options: object): Promise<string> =>
      codeOf(connectOver(a.network, "tls://b:7001", { tls: options }));
    assert.deepEqual([await strict(own), await strict({})], ["none", "CERTIFICATE_REQUIRED"]);
    a.certificateFault = "CERTIFICATE_REVOKED";
    assert.deepEqual(await pair(true), [false, "CERTIFICATE_REVOKED", "client"]);
    assert.equal(await strict(own), "CERTIFICATE_REVOKED");
  });
});
