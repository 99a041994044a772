import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionText } from "./describe-socket.ts";

test("a connection in words; the name in a certificate gives no orders to a terminal", () => {
  const facts = { local: "tls://127.0.0.1:5000", remote: "tls://127.0.0.1:7000", family: "IPv4" };
  assert.equal(connectionText(facts), "tls://127.0.0.1:5000 with tls://127.0.0.1:7000 (IPv4)");
  const tls = {
    protocol: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    alpn: undefined,
    authorized: false,
    authorizationError: "SELF_SIGNED",
    certificate: "srv\u001b[2J\u009b",
    fingerprint256: undefined,
  };
  assert.match(connectionText({ ...facts, tls }), /certificate "srv\ufffd\[2J\ufffd" \(not trusted: SELF_SIGNED\)$/);
});
