import assert from "node:assert/strict";
import { test } from "node:test";
import { run, start } from "./program.ts";

interface Series {
  readonly tcp: { readonly tally: Record<string, number>; readonly faults: Record<string, number> };
  readonly udp: { readonly tally: Record<string, number>; readonly faults: Record<string, number> };
}

function seriesOf(stderr: string): Series {
  const line = stderr.split("\n").find((text) => text.includes('"event":"series"'));
  return JSON.parse(line ?? "null") as Series;
}

test("one screen: TCP all, in order, none twice; UDP what the proxy did", async (t) => {
  const { code, stdout, stderr } = await run(t, ["demo", "--json", "--seed", "7"]);
  assert.equal(code, 0);
  const { tcp, udp } = seriesOf(stderr);
  assert.deepEqual(tcp.tally, { received: 10_000, distinct: 10_000, lost: 0, twice: 0, outOfOrder: 0, damaged: 0 });
  const { loss = 0, slicing = 0 } = tcp.faults;
  assert.ok(loss > 0 && slicing > 0, `${loss} losses, ${slicing} slices`);
  assert.ok((udp.faults["loss"] ?? 0) > 300);
  assert.ok((udp.tally["lost"] ?? 0) >= (udp.faults["loss"] ?? 0));
  assert.equal(udp.tally["damaged"], 0);

  assert.ok(!stdout.includes("\u001b"), "no colours without a terminal");
  const lines = stdout.trimEnd().split("\n");
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length < 80));
  assert.match(stdout, /> hola, plaza +> hola, plaza\n +< HOLA, PLAZA +[\d.]+ ms +< HOLA, PLAZA +[\d.]+ ms\n/);
  assert.match(stdout, /It loses 5 % of the packets and cuts +It loses 5 %, /);
  assert.match(stdout, /^ +lost +0 +lost +\d+$/m);
});

test("the same seed hits the same datagrams", async (t) => {
  const args = ["demo", "--json", "--seed", "42", "--messages", "2000"];
  const [one, two] = [await run(t, args), await run(t, args)].map(({ stderr }) => seriesOf(stderr));
  assert.deepEqual(one?.udp.faults, two?.udp.faults);
});

test("--keep leaves the servers up until Ctrl-C, and says what to try", async (t) => {
  const demo = start(t, ["demo", "--keep", "--messages", "100"]);
  const [, tcp] = await demo.shows(/connect (tcp:\S+)/);
  const [, udp] = await demo.shows(/send (udp:\S+) hola/);
  await demo.shows(/Ctrl-C ends them/);
  assert.equal((await run(t, ["connect", tcp ?? ""], { input: "still here\n" })).stdout, "STILL HERE\n");
  assert.equal((await run(t, ["send", udp ?? "", "still here"])).stdout, "STILL HERE\n");
  demo.child.kill("SIGINT");
  assert.equal((await demo.ended).code, 0);
});

test("interrupted in the middle, no process is left behind", async (t) => {
  const demo = start(t, ["demo", "--messages", "1000000", "-v"]);
  await demo.tells(/^server: /m);
  demo.child.kill("SIGTERM");
  // The end of stderr, which the children share, is the end of all of them.
  assert.equal((await demo.ended).signal, "SIGTERM");
});
