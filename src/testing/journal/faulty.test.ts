import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeNetwork } from "../../index.ts";
import { memoryJournal } from "../../protocol.ts";
import { expectError } from "../expect-error.ts";
import { ManualClock } from "../manual-clock.ts";
import { FaultyJournal, type JournalFault } from "./faulty.ts";
import { appendOne, bytesOf, Heard, textAt } from "./scene.ts";
import { journalSuite } from "./suite.ts";

const made = new Map<string, FaultyJournal>();

journalSuite("FaultyJournal without a fault", ({ name, maxEntries }) => {
  const journal = made.get(name) ?? new FaultyJournal(memoryJournal({ name, maxEntries }), nodeNetwork.clock);
  made.set(name, journal);
  return journal;
});

async function opened(): Promise<{ journal: FaultyJournal; clock: ManualClock }> {
  const clock = new ManualClock(nodeNetwork.clock);
  const journal = new FaultyJournal(memoryJournal({ clock }), clock);
  await journal.open({ keptMs: 60_000 });
  return { journal, clock };
}

describe("FaultyJournal", () => {
  it("refuses without writing, loses the call, or writes and loses the answer", async () => {
    const { journal } = await opened();
    const outcomes: readonly (readonly [JournalFault["outcome"], string, string | undefined])[] = [
      ["refused", "JOURNAL_UNAVAILABLE", undefined],
      ["call lost", "JOURNAL_UNKNOWN", undefined],
      ["answer lost", "JOURNAL_UNKNOWN", "one"],
    ];
    for (const [outcome, code, text] of outcomes) {
      journal.fault = (call) => (call === "commit" ? { outcome } : undefined);
      const outcomeOfCall = outcome === "refused" ? "none" : "unknown";
      await assert.rejects(journal.commit("ana", 0, bytesOf("one")), { code, outcome: outcomeOfCall });
      assert.equal(await textAt(journal, "ana"), text);
    }
    journal.fault = () => ({ outcome: "answer lost" });
    await expectError(journal.read("ana"), { code: "JOURNAL_UNAVAILABLE" });
    await expectError(journal.remove("ana", 1), { code: "JOURNAL_UNKNOWN" });
    journal.fault = undefined;
    assert.equal(await journal.read("ana"), undefined);
  });

  it("waits before the call and before the answer", async () => {
    const { journal, clock } = await opened();
    journal.fault = (call) => (call === "commit" ? { delayMs: 100, answerDelayMs: 50 } : undefined);
    let answered = false;
    const commit = journal.commit("ana", 0, bytesOf("one")).then(() => (answered = true));
    await clock.advance(99);
    assert.equal(await textAt(journal, "ana"), undefined);
    await clock.advance(1);
    assert.deepEqual([await textAt(journal, "ana"), answered], ["one", false]);
    await clock.advance(50);
    assert.equal(await commit, true);
  });

  it("is away: refuses, loses the answers that are on their way, and tells followers afterwards, in order", async () => {
    const { journal, clock } = await opened();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    journal.fault = () => ({ answerDelayMs: 10 });
    const [one, two] = [
      appendOne(journal, "g", undefined, bytesOf("one")),
      appendOne(journal, "g", undefined, bytesOf("two")),
    ];
    const lost = Promise.all([one, two].map((call) => expectError(call, { code: "JOURNAL_UNKNOWN" })));
    journal.away = true;
    await clock.advance(10);
    await lost;
    await expectError(appendOne(journal, "g", undefined, bytesOf("three")), { code: "JOURNAL_UNAVAILABLE" });
    assert.deepEqual(heard.texts, []);
    journal.away = false;
    journal.fault = undefined;
    await appendOne(journal, "g", undefined, bytesOf("four"));
    await heard.until("four");
    assert.deepEqual(heard.texts, ["one", "two", "four"]);
  });

  it("drops what is published while it is away, and whenever a test says so", async () => {
    const { journal } = await opened();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    journal.fault = (call, topic) => (call === "publish" && topic === "g/two" ? { outcome: "refused" } : undefined);
    for (const topic of ["g/one", "g/two", "g/three"]) journal.publish(topic, bytesOf("x"));
    await heard.holds(() => heard.notices.length === 2);
    journal.away = true;
    journal.publish("g/four", bytesOf("x"));
    journal.away = false;
    journal.publish("g/five", bytesOf("x"));
    await heard.holds(() => heard.notices.length === 3);
    assert.deepEqual(
      heard.notices.map(([topic]) => topic),
      ["g/one", "g/three", "g/five"],
    );
  });

  it("tells a follower that was stopped while the store was away nothing", async () => {
    const { journal, clock } = await opened();
    const [stopped, other] = [new Heard(), new Heard()];
    const following = await journal.follow(undefined, stopped);
    await journal.follow(undefined, other);
    const append = appendOne(journal, "g", undefined, bytesOf("one"));
    journal.away = true;
    await expectError(append, { code: "JOURNAL_UNKNOWN" });
    await clock.turn();
    following.stop();
    journal.away = false;
    await other.until("one");
    assert.deepEqual(stopped.texts, []);
  });
});
