import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Address } from "./address.ts";
import { ipText } from "./ip.ts";

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
