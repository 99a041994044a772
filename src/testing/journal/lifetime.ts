/** What a journal must do from `open` to `close`, and what another object of its name sees. */

import assert from "node:assert/strict";
import { assertErrorShape } from "../expect-error.ts";
import { appendOne, bytesOf, Heard, type JournalChecks, KEPT_MS, refused, textAt } from "./scene.ts";

/** Opening, closing, sharing. */
export const lifetimeChecks: JournalChecks = {
  async "two of one name have everything in common, and nothing with another name"(scene) {
    const [one, two, other] = [await scene.open(), await scene.open(), await scene.open("other")];
    assert.equal(one.name, two.name);
    const heard = new Heard();
    const elsewhere = new Heard();
    await two.follow(undefined, heard);
    await other.follow(undefined, elsewhere);
    const version = await one.commit("ana", 0, bytesOf("from one"));
    assert.equal(await textAt(two, "ana"), "from one");
    await two.commit("ana", version, bytesOf("from two"));
    await refused("JOURNAL_STALE", one.commit("ana", version, bytesOf("stale")));
    await appendOne(one, "g/plaza", "key", bytesOf("hola"));
    await heard.until("hola");
    assert.equal(await other.read("ana"), undefined);
    await appendOne(other, "g/plaza", "key", bytesOf("elsewhere"));
    await elsewhere.until("elsewhere");
    assert.deepEqual([heard.texts, elsewhere.texts], [["hola"], ["elsewhere"]]);
  },

  async "what was written is there when it is opened again"(scene) {
    const before = scene.make();
    await before.open({ keptMs: KEPT_MS });
    const version = await before.commit("ana", 0, bytesOf("one"));
    const { behind } = await before.follow(undefined, new Heard());
    const place = await appendOne(before, "g/plaza", "key", bytesOf("hola"));
    await before.close();
    const after = await scene.open();
    assert.equal(await textAt(after, "ana"), "one");
    assert.ok((await after.commit("ana", version, bytesOf("two"))) > version);
    const heard = new Heard();
    await after.follow(behind, heard);
    await heard.until("hola");
    assert.equal(await appendOne(after, "g/plaza", "key", bytesOf("hola")), place);
    assert.ok((await appendOne(after, "g/plaza", undefined, bytesOf("adiós"))) > place);
  },

  async "it is open until it was closed as often as it was opened"(scene) {
    const journal = await scene.open();
    await journal.open({ keptMs: 1 });
    await journal.close();
    const heard = new Heard();
    await journal.follow(undefined, heard);
    const version = await journal.commit("ana", 0, bytesOf("one"));
    await appendOne(journal, "g/plaza", undefined, bytesOf("hola"));
    await heard.until("hola");
    assert.ok((await journal.read("ana"))?.version === version);
  },

  async "without open, and after close, each call is refused"(scene) {
    const journal = scene.make("closed");
    const calls = (): readonly Promise<unknown>[] => [
      journal.read("ana"),
      journal.commit("ana", 0, bytesOf("one")),
      journal.remove("ana", 1),
      appendOne(journal, "g/plaza", undefined, bytesOf("hola")),
      journal.follow(undefined, new Heard()),
    ];
    const allRefused = async (): Promise<void> => {
      const outcomes = await Promise.allSettled(calls());
      for (const outcome of outcomes) {
        assert.equal(outcome.status, "rejected");
        await refused("JOURNAL_UNAVAILABLE", Promise.reject(outcome.reason as Error));
      }
    };
    await allRefused();
    await journal.open({ keptMs: KEPT_MS });
    await journal.read("ana");
    await journal.close();
    await allRefused();
    await journal.close();
    await journal.open({ keptMs: KEPT_MS });
    assert.equal(await journal.read("ana"), undefined);
    await journal.close();
  },

  async "a follower hears nothing after close"(scene) {
    const journal = scene.make();
    await journal.open({ keptMs: KEPT_MS });
    const heard = new Heard();
    const { behind } = await journal.follow(undefined, heard);
    await appendOne(journal, "g/plaza", undefined, bytesOf("before"));
    await heard.until("before");
    await journal.close();
    const other = await scene.open();
    await appendOne(other, "g/plaza", undefined, bytesOf("after"));
    const again = new Heard();
    await other.follow(behind, again);
    await again.until("after");
    assert.deepEqual(heard.texts, ["before"]);
  },

  async "calls that are under way at close come to an end, and say truly what was written"(scene) {
    const journal = scene.make();
    await journal.open({ keptMs: KEPT_MS });
    const commits = Array.from({ length: 200 }, (_, number) => journal.commit(`s${number}`, 0, bytesOf("one")));
    const others = [appendOne(journal, "g", undefined, bytesOf("hola")), journal.read("s1"), journal.remove("s", 1)];
    const settled = Promise.allSettled([...commits, ...others]);
    await journal.close();
    const outcomes = await settled;
    const after = await scene.open();
    for (const [number, outcome] of outcomes.entries()) {
      const code = outcome.status === "fulfilled" ? "done" : codeOf(outcome.reason);
      if (number >= commits.length || code === "JOURNAL_UNKNOWN") continue;
      assert.equal(await textAt(after, `s${number}`), code === "done" ? "one" : undefined, code);
    }
  },
};

function codeOf(error: unknown): string {
  assertErrorShape(error);
  assert.ok(error.code === "JOURNAL_UNAVAILABLE" || error.code === "JOURNAL_UNKNOWN", error.message);
  return error.code;
}
