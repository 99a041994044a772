import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../../test/sim/scene.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { check } from "./check.ts";
import type { World } from "./world-contract.ts";

test("check stops at the first difference and shows both sides", async () => {
  let runs = 0;
  const main = async (world: World): Promise<void> => {
    runs += 1;
    const call = (await joined(world)).call;
    await call.write(`run ${runs}`);
    await world.sleep(60_000);
    assert.equal(runs, 1, "the second run was to stop before");
  };
  await assert.rejects(check({ seed: 1 }, main), (error: ZocaloError) => {
    assert.equal(error.code, "SIM_DIVERGED");
    assert.match(error.detail, /first run: .*"event":"send .*\nsecond run: .*"event":"send /);
    return true;
  });
});
