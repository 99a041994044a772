import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { nodeNetwork } from "../../src/index.ts";
import { fileJournal } from "../../src/journal-file.ts";
import { FileJournal, type FileJournalSettings } from "../../src/journal/file/journal.ts";
import { openLmdb } from "../../src/journal/file/lmdb.ts";
import { journalSuite } from "../../src/testing.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { appendOne, Heard } from "../../src/testing/journal/scene.ts";
import { logLost } from "../fixtures/journal-outages.ts";
import { killRounds } from "../fixtures/journal-kills.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();

journalSuite("fileJournal", ({ name, maxEntries }) => fileJournal({ name, path: join(folder, name), maxEntries }));

const body = Buffer.from("body");

/** A journal whose time of day the test sets. */
class AtTime {
  nowMs = 1_800_000_000_000;

  make(path: string, changed: Partial<FileJournalSettings> = {}): FileJournal {
    const bounds = { maxRecords: 10, maxRecordBytes: 1_000, maxEntries: 10, maxLogBytes: 1_000 };
    return new FileJournal(
      { path, name: "file", pollMs: 1, ...bounds, ...changed },
      nodeNetwork.clock,
      () => this.nowMs,
    );
  }
}

describe("fileJournal", () => {
  it("keeps a record for keptMs after it was written, and after the journal was opened again", async (t) => {
    const time = new AtTime();
    const journal = time.make(join(temporaryFolder(t), "kept"), { maxRecords: 2 });
    await journal.open({ keptMs: 60_000 });
    const first = await journal.commit("ana", 0, body);
    time.nowMs += 59_999;
    const second = await journal.commit("ana", first, body);
    time.nowMs += 59_999;
    assert.equal((await journal.read("ana"))?.version, second);
    await journal.close();
    time.nowMs += 3_600_000;
    await journal.open({ keptMs: 60_000 });
    time.nowMs += 59_999;
    assert.equal((await journal.read("ana"))?.version, second);
    time.nowMs += 1;
    assert.equal(await journal.read("ana"), undefined);
    for (const id of ["eva", "leo"]) await journal.commit(id, 0, body);
    assert.ok((await journal.commit("ana", 0, body).catch(() => 0)) === 0, "a third record of two");
    await journal.close();
  });

  it("keeps a key for three minutes, over a restart too", async (t) => {
    const time = new AtTime();
    const journal = time.make(join(temporaryFolder(t), "keys"));
    await journal.open({ keptMs: 60_000 });
    const place = await appendOne(journal, "g", "key", body);
    await journal.close();
    await journal.open({ keptMs: 60_000 });
    time.nowMs += 179_999;
    assert.equal(await appendOne(journal, "g", "key", body), place);
    time.nowMs += 1;
    assert.equal(await appendOne(journal, "g", "key", body), place + 1);
    await journal.close();
  });

  it("refuses what is over a limit, and goes on", async (t) => {
    const journal = new AtTime().make(join(temporaryFolder(t), "limits"), { maxRecords: 2, maxLogBytes: 100 });
    await journal.open({ keptMs: 60_000 });
    const away = { code: "JOURNAL_UNAVAILABLE", outcome: "none" } as const;
    const first = await journal.commit("one", 0, body);
    await expectError(journal.commit("two", 0, Buffer.alloc(1_000)), { ...away, op: "commit" });
    await expectError(journal.commit("x".repeat(2_000), 0, body), { ...away, op: "commit" });
    await journal.commit("two", 0, body);
    await expectError(journal.commit("three", 0, body), { ...away, op: "commit" });
    await journal.remove("one", first);
    await journal.commit("three", 0, body);
    await expectError(appendOne(journal, "g", undefined, Buffer.alloc(100)), { ...away, op: "append" });
    for (let count = 0; count < 4; count += 1) await appendOne(journal, "g", undefined, Buffer.alloc(20));
    const heard = new Heard();
    await journal.follow(0, heard);
    await heard.holds(() => heard.all.at(-1)?.place === 4);
    assert.deepEqual(heard.gaps, [1]);
    await journal.close();
  });

  it("says what is wrong with a file that is damaged or no journal", async (t) => {
    const path = join(temporaryFolder(t), "sessions");
    const journal = fileJournal({ path });
    await journal.open({ keptMs: 60_000 });
    for (let count = 0; count < 200; count += 1) await journal.commit(`s${count}`, 0, Buffer.alloc(2_000));
    await journal.close();
    const whole = readFileSync(path);
    const damaged: Readonly<Record<string, () => void>> = {
      garbage: () => writeFileSync(path, Buffer.alloc(20_000, "garbage")),
      short: () => writeFileSync(path, "no journal"),
      "without its header": () => writeFileSync(path, Buffer.concat([Buffer.alloc(100), whole.subarray(100)])),
      "cut in the middle": () => truncateSync(path, 12_288),
      "a folder": () => undefined,
      "with a folder in place of its lock": () => {
        rmSync(`${path}-lock`);
        mkdirSync(`${path}-lock`);
      },
    };
    for (const [name, damage] of Object.entries(damaged)) {
      writeFileSync(path, whole);
      damage();
      const one = fileJournal({ path: name === "a folder" ? temporaryFolder(t) : path });
      const error = await expectError(one.open({ keptMs: 1 }), { code: "JOURNAL_UNAVAILABLE", op: "open" });
      assert.match(error.detail, /^the file .* cannot be used: .*; give another path, or restore the file$/, name);
      await expectError(one.read("s1"), { code: "JOURNAL_UNAVAILABLE" });
    }
    writeFileSync(path, whole);
    rmdirSync(`${path}-lock`);
    await journal.open({ keptMs: 60_000 });
    assert.equal((await journal.read("s199"))?.bytes.length, 2_000);
    await journal.close();
  });

  it("tells a follower that everything is lost, and goes on", async (t) => {
    const path = join(temporaryFolder(t), "lost");
    await logLost(fileJournal({ path }), async () => {
      const database = await openLmdb(path);
      await database.transaction(() => {
        const all = Array.from(database.getRange({ start: Buffer.from("a"), end: Buffer.from("z") }));
        for (const { key } of all) database.remove(key);
      });
      await database.close();
    });
  });

  it("checks its options", () => {
    for (const wrong of [undefined, {}, { path: "" }, { path: "x", pollMs: 0 }, { path: "x", max: 1 }]) {
      assert.throws(() => fileJournal(wrong as { path: string }), { code: "OPTION_INVALID" });
    }
  });

  it("rejects what the disk has no room for, and goes on with what it has", async (t) => {
    // Files of that process have 1,024 blocks of 512 bytes at most.
    const program = join(repositoryRoot, "build/test/journal/full-disk.js");
    const script = `ulimit -f 1024 && exec "${process.execPath}" "${program}" "${join(temporaryFolder(t), "full")}"`;
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", script], { timeout: 60_000 });
    assert.equal(
      stdout,
      "small: written\nlong: JOURNAL_UNKNOWN\nsmall: written\nlong: JOURNAL_UNKNOWN\nsmall: written\n",
    );
  });

  it("loses nothing when its process is killed, ten times", { timeout: 240_000 }, async (t) => {
    await killRounds(join(temporaryFolder(t), "killed"), 10);
  });
});
