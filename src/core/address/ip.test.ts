import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Address } from "./address.ts";
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

const KINDS = ["isLoopback", "isPrivate", "isLinkLocal", "isMulticast", "isBroadcast", "isUnspecified"] as const;
type Kind = (typeof KINDS)[number];

function address(host: string): Address {
  return Address.parse({ transport: "tcp", host, port: 1 });
}

/** The bytes of an address inside and outside each kind, by the numbers of the RFCs. */
function expected(bytes: Uint8Array): Record<Kind, boolean> {
  const [a = 0, b = 0] = bytes;
  const all = (value: number): boolean => bytes.every((byte) => byte === value);
  const none = { isLoopback: false, isPrivate: false, isLinkLocal: false, isMulticast: false, isBroadcast: false };
  if (bytes.length === 4) {
    return {
      isLoopback: a === 127,
      isPrivate: a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168),
      isLinkLocal: a === 169 && b === 254,
      isMulticast: a >= 224 && a <= 239,
      isBroadcast: all(255),
      isUnspecified: all(0),
    };
  }
  return {
    ...none,
    isLoopback: bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1,
    isPrivate: (a & 0xfe) === 0xfc,
    isLinkLocal: a === 0xfe && (b & 0xc0) === 0x80,
    isMulticast: a === 0xff,
    isUnspecified: all(0),
  };
}

function kindsOf(one: Address): Record<Kind, boolean> {
  return Object.fromEntries(KINDS.map((kind) => [kind, one[kind]])) as Record<Kind, boolean>;
}

describe("kinds of addresses", () => {
  const first = fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 127, 169, 172, 192, 223, 224, 239, 240, 255));
  const second = fc.oneof(fc.nat(255), fc.constantFrom(0, 15, 16, 31, 32, 168, 254, 255));
  const ipv4 = fc.tuple(first, second, fc.nat(255), fc.nat(255)).map((list) => Uint8Array.from(list));

  it("IPv4 follows the numbers, plain and mapped into IPv6", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, fc.constantFrom(new Uint8Array(4), new Uint8Array(4).fill(255))), (bytes) => {
        assert.deepEqual(kindsOf(address(ipText(bytes))), expected(bytes));
        assert.deepEqual(kindsOf(address(`::ffff:${ipText(bytes)}`)), expected(bytes));
      }),
    );
  });

  it("IPv6 follows the numbers", () => {
    const head = fc.tuple(fc.constantFrom(0, 0x0f, 0xf, 0xfc, 0xfd, 0xfe, 0xff, 0x20), fc.nat(255));
    const tail = fc.oneof(
      fc.constant(Array.from({ length: 14 }, () => 0)),
      fc.array(fc.nat(255), { minLength: 14, maxLength: 14 }),
    );
    fc.assert(
      fc.property(head, tail, (start, end) => {
        const bytes = Uint8Array.from([...start, ...end]);
        assert.deepEqual(kindsOf(address(ipText(bytes))), expected(bytes), ipText(bytes));
      }),
    );
    for (const host of ["::1", "::", "fc0::1", "ff0::1", "fe8::1", "fec0::1", "febf::1", "2001:db8::1"]) {
      assert.equal(address(host).isLoopback, host === "::1");
      assert.equal(address(host).isUnspecified, host === "::");
      assert.equal(address(host).isLinkLocal, host === "febf::1");
      assert.equal(address(host).isPrivate || address(host).isMulticast, false, host);
    }
  });

  it("names are nothing but loopback (RFC 6761 section 6.3), and Unix is nothing", () => {
    for (const host of ["localhost", "LOCALHOST.", "a.localhost", "a.b.localhost."]) {
      assert.deepEqual(
        Object.entries(kindsOf(address(host))).filter(([, yes]) => yes),
        [["isLoopback", true]],
      );
    }
    for (const one of [
      address("notlocalhost"),
      address("localhost.example"),
      address("ff00.a"),
      Address.parse("unix:/x"),
    ]) {
      assert.ok(
        Object.values(kindsOf(one)).every((yes) => !yes),
        String(one),
      );
      assert.equal(one.isIp, false);
    }
    assert.ok(address("::1").isIp && address("127.0.0.1").isIp);
  });
});
