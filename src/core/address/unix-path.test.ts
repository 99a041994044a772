import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../errors.ts";
import { Address, type AddressParseOptions } from "./address.ts";

/** The detail of the error that a text gives. */
function detailOf(text: string, options?: AddressParseOptions): string {
  try {
    Address.parse(text, options);
  } catch (error) {
    assert.ok(error instanceof UsageError && error.code === "ADDRESS_INVALID", String(error));
    return error.detail;
  }
  assert.fail(`accepted: ${text}`);
}

describe("Unix paths", () => {
  const texts: [text: string, path: string, canonical: string][] = [
    ["unix:/run/x.sock", "/run/x.sock", "unix:/run/x.sock"],
    ["unix:///run/x.sock", "/run/x.sock", "unix:/run/x.sock"],
    ["UNIX:x.sock", "x.sock", "unix:x.sock"],
    ["unix:./a/b.sock", "./a/b.sock", "unix:./a/b.sock"],
    ["unix:@name", "\0name", "unix:@name"],
    ["unix:@a/b%20c", "\0a/b c", "unix:@a/b%20c"],
    ["unix:%40name", "@name", "unix:%40name"],
    ["unix:/run/user@1000/x", "/run/user@1000/x", "unix:/run/user@1000/x"],
    ["unix:/a%20b%3F%23%25", "/a b?#%", "unix:/a%20b%3F%23%25"],
    ["unix:/a b", "/a b", "unix:/a%20b"],
    ["unix:/plaz%C3%A1", "/plazá", "unix:/plaz%C3%A1"],
    ["unix:////double", "//double", "unix:////double"],
  ];
  for (const [text, path, canonical] of texts) {
    it(`reads ${text}`, () => {
      const address = Address.parse(text);
      assert.deepEqual(Object.assign({}, address), {
        transport: "unix",
        family: "unix",
        host: "",
        zone: "",
        port: 0,
        path,
        params: {},
      });
      assert.equal(String(address), canonical);
      assert.ok(Address.parse(canonical).equals(address));
    });
  }

  it("reads a plain path as it is when the transport is given", () => {
    assert.equal(Address.parse("/tmp/100%.sock", { transport: "unix" }).path, "/tmp/100%.sock");
    assert.equal(Address.parse("a?b#c", { transport: "unix" }).path, "a?b#c");
    assert.equal(Address.parse("@name", { transport: "unix" }).path, "\0name");
    assert.equal(Address.parse("./@name", { transport: "unix" }).path, "./@name");
  });

  it("takes 107 bytes and refuses 108 (sun_path, unix(7))", () => {
    assert.equal(Address.parse(`unix:/${"a".repeat(106)}`).path.length, 107);
    assert.equal(Address.parse(`unix:@${"a".repeat(107)}`).path.length, 108);
    assert.match(detailOf(`unix:/${"a".repeat(107)}`), /^path has 108 bytes; a Unix socket takes at most 107/);
    assert.match(detailOf(`unix:/${"ñ".repeat(54)}`), /^path has 109 bytes/);
    assert.match(detailOf(`unix:@${"a".repeat(108)}`), /^path has 108 bytes/);
  });

  it("refuses what is no path", () => {
    const cases: [text: string, begins: string, options?: AddressParseOptions][] = [
      ["unix:", "path is empty"],
      ["unix://", "host is not allowed in a Unix address"],
      ["unix://host/x", "host is not allowed in a Unix address; write unix:relative.sock or unix:///absolute.sock"],
      ["unix:@", "path has no name after the @"],
      ["unix:/a?mode=600", 'path has "?" or "#"'],
      ["unix:/a#b", 'path has "?" or "#"'],
      ["unix:/a%00b", "path has a zero byte"],
      ["unix:%00b", "path has a zero byte"],
      ["unix:\0b", "path has a zero byte"],
      ["unix:@a%00", "path has a zero byte"],
      ["unix:/%zz", 'path "/%zz" has a wrong percent-encoding'],
      ["unix:/%ff", 'path "/%ff" has a wrong percent-encoding'],
      ["unix:/\udfff", "path is not valid Unicode"],
      ["", "path is empty", { transport: "unix" }],
      ["\0a", "path has a zero byte", { transport: "unix" }],
    ];
    for (const [text, begins, options] of cases) {
      const detail = detailOf(text, options);
      assert.ok(detail.startsWith(begins), `${text}: ${detail}`);
    }
  });
});
