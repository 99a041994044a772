import assert from "node:assert/strict";
import { test } from "node:test";
import type { FoundMember } from "../../../core/journal/presence-message.ts";
import { MembersQuestion } from "./question.ts";

const member = (id: string): FoundMember => [id, "ana", true];

test("a question is answered when each server has told all that it said it would", () => {
  const question = new MembersQuestion(["one", "two"]);
  question.add("one", [member("a"), member("b")], 3);
  question.add("two", [], 0);
  assert.equal(question.isAnswered, false);
  question.add("one", [member("c")], 3);
  assert.equal(question.isAnswered, true);
  question.add("unknown", [member("d")], 2);
  const { members, asked, answered } = question.answer;
  assert.deepEqual(
    [members.map(({ id, server }) => id + server), asked, answered],
    [["aone", "bone", "cone", "dunknown"], 3, 2],
  );
});

test("more than 10,000 are left out, and whoever they belong to has not answered", () => {
  const question = new MembersQuestion(["one", "two"]);
  question.add(
    "one",
    Array.from({ length: 9_999 }, (_, index) => member(String(index))),
    9_999,
  );
  question.add("two", [member("x"), member("y")], 2);
  const { members, asked, answered } = question.answer;
  assert.deepEqual([members.length, asked, answered], [10_000, 2, 1]);
});
