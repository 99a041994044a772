// Connections work: TCP, a Unix socket, an in-memory pair; reads, writes, ends, errors.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, pair, serve } from "zocalo";

function check(condition, what) {
  if (!condition) throw new Error(`${what} does not work`);
}

async function talk(address) {
  const listener = await serve(address, async (peer) => {
    for await (const bytes of peer) await peer.write(bytes);
  });
  const call = await connect(listener.localAddress, { timeoutMs: 5000 });
  await call.write(["hola\n", Buffer.alloc(300_000, 7)]);
  check(String(await call.readUntil("\n")) === "hola\n", `readUntil over ${address}`);
  check(
    (await call.readExactly(300_000)).every((byte) => byte === 7),
    `readExactly over ${address}`,
  );
  await call.end();
  check((await call.read()) === null, `the end over ${address}`);
  check((await call.closed).how === "ended", `closed over ${address}`);
  const report = await listener.close({ timeoutMs: 5000 });
  check(report.cut === 0, `close over ${address}`);
}

await talk("tcp://127.0.0.1:0");
if (process.platform !== "win32") await talk(`unix:${join(tmpdir(), `zocalo-smoke-${process.pid}.sock`)}`);

const [left, right] = pair();
await left.write("par");
check(String(await right.read()) === "par", "pair");
await Promise.all([left.close(), right.close()]);

const refused = await connect("tcp://127.0.0.1:1").catch((error) => error);
check(refused.code === "CONNECTION_REFUSED", "a refused connection");
console.log("streams: ok");
