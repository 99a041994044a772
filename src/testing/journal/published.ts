/** What a journal must do with what is published. */

import assert from "node:assert/strict";
import type { SessionJournal } from "../../io/journal/journal.ts";
import { appendOne, bytesOf, Heard, type JournalChecks, KEPT_MS, textOf } from "./scene.ts";

/** No journal drops so many that are published in one turn, as long as its store is there. */
const FEW = 100;
const TOO_MANY = 50_000;
const LONGEST_BYTES = 65_536;

async function publish(journal: SessionJournal, heard: Heard, text: string): Promise<void> {
  journal.publish("g/plaza", bytesOf(text));
  await heard.holds(() => isHeard(heard, text));
}

function isHeard({ notices }: Heard, text: string): boolean {
  return notices.some(([, body]) => body === text);
}

/** The channel that stores nothing. */
export const publishedChecks: JournalChecks = {
  async "what is published is heard by all who follow, here and elsewhere, in its order"(scene) {
    const [one, other] = [await scene.open(), await scene.open()];
    const followers = [new Heard(), new Heard(), new Heard()] as const;
    await one.follow(undefined, followers[0]);
    await one.follow(undefined, followers[1]);
    await other.follow(undefined, followers[2]);
    const texts = Array.from({ length: FEW }, (_, number) => `notice ${number}`);
    for (const text of texts) one.publish("g/plaza", bytesOf(text));
    for (const heard of followers) {
      await heard.holds(() => heard.notices.length >= FEW);
      assert.deepEqual(
        heard.notices,
        texts.map((text) => ["g/plaza", text]),
      );
      assert.deepEqual([heard.all, heard.gaps], [[], []]);
    }
  },

  async "what is published is told to nobody later, and takes no place"(scene) {
    const journal = await scene.open();
    const early = new Heard();
    const { behind } = await journal.follow(undefined, early);
    await appendOne(journal, "g/plaza", undefined, bytesOf("entry"));
    await publish(journal, early, "early");
    const late = new Heard();
    await journal.follow(behind, late);
    await publish(journal, late, "late");
    const place = await appendOne(journal, "g/plaza", undefined, bytesOf("the end"));
    await late.until("the end");
    assert.deepEqual(late.notices, [["g/plaza", "late"]]);
    assert.deepEqual(late.texts, ["entry", "the end"]);
    assert.equal(late.all.at(-1)?.place, place);
  },

  async "a body of at most 64 KiB arrives as it was published, under any topic, and a longer one does not"(scene) {
    const journal = await scene.open();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    const bodies = ["", "\0", "ñandú 廣場", "x".repeat(LONGEST_BYTES)];
    for (const text of bodies) {
      const given = bytesOf(text);
      journal.publish(`g/${text.slice(0, 9)}.*>`, given);
      given.fill(0xee);
      journal.publish("too long", Buffer.alloc(LONGEST_BYTES + 1));
    }
    await heard.holds(() => heard.notices.length >= bodies.length);
    await publish(journal, heard, "the end");
    assert.deepEqual(
      heard.notices.slice(0, bodies.length),
      bodies.map((text) => [`g/${text.slice(0, 9)}.*>`, text]),
    );
    assert.deepEqual(heard.notices.slice(bodies.length), [["g/plaza", "the end"]]);
  },

  async "what one follower does with what was published is not seen by another, nor told inside of a call"(scene) {
    const journal = await scene.open();
    const rude = new Heard(({ body }) => {
      if (textOf(body) === "one") journal.publish("g/plaza", bytesOf("two"));
      body.fill(0xee);
    });
    await journal.follow(undefined, rude);
    const heard = new Heard();
    await journal.follow(undefined, heard);
    journal.publish("g/plaza", bytesOf("one"));
    await heard.holds(() => heard.notices.length === 2);
    await rude.holds(() => rude.notices.length === 2);
    assert.deepEqual(
      heard.notices.map(([, text]) => text),
      ["one", "two"],
    );
  },

  async "of too much that is published at once a part is lost, and nothing else"(scene) {
    const journal = await scene.open();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    for (let number = 0; number < TOO_MANY; number += 1) journal.publish("g/plaza", bytesOf(String(number)));
    await appendOne(journal, "g/plaza", undefined, bytesOf("entry"));
    await heard.until("entry");
    while (!isHeard(heard, "the end")) {
      journal.publish("g/plaza", bytesOf("the end"));
      await appendOne(journal, "g/plaza", undefined, bytesOf("meanwhile"));
    }
    const numbers = heard.notices.map(([, text]) => Number(text)).filter((number) => !Number.isNaN(number));
    for (const [index, number] of numbers.slice(1).entries()) {
      assert.ok(number > (numbers[index] ?? -1), `${number} behind ${numbers[index]}`);
    }
    assert.ok(numbers.length > 0);
  },

  async "a follower that is stopped hears nothing that is published then, and nobody throws at close"(scene) {
    const journal = scene.make();
    journal.publish("g/plaza", bytesOf("not open"));
    await journal.open({ keptMs: KEPT_MS });
    const [stopped, other] = [new Heard(), new Heard()];
    const following = await journal.follow(undefined, stopped);
    await journal.follow(undefined, other);
    await publish(journal, stopped, "one");
    following.stop();
    const before = stopped.notices.length;
    await publish(journal, other, "two");
    assert.equal(stopped.notices.length, before);
    journal.publish("g/plaza", bytesOf("closing"));
    await journal.close();
    journal.publish("g/plaza", bytesOf("closed"));
  },
};
