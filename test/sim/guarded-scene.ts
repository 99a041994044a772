import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError, type ZocaloError } from "../../src/core/errors.ts";
import { raiseGuard } from "../../src/sim/guard/leak-guard.ts";
import { runInScope, type Scope } from "../../src/sim/guard/scope.ts";

/** A program under the leak guard, without a world. */
export class GuardedScene {
  /** What the world was told of. */
  leaks: ZocaloError[] = [];
  readonly #scope: Scope = {
    place: "plaza",
    seed: 1,
    world: {},
    now: () => 0,
    leaked: (error) => void this.leaks.push(error),
    unhandled: (reason) => assert.fail(String(reason)),
  };

  /** Runs `action` as a part of the program. */
  run<T>(action: () => T): T {
    return runInScope(this.#scope, action);
  }

  /** The error with which a use of the outside ends. */
  async leakOf(action: () => unknown): Promise<UsageError> {
    try {
      const result = await this.run(action);
      (result as { destroy?: () => void } | undefined)?.destroy?.();
    } catch (error) {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(this.leaks.pop(), error, "the world was not told");
      assert.equal(this.leaks.length, 0);
      assert.equal(error.local, "plaza");
      return error;
    }
    return assert.fail("nothing was raised");
  }
}

/** Tests that each of these uses of the outside is a leak. */
export function testLeaks(code: "SIM_LEAK" | "SIM_CLOCK_LEAK", uses: Readonly<Record<string, () => unknown>>): void {
  for (const [label, use] of Object.entries(uses)) {
    test(`${code}: ${label}`, async () => {
      const lower = raiseGuard();
      try {
        assert.equal((await new GuardedScene().leakOf(use)).code, code);
      } finally {
        lower();
      }
    });
  }
}

/** Runs what a simulated program may do; nothing of it is a leak. */
export async function allowed(action: () => Promise<void> | void): Promise<void> {
  const lower = raiseGuard();
  const scene = new GuardedScene();
  try {
    await scene.run(action);
    assert.deepEqual(scene.leaks, []);
  } finally {
    lower();
  }
}
