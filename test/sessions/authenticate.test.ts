/** What a server knows about who asks to come in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Admitted, type Applicant, call, contract } from "../../src/protocol.ts";
import { makeIdentity, testCertificates } from "../certificates.ts";
import { openSession, serveSessions } from "./opened.ts";

const room = contract("room", "1.2.0", { server: { who: call<void, string>() } });

test("authenticate has the certificate of the client, its address and its version at hand", async () => {
  const { authority, server: identity } = await testCertificates();
  const client = await makeIdentity(authority, { name: "sensor-7" });
  const asked: Applicant[] = [];
  const admitted: Admitted[] = [];
  const server = await serveSessions(room, "tls://127.0.0.1:0", {
    tls: { ...identity, clientCertificate: "require", ca: authority.cert },
    authenticate: (applicant) => {
      asked.push(applicant);
      return applicant.tls?.peerCertificate?.subject;
    },
    data: (one) => {
      admitted.push(one);
      return { name: one.principal };
    },
    handlers: { who: (_input, { session }) => `${String(session.data["name"])} is ${session.principal}` },
  });
  const session = await openSession(room, server.localAddress, {
    tls: { ...client, ca: authority.cert },
    auth: { asked: "for" },
  });
  assert.equal(await session.who(), "sensor-7 is sensor-7");
  const [one] = asked;
  assert.equal(one?.tls?.authorized, true);
  assert.equal(String(one.remoteAddress), String(session.localAddress));
  assert.deepEqual([one.auth, one.version, one.resuming], [{ asked: "for" }, "1.2.0", false]);
  assert.deepEqual(admitted[0]?.principal, "sensor-7");
});

test("without TLS there is no certificate; without authenticate everybody is a principal of its own", async () => {
  const asked: unknown[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    authenticate: ({ tls, auth }) => {
      asked.push([tls, auth]);
      return "ana";
    },
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  assert.equal(await (await openSession(room, server.localAddress, {})).who(), "ana");
  assert.deepEqual(asked, [[undefined, undefined]]);
  const open = await serveSessions(room, "tcp://127.0.0.1:0", {
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  const session = await openSession(room, open.localAddress, {});
  assert.equal(await session.who(), session.id);
  assert.equal(session.principal, undefined);
});
