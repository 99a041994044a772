import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import fc from "fast-check";
import { MORE, serverNameIn } from "./client-hello.ts";

/** The first bytes that Node's TLS client sends. */
async function hello(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ ...options, host: "127.0.0.1", port }).on("error", () => undefined);
  try {
    const [socket] = (await once(server, "connection")) as [net.Socket];
    socket.on("error", () => undefined);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    return bytes;
  } finally {
    client.destroy();
    server.close();
  }
}

const named = await hello({ servername: "db.example.org" });

test("the name that a real client says, in TLS 1.3 and 1.2", async () => {
  assert.equal(serverNameIn(named), "db.example.org");
  const older = await hello({ servername: "a-b.example.net", maxVersion: "TLSv1.2", ALPNProtocols: ["h2"] });
  assert.equal(serverNameIn(older), "a-b.example.net");
});

test("a client that says none has none", async () => {
  assert.equal(serverNameIn(await hello({})), undefined);
});

test("of a part of a hello there is more to come", () => {
  for (let bytes = 0; bytes < named.length; bytes += 1) {
    assert.equal(serverNameIn(named.subarray(0, bytes)), MORE, `${bytes}`);
  }
});

test("a hello in several records is one hello", () => {
  const body = named.subarray(5);
  const records = [body.subarray(0, 3), body.subarray(3, 60), body.subarray(60)].map((part) =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]),
  );
  assert.equal(serverNameIn(Buffer.concat(records)), "db.example.org");
});

test("what is no hello has no name, and nothing throws", () => {
  assert.equal(serverNameIn(Buffer.from("GET / HTTP/1.1\r\n")), undefined);
  assert.equal(serverNameIn(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const name = serverNameIn(bytes);
      assert.ok(typeof name !== "string" || /^[\w.-]+$/.test(name));
    }),
  );
  fc.assert(
    fc.property(fc.nat(named.length - 1), fc.nat(255), (at, byte) => {
      const broken = Buffer.from(named);
      broken[at] = byte;
      const name = serverNameIn(broken);
      assert.ok(typeof name !== "string" || /^[\w.-]+$/.test(name));
    }),
  );
});

test("a name with markup in it is none", () => {
  const evil = Buffer.from(named);
  evil.write("<b>example.org", evil.indexOf("db.example.org"));
  assert.equal(serverNameIn(evil), undefined);
});
