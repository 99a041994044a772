import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { natsJournal, type NatsJournalOptions } from "../../src/journal-nats.ts";
import { namesOf } from "../../src/journal/nats/store.ts";
import { journalSuite } from "../../src/testing.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { logLost, outages, StoreServer } from "../fixtures/journal-outages.ts";
import { freePort, missing } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const port = await freePort();
const servers = [`127.0.0.1:${port}`];
const configuration = join(folder, "nats.conf");
writeFileSync(
  configuration,
  `host: "127.0.0.1"
port: ${port}
max_payload: 2MB
jetstream { store_dir: "${folder}", max_file_store: 4GB, max_memory_store: 64MB }
`,
);
const server = new StoreServer(["nats-server", "-c", configuration], /Server is ready/);

/** A journal that reserves little. */
function small(options: Partial<NatsJournalOptions> & { readonly name: string }): ReturnType<typeof natsJournal> {
  return natsJournal({ servers, maxRecordBytes: 33_554_432, maxLogBytes: 33_554_432, ...options });
}

const body = Buffer.from("body");

describe("nats", { skip: missing("nats-server") }, () => {
  before(() => server.start());
  after(() => server.kill());

  journalSuite("natsJournal", ({ name, maxEntries }) => small({ name, maxEntries }));

  it("takes any name, and keeps journals apart by it", async () => {
    const journals = ["a.b", "a b", "*", "ñ", "A", "a"].map((name) => small({ name, maxRecords: 10 }));
    for (const journal of journals) {
      await journal.open({ keptMs: 60_000 });
      await journal.commit("ana", 0, Buffer.from(journal.name));
    }
    for (const journal of journals) {
      assert.equal(Buffer.from((await journal.read("ana"))?.bytes ?? []).toString(), journal.name);
      await journal.close();
    }
  });

  it("refuses what is over a limit, and goes on", async () => {
    const journal = small({ name: "limits", maxRecords: 2 });
    await journal.open({ keptMs: 60_000 });
    const away = { code: "JOURNAL_UNAVAILABLE", outcome: "none" } as const;
    const first = await journal.commit("one", 0, body);
    await journal.commit("two", 0, body);
    const error = await expectError(journal.commit("three", 0, body), { ...away, op: "commit" });
    assert.match(error.detail, /there are maxRecords records/);
    await expectError(journal.commit("x".repeat(2_001), 0, body), { ...away, op: "commit" });
    const tooLong = { code: "JOURNAL_RECORD_INVALID", op: "commit", outcome: "none" } as const;
    await expectError(journal.commit("one", first, Buffer.alloc(2_097_000)), tooLong);
    await journal.commit("one", first, body);
    await journal.close();
  });

  it("passes over what others put into its subjects, and takes no stream that others have made", async () => {
    const journal = small({ name: "foreign" });
    const { logSubject, publishedSubject } = namesOf("foreign");
    await journal.open({ keptMs: 60_000 });
    const others = await connect({ servers });
    const told: string[] = [];
    let done = (): void => undefined;
    const both = new Promise<void>((resolve) => (done = resolve));
    const tell = (topic: string): void =>
      void (told.push(topic) && told.includes("g/a") && told.includes("s/b") && done());
    const following = await journal.follow(undefined, {
      entries: (entries) => entries.forEach(({ topic }) => tell(topic)),
      gap: (place) => tell(`gap ${place}`),
      published: tell,
    });
    for (const subject of [logSubject, publishedSubject]) {
      for (const bytes of ["", "abc", "\xff\xff\xff\xff"]) others.publish(subject, Buffer.from(bytes, "latin1"));
    }
    await others.flush();
    await journal.append("g/a", [{ body }]);
    journal.publish("s/b", body);
    await both;
    assert.deepEqual(new Set(told), new Set(["", "g/a", "s/b"]));
    following.stop();
    await journal.close();
    const { streams } = await jetstreamManager(others);
    await streams.add({ name: namesOf("taken").log, subjects: ["orders.*"] });
    const error = await expectError(small({ name: "taken" }).open({ keptMs: 60_000 }), {
      code: "JOURNAL_UNAVAILABLE",
      op: "open",
    });
    assert.match(error.detail, /the stream zocalo-log-\S+ has the subjects orders\.\*/);
    await others.close();
  });

  it("keeps as long as the server that needs it longest", async () => {
    const [one, two] = [small({ name: "kept" }), small({ name: "kept" })];
    await one.open({ keptMs: 60_000 });
    await two.open({ keptMs: 600_000 });
    await one.open({ keptMs: 700_000 });
    for (const journal of [one, one, two]) await journal.close();
  });

  it("keeps nothing of the calls that it has answered", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const journal = small({ name: "answered" });
    await journal.open({ keptMs: 60_000 });
    await journal.commit("ana", 0, body);
    const record = new WeakRef((await journal.read("ana")) as object);
    // A reference that was looked at lives until the end of its turn.
    for (let round = 0; round < 20 && record.deref() !== undefined; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    await journal.close();
    assert.equal(record.deref(), undefined);
  });

  it("rejects open when no server answers", async () => {
    const journal = natsJournal({ servers: [`127.0.0.1:${await freePort()}`], name: "nobody" });
    const error = await expectError(journal.open({ keptMs: 1_000 }), { code: "JOURNAL_UNAVAILABLE", op: "open" });
    assert.match(error.detail, /^NATS cannot be used: .*; is nats-server running, with JetStream \(-js\), .*\?$/);
  });

  it("writes more bytes than its server may keep, as records take the place of others", async () => {
    const own = join(temporaryFolder(), "nats.conf");
    const ownPort = await freePort();
    const jetstream = `jetstream { store_dir: "${join(own, "..")}", max_file_store: 32MB }`;
    writeFileSync(own, `host: "127.0.0.1"\nport: ${ownPort}\n${jetstream}\n`);
    const little = new StoreServer(["nats-server", "-c", own], /Server is ready/);
    await little.start();
    const bounds = { maxRecordBytes: 8_388_608, maxLogBytes: 8_388_608 };
    const journal = natsJournal({ servers: [`127.0.0.1:${ownPort}`], name: "over", ...bounds });
    try {
      await journal.open({ keptMs: 60_000 });
      const bytes = Buffer.alloc(250_000);
      let version = 0;
      for (let count = 0; count < 160; count += 1) version = await journal.commit("ana", version, bytes);
      assert.equal((await journal.read("ana"))?.version, version);
    } finally {
      await journal.close();
      await little.kill();
    }
  });

  it("checks its options", () => {
    for (const wrong of [
      undefined,
      {},
      { servers: [], name: "a" },
      { servers, name: "" },
      { servers, name: "a", replicas: 6 },
    ]) {
      assert.throws(() => natsJournal(wrong as NatsJournalOptions), { code: "OPTION_INVALID" });
    }
  });

  it("tells a follower that everything is lost, and goes on", async () => {
    await logLost(small({ name: "lost" }), async () => {
      await server.kill();
      rmSync(join(folder, "jetstream"), { recursive: true });
      await server.start();
    });
  });

  it("loses nothing when its server is killed under load", { timeout: 120_000 }, async () => {
    await outages(small({ name: "outages" }), server, 3);
  });
});
