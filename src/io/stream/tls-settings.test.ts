import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options/check-options.ts";
import type { TlsOptions } from "../network/tls.ts";
import { clientTls, serverTls, TLS_RULES } from "./tls-settings.ts";

const context = { op: "open" };
const id = { cert: "cert", key: "key" };

function refused(given: TlsOptions, complete: (checked: TlsOptions) => unknown, detail: RegExp): void {
  assert.throws(
    () => complete(checkOptions(context, given, TLS_RULES, "tls.")),
    (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.deepEqual([error.code, error.op, error.side], ["OPTION_INVALID", "open", "local"]);
      assert.match(error.detail, detail);
      return true;
    },
  );
}

const asClient = (host?: string) => (given: TlsOptions) => clientTls(context, given, host, "tls.");
const asServer = (given: TlsOptions): unknown => serverTls(context, given, "tls.");

test("a client looks for the host that was connected to, or for what it is told, without a dot at the end", () => {
  for (const [given, host, servername] of [
    [{}, "plaza.example", "plaza.example"],
    [{}, "plaza.example.", "plaza.example"],
    [{}, "127.0.0.1", "127.0.0.1"],
    [{}, "::1", "::1"],
    [{ servername: undefined }, "plaza.example", "plaza.example"],
    [{ servername: "Other.Example." }, "plaza.example", "other.example"],
    [{ servername: "bücher.example" }, "127.0.0.1", "xn--bcher-kva.example"],
    [{ servername: "2001:DB8::1" }, undefined, "2001:db8::1"],
    [{ insecure: true }, undefined, undefined],
  ] as const) {
    assert.deepEqual(asClient(host)(checkOptions(context, given, TLS_RULES)).servername, servername);
  }
  refused({}, asClient(), /^tls\.servername is missing: /);
  refused({ insecure: false }, asClient(), /^tls\.servername is missing: /);
});

test("a name that is none is refused", () => {
  for (const servername of [
    "",
    " ",
    ".",
    "a..b",
    "plaza.example:443",
    "[::1]",
    "good.test\0evil.test",
    "1.2.3",
    "*.a",
  ]) {
    refused({ servername }, asClient("plaza.example"), /^tls\.servername must be a host name or an IP address, not /);
  }
});

test("protocol names have 1 to 255 bytes, and fit into one list", () => {
  const holes = ["h2"];
  holes[2] = "h3";
  const many = Array.from({ length: 256 }, () => "x".repeat(255));
  for (const alpn of [[""], ["h2", ""], ["x".repeat(256)], ["ñ".repeat(128)], ["h2\ud83d"], holes, many]) {
    refused({ alpn }, asClient("plaza.example"), /^tls\.alpn must be an array of names of 1 to 255 bytes/);
    refused({ ...id, alpn }, asServer, /^tls\.alpn must be an array of names of 1 to 255 bytes/);
  }
  for (const alpn of [[], ["x"], ["x".repeat(255)], ["ñ".repeat(127)], many.slice(1)]) {
    assert.deepEqual(asClient("plaza.example")(checkOptions(context, { alpn }, TLS_RULES)).alpn, alpn);
  }
});

test("a server needs a certificate with its key, or an identity in sni", () => {
  for (const given of [{}, { cert: undefined, key: undefined }, { sni: {} }, { ca: "ca", alpn: ["h2"] }]) {
    refused(given, asServer, /^a server needs a certificate: give tls\.cert and tls\.key, or identities in tls\.sni$/);
  }
  for (const given of [{ cert: "cert" }, { key: "key" }, { cert: "cert", key: undefined, sni: { "a.example": id } }]) {
    refused(given, asServer, /^tls\.cert and tls\.key belong together; one of them is missing$/);
    refused(given, asClient("a.example"), /^tls\.cert and tls\.key belong together/);
  }
  for (const empty of ["", new Uint8Array(0)]) {
    refused(
      { cert: empty, key: "key" },
      asServer,
      /^tls\.cert must be PEM text, or its bytes, that is not empty, not /,
    );
    refused({ cert: "cert", key: empty }, asServer, /^tls\.key must be .*, not a value of type /);
    refused({ ...id, ca: empty }, asServer, /^tls\.ca must be /);
    refused({ ...id, ca: [empty] }, asServer, /^tls\.ca must be /);
  }
  refused({ ...id, ca: [] }, asServer, /^tls\.ca must be .* not empty, not \[\]$/);
  refused({ passphrase: "open" }, asClient("a.example"), /^tls\.passphrase works only with tls\.key$/);
  assert.deepEqual(serverTls(context, id, ""), { ...id, role: "server" });
});

test("identities by name: each whole, the names as clients send them, none twice", () => {
  const sni = { "Shop.Example.": id, "*.Wild.example": id, "bücher.example": id };
  const names = Object.keys((asServer({ sni }) as TlsOptions).sni ?? {});
  assert.deepEqual(names, ["shop.example", "*.wild.example", "xn--bcher-kva.example"]);
  const wrong: readonly (readonly [entries: Record<string, unknown>, detail: RegExp])[] = [
    [{ "a.example": null }, /^tls\.sni\.a\.example must be an object, not null$/],
    [{ "a.example": undefined }, /^tls\.sni\.a\.example must be an object, not null$/],
    [{ "a.example": { cert: "cert" } }, /^tls\.sni\.a\.example\.key must be /],
    [{ "a.example": { ...id, cert: "" } }, /^tls\.sni\.a\.example\.cert must be /],
    [
      { "a.example": { ...id, certs: "" } },
      /^there is no option "tls\.sni\.a\.example\.certs"; did you mean .*cert"\?$/,
    ],
    [{ "": id }, /^tls\.sni\. is no host name/],
    [{ "*": id }, /^tls\.sni\.\* is no host name/],
    [{ "a.*.example": id }, /^tls\.sni\.a\.\*\.example is no host name/],
    [{ "a.example": id, "A.example": id }, /^tls\.sni\.A\.example is there twice$/],
  ];
  for (const [entries, detail] of wrong) refused({ ...id, sni: entries as never }, asServer, detail);
});

test("clients that must show a certificate: of which authority", () => {
  refused({ ...id, clientCertificate: "require" }, asServer, /^tls\.clientCertificate "require" needs tls\.ca, /);
  for (const more of [{ clientCertificate: "require", ca: "ca" }, { clientCertificate: "ask" }] as const) {
    assert.deepEqual(serverTls(context, { ...id, ...more }, ""), { ...id, ...more, role: "server" });
  }
});
