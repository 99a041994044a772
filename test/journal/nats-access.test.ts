import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";
import { natsJournal, type NatsJournalOptions } from "../../src/journal-nats.ts";
import { journalSuite } from "../../src/testing.ts";
import { appendOne, Heard } from "../../src/testing/journal/scene.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";
import { outages, StoreServer } from "../fixtures/journal-outages.ts";
import { freePort, missing } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const port = await freePort();
const { authority, server: identity } = await testCertificates();
const own = await makeIdentity(authority, { name: "chat" });
for (const [name, text] of Object.entries({ ca: authority.cert, cert: identity.cert, key: identity.key })) {
  writeFileSync(join(folder, `${name}.pem`), text);
}

const configuration = join(folder, "nats.conf");

/** What the server reads when it starts: for clients with certificates only, and with the permissions that the guide names. */
function configure(password: string): void {
  writeFileSync(
    configuration,
    `host: "127.0.0.1"
port: ${port}
max_payload: 2MB
jetstream { store_dir: "${folder}", max_file_store: 4GB, max_memory_store: 64MB }
tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem", ca_file: "${folder}/ca.pem", verify: true }
authorization {
  users: [
    {
      user: chat
      password: "${password}"
      permissions: { publish: ["zocalo.>", "$JS.API.>"], subscribe: ["zocalo.>", "_INBOX.>"] }
    }
    { user: guest, password: "${password}", permissions: { publish: ["nothing"], subscribe: ["_INBOX.>"] } }
  ]
}
`,
  );
}

const server = new StoreServer(["nats-server", "-c", configuration], /Server is ready/);
const tls = { ca: authority.cert, cert: own.cert, key: own.key };
const connection = { user: "chat", pass: "open sesame", tls };

/** A journal that reserves little, over such a connection. */
function journalOver(given: object, options: Partial<NatsJournalOptions> = {}): ReturnType<typeof natsJournal> {
  const bounds = { maxRecordBytes: 33_554_432, maxLogBytes: 33_554_432 };
  return natsJournal({
    servers: [`127.0.0.1:${port}`],
    name: "access",
    ...bounds,
    connection: { ...given },
    ...options,
  });
}

describe("nats with credentials and TLS", { skip: missing("nats-server") }, () => {
  before(async () => {
    configure("open sesame");
    await server.start();
  });
  after(() => server.kill());

  journalSuite("natsJournal with the least that its user may do", ({ name, maxEntries }) =>
    journalOver(connection, { name, maxEntries }),
  );

  for (const [what, given, reason] of [
    ["a wrong password", { ...connection, pass: "wrong" }, /: Authorization Violation;/],
    ["no user", { tls }, /: Authorization Violation;/],
    ["a user that may do nothing", { ...connection, user: "guest" }, /: Permissions Violation for Publish/],
    ["an authority that it does not know", { ...connection, tls: { ...tls, ca: undefined } }, /verify.* certificate;/],
    [
      "a server of another name",
      { ...connection, tls: { ...tls, servername: "other" } },
      /: Hostname\/IP does not match/,
    ],
  ] as const) {
    it(`rejects open for ${what}, and says so`, async () => {
      const error = await expectError(journalOver(given).open({ keptMs: 60_000 }), {
        code: "JOURNAL_UNAVAILABLE",
        op: "open",
      });
      assert.match(error.detail, reason);
      assert.doesNotMatch(inspect(error), /wrong|open sesame/);
    });
  }

  it("rejects open without a certificate of its own, and where TLS is asked for and not there", async () => {
    const unavailable = { code: "JOURNAL_UNAVAILABLE", op: "open" } as const;
    const noCertificate = journalOver({ ...connection, tls: { ca: authority.cert } });
    await expectError(noCertificate.open({ keptMs: 60_000 }), unavailable);
    const plainPort = await freePort();
    const plain = new StoreServer(["nats-server", "-a", "127.0.0.1", "-p", `${plainPort}`], /Server is ready/);
    await plain.start();
    try {
      const journal = journalOver(connection, { servers: [`127.0.0.1:${plainPort}`] });
      assert.match((await expectError(journal.open({ keptMs: 60_000 }), unavailable)).detail, /tls/);
    } finally {
      await plain.kill();
    }
  });

  it("loses nothing when its server is killed under load", { timeout: 120_000 }, async () => {
    await outages(journalOver(connection, { name: "outages" }), server, 2);
  });

  it("goes on after its server has refused it for a while", { timeout: 60_000 }, async () => {
    const journal = journalOver(connection, { name: "refused" });
    await journal.open({ keptMs: 60_000 });
    const heard = new Heard();
    await journal.follow(undefined, heard);
    const version = await journal.commit("ana", 0, Buffer.from("one"));
    const startAgain = async (password: string): Promise<void> => {
      await server.kill();
      configure(password);
      await server.start();
    };
    await startAgain("changed");
    await server.said("authentication error", 3);
    await expectError(journal.commit("ana", version, Buffer.from("two")), {
      code: "JOURNAL_UNAVAILABLE",
      op: "commit",
    });
    await startAgain("open sesame");
    while ((await journal.read("ana").catch(() => undefined)) === undefined) await setTimeout(5);
    assert.ok((await journal.commit("ana", version, Buffer.from("two"))) > version);
    await appendOne(journal, "g", undefined, Buffer.from("three"));
    await heard.until("three");
    await journal.close();
  });
});
