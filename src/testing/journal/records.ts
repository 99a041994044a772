/** What a journal must do with records. */

import assert from "node:assert/strict";
import type { SessionJournal } from "../../io/journal/journal.ts";
import { bytesOf, each, type JournalChecks, refused, textAt, textOf } from "./scene.ts";

const MANY_RECORDS = 10_000;
const WRITERS = 1_000;
const LONGEST_BYTES = 1_048_576;

/** Ids that a store might take for something else, or for one another. */
const ODD_IDS: readonly string[] = [
  "",
  " ",
  "a b",
  "a.b",
  "a.b.",
  ".",
  "..",
  "*",
  ">",
  "a.*",
  "a.>",
  "$JS.API.>",
  "a/b",
  "../a",
  "a\\b",
  "a:b",
  "{a}",
  "a\0b",
  "a\0",
  "\r\nPING\r\n",
  "'; --",
  "%61",
  "a",
  "A",
  "á",
  "a\u0301",
  "ñandú",
  "廣場",
  "🏛️",
  "\u{10ffff}",
  "null",
  "undefined",
  "__proto__",
  "-",
  "_",
  "=",
  "YQ",
  "x".repeat(200),
  `${"x".repeat(199)}y`,
  "廣".repeat(200),
];

/** One record after the other. */
export const recordChecks: JournalChecks = {
  async "a record is created, read, written again and removed, each time with a higher version"(scene) {
    const journal = await scene.open();
    assert.equal(await journal.read("ana"), undefined);
    const first = await journal.commit("ana", 0, bytesOf("one"));
    assert.ok(first > 0, "0 is the version of no record");
    assert.equal((await journal.read("ana"))?.version, first);
    const second = await journal.commit("ana", first, bytesOf("two"));
    assert.ok(second > first);
    assert.deepEqual([(await journal.read("ana"))?.version, await textAt(journal, "ana")], [second, "two"]);
    await journal.remove("ana", second);
    assert.equal(await journal.read("ana"), undefined);
  },

  async "writing over another version is stale, and writes nothing"(scene) {
    const journal = await scene.open();
    await refused("JOURNAL_STALE", journal.commit("ana", 7, bytesOf("a record that is not there")));
    const first = await journal.commit("ana", 0, bytesOf("one"));
    await refused("JOURNAL_STALE", journal.commit("ana", 0, bytesOf("created twice")));
    const second = await journal.commit("ana", first, bytesOf("two"));
    for (const version of [0, first, second + 1]) {
      await refused("JOURNAL_STALE", journal.commit("ana", version, bytesOf("stale")));
    }
    assert.deepEqual([(await journal.read("ana"))?.version, await textAt(journal, "ana")], [second, "two"]);
  },

  async "removing another version is stale, and what is not there is removed already"(scene) {
    const journal = await scene.open();
    await journal.remove("nobody", 3);
    const first = await journal.commit("ana", 0, bytesOf("one"));
    const second = await journal.commit("ana", first, bytesOf("two"));
    await refused("JOURNAL_STALE", journal.remove("ana", first));
    assert.equal(await textAt(journal, "ana"), "two");
    await journal.remove("ana", second);
    await journal.remove("ana", second);
  },

  async "an id that is used again never has a version that it had before"(scene) {
    const journal = await scene.open();
    const first = await journal.commit("ana", 0, bytesOf("one"));
    await journal.remove("ana", first);
    await refused("JOURNAL_STALE", journal.commit("ana", first, bytesOf("from before the removal")));
    const again = await journal.commit("ana", 0, bytesOf("again"));
    assert.ok(again > first, `version ${again} is not above ${first}`);
    await refused("JOURNAL_STALE", journal.commit("ana", first, bytesOf("from before the removal")));
    assert.equal(await textAt(journal, "ana"), "again");
  },

  async "bytes that were given or answered may be changed"(scene) {
    const journal = await scene.open();
    const given = bytesOf("one");
    await journal.commit("ana", 0, given);
    given.fill(0xee);
    const answered = (await journal.read("ana"))?.bytes;
    assert.equal(textOf(answered), "one");
    answered?.fill(0xee);
    assert.equal(await textAt(journal, "ana"), "one");
  },

  async "a record may be empty, and as long as 1 MiB"(scene) {
    const journal = await scene.open();
    const longest = Buffer.alloc(LONGEST_BYTES, "zócalo\0\r\n");
    let version = 0;
    for (const bytes of [Buffer.alloc(0), longest, Buffer.alloc(0)]) {
      version = await journal.commit("ana", version, bytes);
      const read = (await journal.read("ana"))?.bytes;
      assert.ok(read !== undefined && bytes.equals(read), `not the ${bytes.length} bytes that were written`);
    }
  },

  async "an id may have any characters, and no two are one"(scene) {
    const journal = await scene.open();
    await each(ODD_IDS.length, async (number) => void (await journal.commit(at(number), 0, bytesOf(String(number)))));
    await each(ODD_IDS.length, async (number) => assert.equal(await textAt(journal, at(number)), String(number)));
  },
};

function at(number: number): string {
  return ODD_IDS[number] as string;
}

/** Many records, and many who write. */
export const crowdChecks: JournalChecks = {
  async "10,000 records are kept apart"(scene) {
    const journal = await scene.open();
    const versions: number[] = [];
    await each(MANY_RECORDS, async (number) => {
      versions[number] = await journal.commit(`session ${number}`, 0, bytesOf(`of ${number}`));
    });
    await each(MANY_RECORDS, async (number) => {
      const record = await journal.read(`session ${number}`);
      assert.deepEqual([record?.version, textOf(record?.bytes)], [versions[number], `of ${number}`]);
    });
  },

  async "of 1,000 who write at once exactly one does, each time"(scene) {
    const journals = [await scene.open(), await scene.open()];
    let version = 0;
    for (let round = 0; round < 4; round += 1) version = await race(journals, version);
  },
};

/** Lets all write over one version; answers the version of the one who did. */
async function race(journals: readonly SessionJournal[], version: number): Promise<number> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: WRITERS }, (_, writer) =>
      (journals[writer % journals.length] as SessionJournal).commit("ana", version, bytesOf(`writer ${writer}`)),
    ),
  );
  const record = await journals[0]?.read("ana");
  const text = textOf(record?.bytes);
  const winner = outcomes.findIndex((_, writer) => text === `writer ${writer}`);
  for (const [writer, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") {
      assert.deepEqual(
        [writer, outcome.value],
        [winner, record?.version],
        `not one has written over version ${version}`,
      );
    } else if (writer === winner || codeOf(outcome.reason) === "JOURNAL_UNKNOWN") {
      // The answer came too late: the machine has other work.
      await refused("JOURNAL_UNKNOWN", Promise.reject(outcome.reason as Error));
    } else await refused("JOURNAL_STALE", Promise.reject(outcome.reason as Error));
  }
  assert.notEqual(winner, -1, `nobody has written over version ${version}`);
  return record?.version ?? 0;
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}
