import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { currentMessage, handleMessage } from "./handled-message.ts";

const message = (number: number) => ({ session: {}, number, messageId: `one/${number}`, isCancelled: false });
/** What is known of the message whose handler runs this. */
const here = (): readonly [number | undefined, string | undefined] => {
  const current = currentMessage();
  return [current?.number, current?.nextKey()];
};

test("what a handler says has the number of its message, whatever runs beside it, and keys that count from 1", async () => {
  const handler = async (): Promise<unknown> => {
    const before = here();
    await turn();
    return [before, here()];
  };
  const both = [handleMessage(message(1), handler), handleMessage(message(2), handler)];
  assert.deepEqual(await Promise.all(both), [
    [
      [1, "one/1/1"],
      [1, "one/1/2"],
    ],
    [
      [2, "one/2/1"],
      [2, "one/2/2"],
    ],
  ]);
  assert.deepEqual(handleMessage(message(1), here), [1, "one/1/1"], "a handler that runs again says the same");
  assert.equal(currentMessage(), undefined);
});

test("a handler inside of another one, and what goes on behind its end", async () => {
  let later: Promise<unknown> | undefined;
  const inner = (): unknown => {
    later = turn().then(here);
    return here();
  };
  const outer = (): unknown => [here(), handleMessage(message(2), inner), here()];
  assert.deepEqual(handleMessage(message(1), outer), [
    [1, "one/1/1"],
    [2, "one/2/1"],
    [1, "one/1/2"],
  ]);
  assert.deepEqual(await later, [undefined, undefined]);
});

test("a handler that throws, at once or later, has ended as well", async () => {
  let later: Promise<unknown> | undefined;
  const throws = (): never => {
    later = turn().then(here);
    throw new Error("no");
  };
  assert.throws(() => handleMessage(message(1), throws), /no/);
  assert.deepEqual(await later, [undefined, undefined]);
  await assert.rejects(handleMessage(message(1), async () => throws()) as Promise<unknown>, /no/);
  assert.deepEqual(await later, [undefined, undefined]);
});
