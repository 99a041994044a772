import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { explore, type FaultList, parseFaultList, type Simulation } from "zocalo/sim";
import { PLANTED } from "../fixtures/planted.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/*
 * Six programs with a known mistake each (examples/sim), and for each a list of faults that `zocalo sim shrink` has found. The
 * list must let the program fail as it did, and must not harm the corrected program. The full hunts are in test/soak/hunts.ts.
 */

const folder = join(repositoryRoot, "test/replay");
const lists = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => ({ file, list: parseFaultList(readFileSync(join(folder, file), "utf8"), file) }));

async function failureOf(simulation: Simulation, list: FaultList): Promise<string | undefined> {
  const { failure } = await explore(simulation, { faults: list, twice: true });
  return failure?.identity;
}

test("every planted mistake has a list, and every list a program", () => {
  const names = new Set(PLANTED.map(({ simulation }) => simulation.options.name));
  assert.deepEqual(new Set(lists.map(({ list }) => list.simulation)), names);
  assert.equal(names.size, 6);
});

for (const { file, list } of lists) {
  test(`${file}: the program fails as it did, the corrected program does not`, async () => {
    const planted = PLANTED.find(({ simulation }) => simulation.options.name === list.simulation);
    assert.ok(planted !== undefined);
    assert.ok(list.faults.length <= 3, `${list.faults.length} faults`);
    // No fault of these lists has a probability, so that they mean the same with any seed, and in later versions.
    for (const seed of [list.seed, 1_000, 2_000, 3_000]) {
      assert.equal(await failureOf(planted.simulation, { ...list, seed }), list.failure);
      assert.equal(await failureOf(planted.fixed, { ...list, seed }), undefined);
    }
  });
}
