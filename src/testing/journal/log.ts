/** What a journal must do with its log. */

import assert from "node:assert/strict";
import type { Following, SessionJournal } from "../../io/journal/journal.ts";
import { appendOne, bytesOf, each, Heard, type JournalChecks, textOf } from "./scene.ts";

const LONGEST_BYTES = 1_048_576;
const ODD_TOPICS: readonly string[] = [
  "",
  " ",
  "g/plaza de armas",
  "s/*.>",
  "u/ñandú 廣場",
  "g/\0\r\n",
  "g/a.b..c",
  "A",
  "a",
];

async function appendAll(journal: SessionJournal, ...texts: readonly string[]): Promise<number[]> {
  const places: number[] = [];
  for (const text of texts) places.push(await appendOne(journal, "g/plaza", undefined, bytesOf(text)));
  return places;
}

/** Order, and where one begins. */
export const logChecks: JournalChecks = {
  async "whoever follows hears what is appended then, in order, and nothing of before"(scene) {
    const journal = await scene.open();
    const [, before] = await appendAll(journal, "one", "two");
    const heard = new Heard();
    const following = await journal.follow(undefined, heard);
    assert.equal(following.behind, before);
    const places = await appendAll(journal, "three", "four", "five");
    await heard.until("five");
    assert.deepEqual(heard.texts, ["three", "four", "five"]);
    assert.deepEqual(
      heard.all.map(({ place }) => place),
      places,
    );
    assert.deepEqual(heard.gaps, []);
  },

  async "whoever follows behind a place hears all that stands behind it"(scene) {
    const journal = await scene.open();
    const places = await appendAll(journal, "one", "two", "three", "four");
    for (const [index, behind] of places.entries()) {
      const heard = new Heard();
      assert.equal((await journal.follow(behind, heard)).behind, behind);
      await appendAll(journal, `more ${index}`);
      await heard.until(`more ${index}`);
      assert.deepEqual(heard.texts.slice(0, 3 - index), ["two", "three", "four"].slice(index));
    }
  },

  async "what is appended in one call stands in its order, whatever else is appended meanwhile"(scene) {
    const journals = [await scene.open(), await scene.open()] as const;
    const heard = new Heard();
    await journals[0].follow(undefined, heard);
    const places = new Map<string, number>();
    await each(200, async (number) => {
      const texts = Array.from({ length: number % 17 }, (_, index) => `${number}/${index}`);
      const entries = texts.map((text) => ({ body: bytesOf(text) }));
      const answer = await (journals[number % 2] as SessionJournal).append(`g/${number % 3}`, entries);
      assert.equal(answer.length, texts.length);
      for (const [index, text] of texts.entries()) places.set(text, answer[index] as number);
      assert.ok(
        answer.every((place, index) => index === 0 || place > (answer[index - 1] as number)),
        "out of order",
      );
    });
    await appendAll(journals[1], "the end");
    await heard.until("the end");
    const told = heard.all.slice(0, -1).map(({ place, body }) => [textOf(body), place] as const);
    assert.deepEqual(new Map(told), new Map([...places].sort(([, one], [, other]) => one - other)));
    assert.equal(told.length, places.size);
  },

  async "several who append and several who follow have one order, without a gap and nothing twice"(scene) {
    const journals = [await scene.open(), await scene.open()] as const;
    const early = [new Heard(), new Heard()] as const;
    const { behind } = await journals[0].follow(undefined, early[0]);
    await journals[1].follow(undefined, early[1]);
    const late = new Heard();
    const places = new Map<string, number>();
    await each(2_000, async (number) => {
      const text = `entry ${number}`;
      places.set(text, await appendOne(journals[number % 2] as SessionJournal, "g/plaza", undefined, bytesOf(text)));
      if (number === 1_000) await journals[1].follow(behind, late);
    });
    const afterwards = new Heard();
    await journals[0].follow(behind, afterwards);
    await appendAll(journals[1], "the end");
    for (const heard of [...early, late, afterwards]) {
      await heard.until("the end");
      assert.equal(heard.all.length, 2_001);
      assert.deepEqual(heard.gaps, []);
      for (const { place, body } of heard.all.slice(0, -1)) assert.equal(place, places.get(textOf(body) ?? ""));
    }
  },

  async "an entry is what was appended: any topic, an empty body, 1 MiB"(scene) {
    const journal = await scene.open();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    const bodies = [Buffer.alloc(0), Buffer.alloc(LONGEST_BYTES, "zócalo\0\r\n"), bytesOf("\0")];
    const wanted = [
      ...ODD_TOPICS.map((topic) => [topic, bytesOf(topic)] as const),
      ...bodies.map((body) => ["b", body] as const),
    ];
    for (const [topic, body] of wanted) {
      const given = Buffer.from(body);
      await appendOne(journal, topic, undefined, given);
      given.fill(0xee);
    }
    await heard.holds(() => heard.all.length >= wanted.length);
    for (const [index, [topic, body]] of wanted.entries()) {
      assert.equal(heard.all[index]?.topic, topic);
      assert.ok(body.equals(heard.all[index]?.body ?? bytesOf("none")), `another body under ${JSON.stringify(topic)}`);
    }
  },

  async "what one follower does with a body is not seen by another"(scene) {
    const journal = await scene.open();
    const rude = new Heard(({ body }) => body.fill(0xee));
    await journal.follow(undefined, rude);
    const heard = new Heard();
    const { behind } = await journal.follow(undefined, heard);
    await appendAll(journal, "one", "two");
    await heard.until("two");
    await rude.holds(() => rude.all.length === 2);
    const later = new Heard();
    await journal.follow(behind, later);
    await later.until("two");
    assert.deepEqual(
      [heard.texts, later.texts],
      [
        ["one", "two"],
        ["one", "two"],
      ],
    );
  },

  async "a follower that appends is told of it later, not inside of its call"(scene) {
    const journal = await scene.open();
    const appended: Promise<number>[] = [];
    const heard = new Heard(({ body }) => {
      if (textOf(body) === "call") appended.push(appendOne(journal, "g/plaza", undefined, bytesOf("answer")));
    });
    await journal.follow(undefined, heard);
    await appendAll(journal, "call");
    await heard.until("answer");
    await Promise.all(appended);
    assert.deepEqual(heard.texts, ["call", "answer"]);
  },
};

/** Ends of followers, and of the log. */
export const followerChecks: JournalChecks = {
  async "a follower that is stopped in its own call hears nothing more, and the others go on"(scene) {
    const journal = await scene.open();
    const stopped = new Heard(({ body }) => {
      if (textOf(body) === "stop") following.stop();
    });
    const following: Following = await journal.follow(undefined, stopped);
    const other = new Heard();
    await journal.follow(undefined, other);
    await appendAll(journal, "one", "stop");
    await stopped.until("stop");
    await appendAll(journal, "two", "three");
    await other.until("three");
    const later = new Heard();
    await journal.follow(following.behind, later);
    await later.until("three");
    assert.deepEqual(stopped.texts, ["one", "stop"]);
    following.stop();
  },

  async "a place that the log has not reached is a gap, as of a log that was lost, and it goes on"(scene) {
    const journal = await scene.open();
    const [last = 0] = await appendAll(journal, "one");
    const heard = new Heard();
    await journal.follow(last + 1_000, heard);
    await heard.holds(() => heard.gaps.length > 0);
    const place = await appendOne(journal, "g/plaza", undefined, bytesOf("two"));
    await heard.until("two");
    assert.deepEqual([heard.gaps, heard.texts, heard.all[0]?.place], [[last], ["two"], place]);
  },

  async "when entries behind a place are not kept any more, it says so and goes on with those that are"(scene) {
    const journal = await scene.open("bounded", 500);
    const [first = 0] = await appendAll(journal, "first");
    const places = new Set<number>();
    await each(
      3_000,
      async (number) => void places.add(await appendOne(journal, "g", undefined, bytesOf(`entry ${number}`))),
    );
    const heard = new Heard();
    await journal.follow(first, heard);
    const [last = 0] = await appendAll(journal, "the end");
    await heard.until("the end");
    const told = new Set(heard.all.map(({ place }) => place));
    assert.ok((heard.gaps[0] ?? 0) > first, "the log of 500 entries still has what stood behind the first of 3,000");
    assert.ok(told.size >= 400, `only ${told.size} entries are kept`);
    // What was not told stands right before a gap.
    const known = [...places, last].sort((a, b) => a - b);
    for (const [index, place] of known.entries()) {
      if (told.has(place) || heard.gaps.includes(place)) continue;
      const next = known[index + 1];
      assert.ok(next !== undefined && !told.has(next), `place ${place} was not told, and there was no gap`);
    }
  },
};

/** What a key does. */
export const keyChecks: JournalChecks = {
  async "an entry whose key was used is not appended again, and its place is that of before"(scene) {
    const journals = [await scene.open(), await scene.open()] as const;
    const heard = new Heard();
    await journals[0].follow(undefined, heard);
    const place = await appendOne(journals[0], "g/plaza", "ana/1/0", bytesOf("once"));
    for (const journal of journals) {
      assert.equal(await appendOne(journal, "g/plaza", "ana/1/0", bytesOf("once")), place);
      assert.equal(await appendOne(journal, "g/other", "ana/1/0", bytesOf("with another body")), place);
    }
    await appendAll(journals[0], "the end");
    await heard.until("the end");
    assert.deepEqual(heard.texts, ["once", "the end"]);
  },

  async "in one call an entry whose key was used, in it or before, has the place of before"(scene) {
    const journal = await scene.open();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    const entry = (key: string | undefined, text: string) => ({ key, body: bytesOf(text) });
    const [one = 0] = await journal.append("g/plaza", [entry("one", "one")]);
    const entries = [entry("two", "two"), entry("one", "no"), entry(undefined, "three"), entry("two", "no")];
    const [two = 0, again, three = 0, twice] = await journal.append("g/plaza", entries);
    assert.deepEqual([again, twice], [one, two]);
    assert.ok(one < two && two < three);
    await heard.until("three");
    assert.deepEqual(heard.texts, ["one", "two", "three"]);
  },

  async "of many that append with one key at once one does"(scene) {
    const journals = [await scene.open(), await scene.open()] as const;
    const heard = new Heard();
    await journals[0].follow(undefined, heard);
    const places = await Promise.all(
      Array.from({ length: 100 }, (_, number) =>
        appendOne(journals[number % 2] as SessionJournal, "g/plaza", "one key", bytesOf("once")),
      ),
    );
    assert.equal(new Set(places).size, 1);
    await appendAll(journals[0], "the end");
    await heard.until("the end");
    assert.deepEqual(heard.texts, ["once", "the end"]);
  },

  async "other keys are others, any characters in them, and without a key nothing is taken for the same"(scene) {
    const journal = await scene.open();
    const keys = [
      undefined,
      undefined,
      "",
      " ",
      "a b",
      "a\r\nb",
      "a\0b",
      "ñ",
      "廣",
      "a",
      "A",
      "undefined",
      "x".repeat(300),
    ];
    const places: number[] = [];
    for (const key of keys) places.push(await appendOne(journal, "g/plaza", key, bytesOf("the same body")));
    assert.equal(new Set(places).size, keys.length);
    for (const [index, key] of keys.entries()) {
      if (key !== undefined) assert.equal(await appendOne(journal, "g/plaza", key, bytesOf("again")), places[index]);
    }
  },
};
