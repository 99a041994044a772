import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MOST_ROWS, pageInOrder, pageOf, pageRequest } from "./page.ts";

interface Object {
  readonly id: number;
  readonly figure: number;
}

/** Follows the cursors to the end; `between` is called behind each page. */
function follow(objects: () => readonly Object[], limit: number, sorted: boolean, between: () => void): Object[] {
  const seen: Object[] = [];
  let after: string | null = null;
  for (;;) {
    const request = pageRequest(String(limit), after);
    assert.ok(request !== undefined, `${after} is a cursor`);
    const page = sorted ? pageOf(objects(), request, ({ figure }) => figure) : pageInOrder(objects(), request);
    if (!sorted) assert.deepEqual(pageOf(objects().toReversed(), request), page, "in any order it is the same");
    assert.ok(page.rows.length <= limit);
    seen.push(...page.rows);
    if (page.next === undefined) return seen;
    assert.equal(page.rows.length, limit, "only the last page is short");
    after = page.next;
    between();
  }
}

const figures = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));

test("whoever follows the cursors sees all that stays exactly once, whatever comes and goes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 20 }),
      (stays, limit, gone) => {
        let objects: Object[] = stays.map((_stay, index) => ({ id: index + 1, figure: 0 }));
        let nextId = objects.length + 1;
        const leaving = gone.filter((index) => stays[index] === false);
        const seen = follow(
          () => objects,
          limit,
          false,
          () => {
            const left = leaving.shift();
            if (left === undefined) return;
            objects = objects.filter(({ id }) => id !== left + 1);
            objects.push({ id: nextId, figure: 0 });
            nextId += 1;
          },
        ).map(({ id }) => id);
        assert.deepEqual(
          seen,
          [...new Set(seen)].sort((one, other) => one - other),
        );
        for (const [index, stay] of stays.entries())
          if (stay) assert.ok(seen.includes(index + 1), `${index + 1} was seen`);
      },
    ),
  );
});

test("by a figure, the highest comes first, and the first number where figures are the same", () => {
  fc.assert(
    fc.property(fc.array(figures, { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (values, limit) => {
      const objects = values.map((figure, index) => ({ id: index + 1, figure }));
      const wanted = objects.toSorted((one, other) => other.figure - one.figure || one.id - other.id);
      assert.deepEqual(
        follow(
          () => objects,
          limit,
          true,
          () => undefined,
        ).map(({ id }) => id),
        wanted.map(({ id }) => id),
      );
    }),
  );
});

test("a limit has a bound, and what makes no sense is no request", () => {
  assert.deepEqual(pageRequest(null, null), { limit: 100, after: undefined });
  assert.equal(pageRequest("999999", null)?.limit, MOST_ROWS);
  for (const [limit, after] of [
    ["0", null],
    ["-1", null],
    ["", null],
    ["1e3", null],
    ["NaN", null],
    [null, ""],
    [null, "x"],
    [null, "1:"],
    [null, "1:2:3"],
    [null, "NaN:1"],
    [null, "1".repeat(40)],
  ] as const) {
    assert.equal(pageRequest(limit, after), undefined, `${limit} ${after}`);
  }
});
