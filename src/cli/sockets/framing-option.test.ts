import assert from "node:assert/strict";
import { test } from "node:test";
import { inputMessages } from "./framing-option.ts";

/** The messages of an input of these pieces, and how it ended. */
async function messagesOf(
  pieces: readonly string[],
  last: null | "silent" = null,
): Promise<{ readonly messages: readonly string[]; readonly end: string }> {
  const rest = pieces.map((piece) => Buffer.from(piece));
  const messages: string[] = [];
  const input = inputMessages(() => Promise.resolve(rest.shift() ?? last));
  for (;;) {
    const { done, value } = await input.next();
    if (done === true) return { messages, end: value };
    messages.push(String(value));
  }
}

test("each line is a message, without its end, wherever the bytes are cut", async () => {
  const { messages } = await messagesOf(["one\ntw", "o\r", "\n", "\nthr", "ee\n"]);
  assert.deepEqual(messages, ["one", "two", "", "three"]);
});

test("what stands behind the last line end is a message too", async () => {
  assert.deepEqual(await messagesOf(["one\ntwo"]), { messages: ["one", "two"], end: "ended" });
  assert.deepEqual(await messagesOf(["one\ntwo"], "silent"), { messages: ["one", "two"], end: "silent" });
  assert.deepEqual(await messagesOf([]), { messages: [], end: "ended" });
});

test("a line without an end does not fill the memory", async () => {
  const pieces = Array.from({ length: 9 }, () => "a".repeat(1_048_576));
  await assert.rejects(messagesOf(pieces), { name: "CommandError", code: "FRAME_TOO_LONG", side: "local" });
});
