import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalIpv6, ipBytes, ipText, parseIpv4, parseIpv6, unmappedIpv4 } from "./ip.ts";

describe("parseIpv4()", () => {
  it("takes four decimal parts", () => {
    for (const text of ["0.0.0.0", "127.0.0.1", "192.0.2.7", "255.255.255.255"]) assert.equal(parseIpv4(text), text);
  });

  it("takes nothing that another program may read as another address", () => {
    const lax = ["127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "010.0.0.1", "127.0.0.01", "1.2.3", "1.2.3.4.5"];
    const wrong = [
      "256.1.1.1",
      "1.2.3.-4",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.",
      ".1.2.3",
      "1..2.3",
      "",
      "1.2.3.4\n",
      "१.2.3.4",
    ];
    for (const text of [...lax, ...wrong]) assert.equal(parseIpv4(text), undefined, JSON.stringify(text));
  });

  it("agrees with the operating system's parser on any text of digits and dots", () => {
    const text = fc.stringMatching(/^[0-9.x]{0,16}$/);
    fc.assert(
      fc.property(fc.oneof(text, fc.ipV4(), fc.ipV4Extended()), (one) => {
        assert.equal(parseIpv4(one) !== undefined, isIPv4(one));
      }),
    );
  });
});

describe("parseIpv6()", () => {
  // RFC 5952: the section of each rule, what is given, and the canonical form.
  const vectors: [section: string, given: string, canonical: string][] = [
    ["1", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1", "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1", "2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["1", "2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1", "2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["1", "2001:db8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["1", "2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"],
    ["1", "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2.1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"],
    ["2.2", "2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
    ["2.2", "2001:db8:0:0:0::1", "2001:db8::1"],
    ["2.2", "2001:db8:0::1", "2001:db8::1"],
    ["2.3", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"],
    ["4.1", "2001:0db8::0001", "2001:db8::1"],
    ["4.2.1", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["4.2.2", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["4.2.3", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["4.2.3", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["4.3", "2001:DB8::ABCD", "2001:db8::abcd"],
    ["5", "::ffff:c000:201", "::ffff:192.0.2.1"],
    ["5", "0:0:0:0:0:FFFF:192.0.2.1", "::ffff:192.0.2.1"],
    ["-", "::", "::"],
    ["-", "0:0:0:0:0:0:0:0", "::"],
    ["-", "::1", "::1"],
    ["-", "1::", "1::"],
    ["-", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["-", "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["-", "::13.1.68.3", "::d01:4403"], // RFC 4291 section 2.2, but not mapped: plain groups
    ["-", "64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ];
  for (const [section, given, canonical] of vectors) {
    it(`writes ${given} as ${canonical} (RFC 5952 section ${section})`, () => {
      assert.equal(parseIpv6(given), canonical);
    });
  }

  it("refuses what is not an address", () => {
    const wrong = [
      "",
      ":",
      ":::",
      "1",
      "1:2",
      "1::2::3",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:",
      ":1:2:3:4:5:6:7",
      "12345::",
    ];
    const more = [
      "::g",
      "::1%eth0",
      "[::1]",
      "::1/64",
      "::ffff:010.0.0.1",
      "::ffff:1.2.3",
      "::ffff:0x7f.0.0.1",
      "1.2.3.4",
    ];
    const odd = ["1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "::1 ", "::1\n"];
    for (const text of [...wrong, ...more, ...odd]) assert.equal(parseIpv6(text), undefined, JSON.stringify(text));
  });

  it("agrees with the operating system's parser on any text of its characters", () => {
    const pieces = fc.constantFrom("", "0", "1", "ffff", "00001", "db8", "1.2.3.4", "01.2.3.4", "g", "256.1.1.1");
    const near = fc.tuple(fc.array(pieces, { maxLength: 10 }), fc.constantFrom("", ":", "::")).map(([list, tail]) => {
      return list.join(":") + tail;
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.stringMatching(/^[0-9a-f:.]{0,12}$/), fc.ipV6()), (text) => {
        assert.equal(parseIpv6(text) !== undefined, isIPv6(text), text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("ipBytes() and ipText()", () => {
  it("are each other's inverse", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(fc.property(bytes, (one) => assert.deepEqual(ipBytes(ipText(one)), Uint8Array.from(one))));
  });

  it("ipText() is canonical: parsing it changes nothing", () => {
    const zeros = fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(zeros, (list) => {
        const text = ipText(Uint8Array.from(list));
        assert.equal(parseIpv6(text), text);
      }),
    );
  });
});

describe("canonicalIpv6()", () => {
  it("passes canonical text through and rewrites the dotted tail of IPv4-compatible addresses", () => {
    assert.equal(canonicalIpv6("2001:db8::1"), "2001:db8::1");
    assert.equal(canonicalIpv6("::ffff:127.0.0.1"), "::ffff:127.0.0.1");
    assert.equal(canonicalIpv6("::1.2.3.4"), "::102:304");
  });
});

describe("unmappedIpv4()", () => {
  it("reads IPv4-mapped addresses only", () => {
    assert.equal(unmappedIpv4("::ffff:192.0.2.1"), "192.0.2.1");
    assert.equal(unmappedIpv4("::ffff:1"), undefined);
    assert.equal(unmappedIpv4("::c000:201"), undefined);
    assert.equal(unmappedIpv4("192.0.2.1"), undefined);
  });
});
