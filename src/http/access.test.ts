import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf, TOKEN_HEADER } from "./access.ts";

const token = "a-token-of-some-length";
const door = { hosts: ["127.0.0.1:4000", "localhost:4000"], token };
const host = "127.0.0.1:4000";

test("who has the token, and asks for this machine, may come in", () => {
  assert.equal(refusalOf(door, { headers: { host }, token }), undefined);
  assert.equal(
    refusalOf(door, { headers: { host: "localhost:4000", [TOKEN_HEADER]: token }, token: undefined }),
    undefined,
  );
  assert.equal(refusalOf(door, { headers: { host, origin: "http://127.0.0.1:4000" }, token }), undefined);
  assert.equal(refusalOf(door, { headers: { host, "sec-fetch-site": "none" }, token }), undefined);
});

test("another token, host or origin may not", () => {
  for (const given of ["", "a", token.slice(1), `${token} `, token.toUpperCase()]) {
    assert.match(refusalOf(door, { headers: { host }, token: given }) ?? "", /token/);
  }
  assert.match(refusalOf(door, { headers: { host }, token: undefined }) ?? "", /token/);
  for (const other of [undefined, "", "evil.example", "127.0.0.1", "127.0.0.1:4001", "evil.example:4000"]) {
    assert.match(refusalOf(door, { headers: { host: other }, token }) ?? "", /Host/);
  }
  for (const origin of ["null", "http://evil.example", "https://127.0.0.1:4000", "http://127.0.0.1:4001", ""]) {
    assert.match(refusalOf(door, { headers: { host, origin }, token }) ?? "", /origin/);
  }
  for (const site of ["cross-site", "same-site"]) {
    assert.match(refusalOf(door, { headers: { host, "sec-fetch-site": site }, token }) ?? "", /site/);
  }
});

test("where the rights of the file decide, no token is needed, and no page is answered", () => {
  const file = { hosts: ["localhost"], token: undefined };
  assert.equal(refusalOf(file, { headers: { host: "localhost" }, token: undefined }), undefined);
  assert.match(refusalOf(file, { headers: { host: "127.0.0.1:4000" }, token: undefined }) ?? "", /Host/);
});

test("where any port will do, the name decides, and the origin is that of the request", () => {
  const tunnelled = { hosts: ["127.0.0.1", "localhost"], anyPort: true, token: undefined };
  for (const asked of ["127.0.0.1:9000", "localhost:1", "localhost"]) {
    assert.equal(
      refusalOf(tunnelled, { headers: { host: asked, origin: `http://${asked}` }, token: undefined }),
      undefined,
    );
    assert.match(
      refusalOf(tunnelled, { headers: { host: asked, origin: "http://localhost:3000" }, token: undefined }) ?? "",
      /origin/,
    );
  }
  for (const other of ["evil.example:9000", "evil.example", "", ":9000"]) {
    assert.match(refusalOf(tunnelled, { headers: { host: other }, token: undefined }) ?? "", /Host/);
  }
});
