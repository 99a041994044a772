import assert from "node:assert/strict";
import { test } from "node:test";
import { PresenceBook } from "./presence-book.ts";
import type { CountsMessage, TopicCount } from "../../../core/journal/presence-message.ts";

function said(server: string, number: number, counts: readonly TopicCount[], given: Partial<CountsMessage> = {}) {
  return { kind: "counts", server, number, isFirst: number === 0, isCut: false, counts, ...given } as const;
}

test("counts of all servers are added, and are as old as the oldest word", () => {
  const book = new PresenceBook();
  assert.deepEqual(book.count("g/a", 0), { size: 0, ageMs: 0 });
  assert.ok(book.note(said("one", 0, [["g/a", 2]]), 1_000));
  assert.ok(
    book.note(
      said("two", 0, [
        ["g/a", 1],
        ["g/b", 1],
      ]),
      1_400,
    ),
  );
  assert.deepEqual(book.count("g/a", 1_500), { size: 3, ageMs: 500 });
  assert.ok(book.note(said("one", 1, [["g/a", 0]]), 2_000));
  assert.deepEqual(book.count("g/a", 2_000), { size: 1, ageMs: 600 });
  assert.deepEqual(book.count("g/none", 2_000), { size: 0, ageMs: 600 });
});

test("a server that says nothing for three seconds is gone, and one that says so at once", () => {
  const book = new PresenceBook();
  book.note(said("one", 0, [["g/a", 2]]), 0);
  book.note(said("two", 0, [["g/a", 1]]), 500);
  assert.deepEqual(book.alive(2_999), ["one", "two"]);
  assert.deepEqual(book.count("g/a", 3_000), { size: 1, ageMs: 2_500 });
  book.forget("two");
  assert.deepEqual(book.count("g/a", 3_000), { size: 0, ageMs: 0 });
});

test("behind a loss nothing is taken until the server begins anew, and the counts grow older", () => {
  const book = new PresenceBook();
  assert.equal(book.note(said("one", 4, [["g/a", 2]]), 0), false);
  assert.deepEqual(book.count("g/a", 0), { size: 0, ageMs: Infinity });
  assert.ok(book.note(said("one", 5, [["g/a", 2]], { isFirst: true }), 100));
  assert.equal(book.note(said("one", 7, [["g/a", 9]]), 1_100), false);
  assert.deepEqual(book.count("g/a", 1_200), { size: 2, ageMs: 1_100 });
  assert.ok(book.note(said("one", 8, [["g/b", 1]], { isFirst: true }), 2_000));
  assert.deepEqual(book.count("g/a", 2_000), { size: 0, ageMs: 0 });
});

test("what has no room is not counted, and the age says that something is missing", () => {
  const book = new PresenceBook();
  const topics = Array.from({ length: 200_000 }, (_, index): TopicCount => [`g/${index}`, 1]);
  assert.ok(book.note(said("one", 0, topics), 0));
  assert.deepEqual(book.count("g/7", 0), { size: 1, ageMs: 0 });
  assert.ok(book.note(said("two", 0, [["g/new", 1]]), 0));
  assert.deepEqual(book.count("g/new", 0), { size: 0, ageMs: Infinity });
  book.forget("one");
  assert.ok(book.note(said("two", 1, [["g/new", 1]], { isFirst: true }), 0));
  assert.deepEqual(book.count("g/new", 0), { size: 1, ageMs: 0 });
  for (let index = 0; index < 2_000; index += 1) book.note(said(`server ${index}`, 0, []), 0);
  assert.equal(book.alive(0).length, 1_000);
});
