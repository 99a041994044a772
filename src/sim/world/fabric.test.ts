import assert from "node:assert/strict";
import { test } from "node:test";
import { PORT } from "../../../test/sim/scene.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { connectOver } from "../../io/stream/connect.ts";
import { listenOver } from "../../io/listener/listen.ts";
import { check } from "./check.ts";

test("the trace tells of each packet what became of it", async () => {
  const lines: string[] = [];
  await check({ seed: 1, trace: (line) => void lines.push(line) }, async (world) => {
    const [a, b, c] = [world.host("a"), world.host("b"), world.host("c")];
    const box = await bindOver(a.network, "udp://0.0.0.0:0");
    await box.send("arrives", "udp://192.0.2.2:1");
    world.link(a, b, { loss: 1 });
    await box.send("lost", "udp://192.0.2.2:1");
    world.partitionOneWay(a, c);
    await box.send("cut", "udp://192.0.2.3:1");
    await box.send("nobody", "udp://192.0.2.99:1");
    await world.sleep(10);
  });
  const events = lines.slice(1).map((line) => (JSON.parse(line) as { event: string }).event);
  const expected = ["send datagram", "receive datagram", "lost datagram (loss)", "cut", "lost datagram (partition)"];
  for (const event of [...expected, "lost datagram (no host)"]) assert.ok(events.includes(event), event);
});

// The rules are those of docs/semantics.md.
test("rule E2: datagrams are corrupted by one bit, doubled and reordered; a stream never is", async () => {
  const link = { corruption: 0.3, duplication: 0.3, reordering: { chance: 0.3, delayMs: 5 } };
  await check({ seed: 1, link }, async (world) => {
    const [a, b] = [world.host("a"), world.host("b")];
    const box = await bindOver(b.network, "udp://0.0.0.0:5000");
    const sender = await bindOver(a.network, "udp://0.0.0.0:0");
    for (let count = 0; count < 100; count += 1) await sender.send(Buffer.from([count]), "udp://192.0.2.2:5000");
    await world.sleep(100);
    const values = (await box.receiveMany(1000)).map(({ data }) => data[0] ?? 0);
    assert.ok(values.length > 110);
    assert.ok(values.some((value, index) => value < (values[index - 1] ?? 0)));
    const listener = await listenOver(b.network, `tcp://0.0.0.0:${PORT}`);
    const [call, peer] = await Promise.all([connectOver(a.network, `tcp://192.0.2.2:${PORT}`), listener.accept()]);
    const sent = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 253));
    await call.write(sent);
    assert.ok((await peer.readExactly(sent.length)).equals(sent));
  });
});
