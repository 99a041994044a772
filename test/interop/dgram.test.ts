/** Datagram sockets against programs that nobody here wrote: raw `node:dgram`, and Python's sockets. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { bindOver } from "../../src/io/datagram/bind.ts";
import { serveDatagramsOver } from "../../src/io/datagram/serve.ts";
import { nodeNetwork } from "../../src/node/network.ts";

const COUNT = 50;

for (const [type, host] of [
  ["udp4", "127.0.0.1"],
  ["udp6", "::1"],
] as const) {
  void describe(`raw ${type}`, () => {
    void test("a raw socket asks, a server answers", async () => {
      const handler = ({ data }: { readonly data: Buffer }): string => data.toString().toUpperCase();
      const server = await serveDatagramsOver(nodeNetwork, { host, port: 0 }, handler);
      const raw = dgram.createSocket(type);
      const answers: string[] = [];
      const done = new Promise<void>((resolve) => {
        raw.on("message", (data, { port, address }) => {
          assert.deepEqual([port, address], [server.localAddress.port, host]);
          answers.push(data.toString());
          if (answers.length === COUNT) resolve();
        });
      });
      for (let index = 0; index < COUNT; index += 1) raw.send(`ñandú ${index}`, server.localAddress.port, host);
      await done;
      assert.deepEqual(
        answers,
        Array.from({ length: COUNT }, (_, index) => `ÑANDÚ ${index}`),
      );
      raw.close();
      await server.close({ timeoutMs: 0 });
    });

    void test("a datagram socket asks, a raw socket answers, also with nothing and with very much", async () => {
      const raw = dgram.createSocket(type, (data, { port, address }) => raw.send(data, port, address));
      raw.bind(0, host);
      await once(raw, "listening");
      const box = await bindOver(nodeNetwork, { host, port: 0 }, { remote: { host, port: raw.address().port } });
      const payloads = [Buffer.alloc(0), Buffer.from("hola"), Buffer.alloc(type === "udp4" ? 65_507 : 65_527, 0xa5)];
      for (const payload of payloads) {
        await box.send(payload);
        assert.ok((await box.receive()).data.equals(payload));
      }
      raw.close();
      await once(raw, "close");
      const waiting = box.receive();
      waiting.catch(() => undefined);
      await box.send("anybody?");
      await assert.rejects(waiting, { code: "CONNECTION_REFUSED" });
      await box.close();
    });
  });
}

const PYTHON_SERVER = `
import socket, sys
box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
box.bind(("127.0.0.1", 0))
print(box.getsockname()[1], flush=True)
while True:
    data, sender = box.recvfrom(65535)
    box.sendto(data[::-1], sender)
    if data == b"": break
`;

const PYTHON_CLIENT = `
import socket, sys
box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
box.connect(("127.0.0.1", int(sys.argv[1])))
for size in (0, 1, 1200, 65507):
    box.send(b"z" * size)
    answer = box.recv(65535)
    assert answer == b"z" * size, (size, len(answer))
print("all came back", flush=True)
`;

const hasPython = spawnSync("python3", ["--version"]).status === 0;

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  for await (const line of createInterface(child.stdout)) return line;
  return assert.fail("the program said nothing");
}

void describe("python3", { skip: hasPython ? false : "python3 is not installed" }, () => {
  void test("a datagram socket asks a Python server", async () => {
    const python = spawn("python3", ["-c", PYTHON_SERVER], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(python, "exit");
    const port = Number(await firstLine(python));
    const box = await bindOver(nodeNetwork, "127.0.0.1:0", { remote: { host: "127.0.0.1", port } });
    for (const [question, answer] of [
      ["aloh", "hola"],
      ["", ""],
    ] as const) {
      await box.send(question);
      assert.equal((await box.receive()).data.toString(), answer);
    }
    await box.close();
    assert.deepEqual(await ended, [0, null]);
  });

  void test("a Python client asks a server", async () => {
    const server = await serveDatagramsOver(nodeNetwork, "127.0.0.1:0", ({ data }) => data, { replies: "guarded" });
    const python = spawn("python3", ["-c", PYTHON_CLIENT, String(server.localAddress.port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(python, "exit");
    assert.equal(await firstLine(python), "all came back");
    assert.deepEqual(await ended, [0, null]);
    await server.close({ timeoutMs: 0 });
  });
});
