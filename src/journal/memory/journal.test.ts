import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeNetwork } from "../../index.ts";
import { memoryJournal, type MemoryJournalOptions, type SessionJournal } from "../../protocol.ts";
import { journalSuite, ManualClock } from "../../testing.ts";
import { expectError } from "../../testing/expect-error.ts";
import { appendOne, Heard } from "../../testing/journal/scene.ts";

const made = new Map<string, SessionJournal>();

journalSuite("memoryJournal", ({ name, maxEntries }) => {
  const journal = made.get(name) ?? memoryJournal({ name, maxEntries });
  made.set(name, journal);
  return journal;
});

const body = Buffer.from("body");

async function opened(options: MemoryJournalOptions = {}, keptMs = 60_000): Promise<SessionJournal> {
  const journal = memoryJournal(options);
  await journal.open({ keptMs });
  return journal;
}

describe("memoryJournal", () => {
  it("keeps a record for keptMs after it was written last, and forgets it then", async () => {
    const clock = new ManualClock(nodeNetwork.clock);
    const journal = await opened({ clock, maxRecords: 1 });
    await journal.open({ keptMs: 10_000 });
    const first = await journal.commit("ana", 0, body);
    await clock.advance(59_000);
    const second = await journal.commit("ana", first, body);
    await clock.advance(59_999);
    assert.equal((await journal.read("ana"))?.version, second);
    await clock.advance(1);
    assert.equal(await journal.read("ana"), undefined);
    await journal.commit("eva", 0, body);
  });

  it("keeps an entry for keptMs, a key for three minutes", async () => {
    const clock = new ManualClock(nodeNetwork.clock);
    const journal = await opened({ clock });
    const place = await appendOne(journal, "g", "key", body);
    await clock.advance(60_000);
    const heard = new Heard();
    await journal.follow(place - 1, heard);
    await heard.holds(() => heard.gaps.length > 0);
    assert.deepEqual(heard.gaps, [place]);
    await clock.advance(119_999);
    assert.equal(await appendOne(journal, "g", "key", body), place);
    await clock.advance(1);
    assert.equal(await appendOne(journal, "g", "key", body), place + 1);
    await heard.holds(() => heard.all.length === 1);
  });

  it("refuses what is over a limit, and goes on", async () => {
    const journal = await opened({ maxRecords: 2, maxRecordBytes: 10, maxLogBytes: 10 });
    const away = { code: "JOURNAL_UNAVAILABLE", outcome: "none" } as const;
    const first = await journal.commit("one", 0, Buffer.alloc(6));
    await expectError(journal.commit("two", 0, Buffer.alloc(5)), { ...away, op: "commit" });
    await journal.commit("two", 0, Buffer.alloc(4));
    await expectError(journal.commit("three", 0, Buffer.alloc(0)), { ...away, op: "commit" });
    await journal.remove("one", first);
    await journal.commit("three", 0, Buffer.alloc(6));
    await expectError(appendOne(journal, "g", undefined, Buffer.alloc(11)), { ...away, op: "append" });
    for (let count = 0; count < 3; count += 1) await appendOne(journal, "g", undefined, Buffer.alloc(5));
    const heard = new Heard();
    await journal.follow(0, heard);
    await heard.holds(() => heard.all.length === 2);
    assert.deepEqual(heard.gaps, [1]);
  });

  it("says gap to a follower whose place it never had, as when another process had it", async () => {
    const journal = await opened();
    await appendOne(journal, "g", undefined, body);
    const told: number[] = [];
    await journal.follow(4_711, {
      entries: (entries) => told.push(...entries.map(({ place }) => place)),
      gap: (place) => told.push(-place),
    });
    await appendOne(journal, "g", undefined, body);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told.slice(-1), [2]);
    assert.equal(told[0]! < 0, true);
  });

  it("answers its name, and refuses options that it does not have", () => {
    assert.equal(memoryJournal().name, "memory");
    assert.equal(memoryJournal({ name: "chat" }).name, "chat");
    for (const wrong of [{ maxRecords: 0 }, { maxEntry: 1 }, { name: "" }, { clock: 7 }, null]) {
      assert.throws(() => memoryJournal(wrong as MemoryJournalOptions), { code: "OPTION_INVALID" });
    }
  });
});
