import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UsageError } from "../errors.ts";
import { Address } from "./address.ts";
import { AddressList, limitKey } from "./cidr.ts";
import { ipText } from "./ip.ts";

function tcp(host: string, zone = ""): Address {
  return Address.parse({ transport: "tcp", host, port: 1, zone });
}

describe("AddressList", () => {
  it("matches addresses and networks of both families", () => {
    const list = AddressList.parse(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::1"]);
    const inside = [
      "10.0.0.0",
      "10.255.255.255",
      "2001:db8::",
      "2001:db8:ffff::1",
      "192.0.2.7",
      "::1",
      "::ffff:10.1.2.3",
    ];
    const outside = [
      "11.0.0.0",
      "9.255.255.255",
      "2001:db9::",
      "192.0.2.8",
      "::2",
      "::ffff:11.0.0.1",
      "::a00:1",
      "a.example",
    ];
    for (const host of inside) assert.ok(list.matches(tcp(host)), host);
    for (const host of outside) assert.ok(!list.matches(tcp(host)), host);
    assert.ok(!list.matches(Address.parse("unix:/x")));
    assert.ok(list.matches(tcp("2001:db8::1", "eth0")));
    assert.equal(list.size, 4);
    assert.equal(String(list), "10.0.0.0/8, 2001:db8::/32, 192.0.2.7/32, ::1/128");
  });

  it("reads IPv4-mapped entries as IPv4", () => {
    const list = AddressList.parse(["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"]);
    assert.equal(String(list), "10.0.0.0/8, 192.0.2.7/32");
    assert.ok(list.matches(tcp("10.9.9.9")));
    assert.ok(list.matches(tcp("::ffff:192.0.2.7")));
    assert.equal(String(AddressList.parse(["::ffff:0:0/96"])), "0.0.0.0/0");
  });

  it("0.0.0.0/0 is all of IPv4, ::/0 all of IPv6, and the empty list nothing", () => {
    const [ipv4, ipv6, none] = [AddressList.parse(["0.0.0.0/0"]), AddressList.parse(["::/0"]), AddressList.parse([])];
    assert.ok(ipv4.matches(tcp("1.2.3.4")) && ipv4.matches(tcp("::ffff:1.2.3.4")) && !ipv4.matches(tcp("::1")));
    assert.ok(ipv6.matches(tcp("::1")) && !ipv6.matches(tcp("1.2.3.4")) && !ipv6.matches(tcp("::ffff:1.2.3.4")));
    assert.ok(!none.matches(tcp("1.2.3.4")) && none.size === 0);
  });

  it("refuses what is not an address or a network", () => {
    const cases: [entry: unknown, detail: RegExp][] = [
      ["10.1.2.3/8", /^prefix leaves bits of the address over; the network is 10\.0\.0\.0\/8 \(in "10\.1\.2\.3\/8"\)$/],
      ["2001:db8::1/32", /the network is 2001:db8::\/32/],
      ["::ffff:10.1.2.3/104", /the network is ::ffff:10\.0\.0\.0\/104/],
      ["::ffff:0:0/90", /^prefix leaves bits/],
      ["10.0.0.0/33", /^prefix "33" is not a whole number from 0 to 32/],
      ["::/129", /^prefix "129" is not a whole number from 0 to 128/],
      ["10.0.0.0/", /^prefix ""/],
      ["10.0.0.0/08", /^prefix "08"/],
      ["10.0.0.0/8/8", /^prefix "8\/8"/],
      ["10.0.0.0/-1", /^prefix "-1"/],
      ["10.0.0/8", /^host "10\.0\.0" is not an IP address/],
      ["010.0.0.0/8", /^host/],
      ["localhost", /^host "localhost" is not an IP address/],
      ["unix", /^host/],
      ["", /^host ""/],
      ["fe80::1%eth0", /^host "fe80::1%eth0"/],
      ["[::1]", /^host/],
      [7, /^address must be a text/],
    ];
    for (const [entry, detail] of cases) {
      assert.throws(
        () => AddressList.parse(["::1", entry as string], { op: "listen" }),
        (error: unknown) => {
          assert.ok(error instanceof UsageError, String(error));
          assert.equal(error.code, "ADDRESS_INVALID");
          assert.equal(error.op, "listen");
          assert.match(error.detail, detail);
          return true;
        },
      );
    }
    assert.throws(() => AddressList.parse("10.0.0.0/8" as unknown as string[]), { code: "ADDRESS_INVALID" });
  });

  it("contains exactly the addresses that share the prefix", () => {
    const pair = fc.constantFrom(4, 16).chain((length) => {
      const bytes = fc.uint8Array({ minLength: length, maxLength: length });
      return fc.tuple(bytes, fc.nat(length * 8), fc.nat(length * 8 - 1));
    });
    fc.assert(
      fc.property(pair, ([bytes, prefixBits, flip]) => {
        // Not ::ffff:0:0/96: those entries become IPv4.
        if (bytes.length === 16) bytes[0] = 0x20;
        const network = bytes.map((byte, index) => byte & (0xff00 >> Math.max(0, Math.min(8, prefixBits - index * 8))));
        const list = AddressList.parse([`${ipText(network)}/${prefixBits}`]);
        assert.ok(list.matches(tcp(ipText(bytes))));
        const other = bytes.slice();
        other[flip >> 3] = (other[flip >> 3] ?? 0) ^ (0x80 >> (flip & 7));
        if (other.length === 16 && flip < 8) return;
        assert.equal(list.matches(tcp(ipText(other))), flip >= prefixBits);
      }),
    );
  });

  it("any text is a list entry or ADDRESS_INVALID", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.]{0,8}\/?[0-9]{0,3}$/));
    fc.assert(
      fc.property(text, (entry) => {
        try {
          const list = AddressList.parse([entry]);
          assert.equal(String(AddressList.parse([String(list)])), String(list));
        } catch (error) {
          assert.ok(error instanceof UsageError && error.code === "ADDRESS_INVALID", String(error));
        }
      }),
    );
  });
});

describe("limitKey()", () => {
  it("is the IPv4 address, the /64 of an IPv6 address, the name, or unix", () => {
    assert.equal(limitKey(tcp("192.0.2.7")), "192.0.2.7");
    assert.equal(limitKey(tcp("::ffff:192.0.2.7")), "192.0.2.7");
    assert.equal(limitKey(tcp("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64");
    assert.equal(limitKey(tcp("2001:db8:1:2::")), limitKey(tcp("2001:db8:1:2:ffff:ffff:ffff:ffff")));
    assert.notEqual(limitKey(tcp("2001:db8:1:2::")), limitKey(tcp("2001:db8:1:3::")));
    assert.equal(limitKey(tcp("::1")), "::/64");
    assert.equal(limitKey(tcp("fe80::1", "eth0")), "fe80::/64%eth0");
    assert.equal(limitKey(tcp("a.example")), "a.example");
    assert.equal(limitKey(Address.parse("unix:/x")), "unix");
    assert.equal(limitKey(Address.fromPath("")), "unix");
  });
});
