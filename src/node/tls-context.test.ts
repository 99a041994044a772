import assert from "node:assert/strict";
import { test } from "node:test";
import { makeIdentity, testCertificates } from "../../test/fixtures/certificates.ts";
import { UsageError } from "../core/errors.ts";
import type { TlsOptions } from "../io/network/tls.ts";
import { checkTls, contextOf, namedContextOf } from "./tls-context.ts";

const { authority, server } = await testCertificates();
const context = { op: "listen" };

test("a context is made once for an options object, and once for each of its names", async () => {
  const shop = await makeIdentity(authority, { name: "shop", dns: ["shop.example"] });
  const options: TlsOptions = { ...server, sni: { "shop.example": shop } };
  checkTls(options, context, "tls.");
  assert.equal(contextOf(options), contextOf(options));
  assert.equal(namedContextOf(options, "shop.example"), namedContextOf(options, "shop.example"));
  assert.notEqual(namedContextOf(options, "shop.example"), contextOf(options));
  assert.notEqual(contextOf({ ...options }), contextOf(options));
});

test("settings that make no context are refused, and the option is named", () => {
  const misfit = { cert: server.cert, key: authority.key };
  for (const [options, name] of [
    [misfit, "tls.key"],
    [{ ...server, ca: "no certificate" }, "tls.ca"],
    [{ ...server, ciphers: "NONSENSE" }, "tls.ciphers"],
    [{ ...server, sni: { "a.example": misfit } }, "tls.sni.a.example.key"],
  ] as const) {
    assert.throws(
      () => checkTls(options, context, "tls."),
      (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.deepEqual([error.op, error.side], ["listen", "local"]);
        assert.ok(error.detail.includes(name), error.detail);
        return true;
      },
    );
  }
});
