import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf } from "../../../test/cli/svg-elements.ts";
import { bind, connect, serve } from "../../index.ts";
import { simulate, type World } from "../../sim.ts";
import { drawSequence } from "./sequence.ts";
import { readSequence } from "./trace.ts";

async function traced(seed: number, main: (world: World) => Promise<void>): Promise<readonly string[]> {
  const lines: string[] = [];
  await simulate(
    { seed, link: { latency: { kind: "uniform", fromMs: 5, toMs: 20 } }, trace: (line) => void lines.push(line) },
    main,
  );
  return lines;
}

/** Two hosts with these names: a line in, a line out, a partition, a pause, a datagram that is lost and one that comes twice. */
function troubled(one: string, two: string): (world: World) => Promise<void> {
  return async (world) => {
    const [a, b] = [world.host(one), world.host(two)];
    world.name("b", b.addresses);
    await serve("tcp://[::]:7", async (peer) => peer.write(await peer.readUntil("\n")), { network: b.network });
    const call = await connect("tcp://b:7", { network: a.network });
    const partition = world.partition(a, b);
    await call.write("hola\n");
    await world.sleep(50);
    partition.heal();
    b.pause();
    await world.sleep(5);
    b.resume();
    await call.readUntil("\n");
    const box = await bind("udp://[::]:0", { network: a.network });
    for (const kind of ["loss", "duplication"] as const) {
      const fault = world.inflict({ kind, from: "*", to: "*", chance: 1 });
      await box.send("x", "udp://b:9");
      await world.sleep(100);
      fault.heal();
    }
  };
}

test("a trace is read: who sent what to whom, what was lost, what came twice, what was wrong meanwhile", async () => {
  const { hosts, flights, bands } = readSequence(await traced(1, troubled("a", "b")));
  assert.deepEqual(hosts, ["a", "b"]);
  const first = flights[0];
  assert.deepEqual([first?.from, first?.to, first?.label], ["a", "b", ["SYN"]]);
  for (const { sentUs, arrivedUs, lost } of flights) assert.ok(lost !== undefined || (arrivedUs ?? 0) > sentUs);
  const all = flights.map(
    ({ label, lost, again }) => `${label.join(" ")}${lost ?? ""}${again === true ? " twice" : ""}`,
  );
  for (const wanted of ["5 bytespartition", "5 bytes sent again", "1 byteloss", "1 byte twice"])
    assert.ok(all.includes(wanted), all.join("\n"));
  assert.deepEqual(
    bands.map(({ name, hosts: where, endsUs }) => [name, where.join(), endsUs !== undefined]),
    [
      ["partition", "a,b", true],
      ["partition", "b,a", true],
      ["pause", "b", true],
      ["loss *>* chance=1", "", true],
      ["duplication *>* chance=1", "", true],
    ],
  );
});

test("the drawing of a seed is always the same, and another seed has another", async () => {
  const drawn: string[] = [];
  for (const seed of [1, 1, 2]) {
    drawn.push(drawSequence(readSequence(await traced(seed, troubled("a", "b"))), { title: "t" }));
  }
  const [one, same, other] = drawn;
  assert.equal(one, same);
  assert.notEqual(one, other);
});

test("names of hosts are text, whatever they hold", async () => {
  const lines = await traced(1, troubled("<script>a>b</script>", `"&' ${"long".repeat(50)}`));
  const sequence = readSequence(lines);
  assert.equal(sequence.hosts.length, 2);
  const elements = elementsOf(drawSequence(sequence, { title: "<b>" }));
  assert.ok(!elements.includes("script") && !elements.includes("b"));
  assert.ok(sequence.bands.some(({ hosts }) => hosts.length === 2));
});

test("the drawing is bounded by number and by time, and says what it leaves out", async () => {
  const sequence = readSequence(await traced(1, troubled("a", "b")));
  const arrowsOf = (picture: string): number =>
    (picture.match(/<path class="s (?:blue|green|quiet|violet|red)" d="M[\d. ]+L/g) ?? []).length;
  const few = drawSequence(sequence, { title: "t", most: 2 });
  assert.equal(arrowsOf(few), 2);
  assert.ok(few.includes(`${sequence.flights.length - 2} more packets are left out`));
  const once = Array.from({ length: 100 }, (_, index) => ({ beginsUs: index * 1000, endsUs: index * 1000 + 500 }));
  const bands = once.map((times) => ({ name: "pause", hosts: ["a"], ...times }));
  const moments = once.map(({ beginsUs }) => ({ name: "skew", host: "a", atUs: beginsUs }));
  const faulty = drawSequence({ hosts: ["a"], flights: [], bands, moments, endUs: 200_000 }, { title: "t", most: 10 });
  assert.equal((faulty.match(/>pause</g) ?? []).length, 10);
  assert.equal((faulty.match(/>skew</g) ?? []).length, 10);
  assert.ok(faulty.includes("180 more faults are left out"));
  const none = drawSequence(sequence, { title: "t", fromUs: 1e12 });
  assert.equal(arrowsOf(none), 0);
  elementsOf(none);
});
