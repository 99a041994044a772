import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createClient } from "redis";
import { redisJournal, type RedisJournalOptions } from "../../src/journal-redis.ts";
import { journalSuite } from "../../src/testing.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { appendOne, Heard } from "../../src/testing/journal/scene.ts";
import { logLost, outages, StoreServer } from "../fixtures/journal-outages.ts";
import { freePort, missing } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const port = await freePort();
const url = `redis://127.0.0.1:${port}`;
const flags = ["--bind", "127.0.0.1", "--port", String(port), "--dir", temporaryFolder(), "--save", ""];
const durable = ["--appendonly", "yes", "--appendfsync", "always"];
const server = new StoreServer(["redis-server", ...flags, ...durable], /Ready to accept connections/);

const body = Buffer.from("body");

describe("redis", { skip: missing("redis-server") }, () => {
  before(() => server.start());
  after(() => server.kill());

  journalSuite("redisJournal", ({ name, maxEntries }) => redisJournal({ url, name, maxEntries }));

  it("takes any name, and keeps journals apart by it", async () => {
    const journals = ["a.b", "a b", "{a}", "ñ", "A", "a"].map((name) => redisJournal({ url, name }));
    for (const journal of journals) {
      await journal.open({ keptMs: 60_000 });
      await journal.commit("ana", 0, Buffer.from(journal.name));
    }
    for (const journal of journals) {
      assert.equal(Buffer.from((await journal.read("ana"))?.bytes ?? []).toString(), journal.name);
      await journal.close();
    }
  });

  it("drops the oldest entries when the log is too long, and says so", async () => {
    const journal = redisJournal({ url, name: "limits", maxLogBytes: 100 });
    await journal.open({ keptMs: 60_000 });
    const away = { code: "JOURNAL_UNAVAILABLE", op: "append", outcome: "none" } as const;
    await expectError(appendOne(journal, "g", undefined, Buffer.alloc(100)), away);
    for (let count = 0; count < 4; count += 1) await appendOne(journal, "g", undefined, Buffer.alloc(32));
    const heard = new Heard();
    await journal.follow(0, heard);
    await heard.holds(() => heard.all.at(-1)?.place === 4);
    assert.deepEqual(heard.gaps, [1]);
    await journal.close();
  });

  it("rejects open when no server answers", async () => {
    const journal = redisJournal({ url: `redis://127.0.0.1:${await freePort()}`, name: "nobody" });
    const error = await expectError(journal.open({ keptMs: 1_000 }), { code: "JOURNAL_UNAVAILABLE", op: "open" });
    assert.match(
      error.detail,
      /^Redis cannot be reached: .*ECONNREFUSED.*; is redis-server running, and is the URL right\?$/,
    );
    await expectError(journal.commit("ana", 0, body), { code: "JOURNAL_UNAVAILABLE" });
  });

  it("checks its options, and shows no password", () => {
    for (const wrong of [
      undefined,
      {},
      { url: "http://a", name: "a" },
      { url, name: "" },
      { url, name: "a", max: 1 },
    ]) {
      assert.throws(() => redisJournal(wrong as RedisJournalOptions), { code: "OPTION_INVALID" });
    }
    assert.throws(
      () => redisJournal({ url: "secret@host", name: "a" }),
      (error: Error) => !error.message.includes("secret"),
    );
  });

  it("tells a follower that everything is lost, and goes on", async () => {
    await logLost(redisJournal({ url, name: "lost" }), async () => {
      const client = createClient({ url });
      await client.connect();
      await client.flushAll();
      await client.close();
    });
  });

  it("takes what somebody else has put at its keys for damaged, and appends once all the same", async () => {
    const journal = redisJournal({ url, name: "strange" });
    await journal.open({ keptMs: 60_000 });
    const client = createClient({ url });
    await client.connect();
    const prefix = `{zocalo:${Buffer.from("strange").toString("base64url")}}`;
    const version = await journal.commit("ana", 0, body);
    await client.hSet(`${prefix}:record:ana`, "v", "none");
    assert.deepEqual(await journal.read("ana"), { version: 0, bytes: Buffer.alloc(0) });
    await client.set(`${prefix}:record:ana`, "a text");
    assert.deepEqual(await journal.read("ana"), { version: 0, bytes: Buffer.alloc(0) });
    await expectError(journal.commit("ana", version, body), { code: "JOURNAL_STALE" });
    await client.hIncrBy(`${prefix}:meta`, "p", 1);
    await client.sendCommand(["XADD", `${prefix}:log`, "1-0", "t", "g/plaza"]);
    assert.equal(await appendOne(journal, "g", "key", body), 2);
    assert.equal(await appendOne(journal, "g", "key", body), 2);
    const told: string[] = [];
    await new Promise<void>((done) => {
      const published = (topic: string): void => void (told.push(topic) === 2 && done());
      void journal.follow(undefined, { entries: () => undefined, gap: () => undefined, published }).then(async () => {
        await client.publish(`${prefix}:published`, "abc");
        journal.publish("s/b", body);
      });
    });
    assert.deepEqual(told, ["", "s/b"]);
    await client.close();
    await journal.close();
  });

  it("loses nothing when its server is killed under load", { timeout: 120_000 }, async () => {
    await outages(redisJournal({ url, name: "outages" }), server, 3);
  });
});
