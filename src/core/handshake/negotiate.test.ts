import assert from "node:assert/strict";
import { test } from "node:test";
import { client, helloOf, server } from "../../../test/fixtures/handshake-cases.ts";
import type { Hello } from "./hello.ts";
import { agreeWithClient, sameAgreement } from "./negotiate.ts";

test("a refusal says what would be accepted", () => {
  const refusals: readonly (readonly [Partial<Hello>, string, RegExp])[] = [
    [{ contract: "files" }, "CONTRACT_UNKNOWN", /offers the contract "chat", not "files"/],
    [{ version: "1.9.0" }, "VERSION_UNSUPPORTED", /the server speaks 2\.x, upgrade the client \(it speaks 1\.9\.0\)/],
    [{ version: "3.0.0" }, "VERSION_UNSUPPORTED", /the server speaks 2\.x, upgrade the server/],
    [{ accepts: { from: "2.2.0", below: "3.0.0" } }, "VERSION_UNSUPPORTED", /speaks 2\.1\.0.*use an older client/],
    [{ codecs: ["xml"] }, "CODEC_UNSUPPORTED", /msgpack, json/],
  ];
  for (const [change, code, message] of refusals) {
    const answered = agreeWithClient(server, { ...helloOf(client), ...change });
    assert.ok("refusal" in answered);
    assert.equal(answered.refusal.code, code);
    assert.match(answered.refusal.message, message);
  }
});

test("agreements are compared by value", () => {
  const agreed = agreeWithClient(server, helloOf(client));
  const again = agreeWithClient(server, JSON.parse(JSON.stringify(helloOf(client))) as Hello);
  assert.ok("agreement" in agreed && "agreement" in again);
  assert.equal(sameAgreement(agreed.agreement, again.agreement), true);
  assert.equal(sameAgreement(agreed.agreement, { ...again.agreement, codec: "bytes" }), false);
  const limits = { ...server.limits, maxCalls: 1 };
  assert.equal(sameAgreement(agreed.agreement, { ...again.agreement, limits }), false);
});

test("of what a peer offers, an agreement keeps the places of known names, and no other name", () => {
  const made = Array.from({ length: 400 }, (_, index) => `${index}`.padEnd(64, "x"));
  const agreed = agreeWithClient(server, { ...helloOf(client), offers: ["__proto__", "said", ...made] });
  assert.ok("agreement" in agreed);
  assert.deepEqual(agreed.agreement.peerOffers, ["", "said"]);
  const unknown = agreeWithClient(server, { ...helloOf(client), offers: ["toString", ...made] });
  assert.ok("agreement" in unknown);
  assert.deepEqual(unknown.agreement.peerOffers, []);
});
