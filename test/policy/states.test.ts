/** State machines are tables, and the documentation shows what they say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SESSION_TABLE } from "../../src/core/session/state.ts";
import type { StateTable } from "../../src/core/state-table.ts";
import { CLIENT_TABLE } from "../../src/io/session/client/state.ts";
import { ENDING_TABLE } from "../../src/io/session/endpoint/ending.ts";
import { LINK_TABLE } from "../../src/io/session/endpoint/link.ts";
import { DIRECTION_TABLE, STREAM_TABLE } from "../../src/io/session/traffic/stream-state.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** The tables of each page, in the order of their diagrams. */
const PAGES: Readonly<Record<string, readonly StateTable<string, string>[]>> = {
  "docs/wire-protocol.md": [SESSION_TABLE],
  "ARCHITECTURE.md": [CLIENT_TABLE, LINK_TABLE, ENDING_TABLE, STREAM_TABLE, DIRECTION_TABLE],
};

/** The table as a Mermaid diagram, for the documentation. It begins in its first state, and ends in those with no way out. */
function diagramOf(table: StateTable<string, string>): string {
  const states = Object.keys(table);
  const lines = states.flatMap((from) => {
    const row = Object.entries(table[from] ?? {});
    return row.length === 0 ? [`  ${from} --> [*]`] : row.map(([input, to]) => `  ${from} --> ${to}: ${input}`);
  });
  return ["stateDiagram-v2", `  [*] --> ${states[0]}`, ...lines, ""].join("\n");
}

for (const [page, tables] of Object.entries(PAGES)) {
  test(`the diagrams of ${page} are made from the tables`, () => {
    const text = readFileSync(join(repositoryRoot, page), "utf8");
    const diagrams = [...text.matchAll(/^```mermaid\n(.*?)^```$/gms)].map((found) => found[1]);
    assert.deepEqual(diagrams, tables.map(diagramOf));
  });

  test(`each state in the tables of ${page} is reached from the first one, and leads to a last one if there is one`, () => {
    for (const table of tables) {
      const states = Object.keys(table);
      const reached = (from: string): Set<string> => {
        const found = new Set([from]);
        for (const state of found)
          for (const to of Object.values(table[state] ?? {})) if (to !== undefined) found.add(to);
        return found;
      };
      assert.deepEqual([...reached(states[0] as string)].sort(), states.toSorted());
      const isLast = (state: string): boolean => Object.keys(table[state] ?? {}).length === 0;
      if (states.some(isLast)) for (const state of states) assert.ok([...reached(state)].some(isLast), state);
    }
  });
}
