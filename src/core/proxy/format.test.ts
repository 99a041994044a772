import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Address } from "../address/address.ts";
import { ProtocolError, UsageError } from "../errors.ts";
import { formatProxyHeader, type ProxyHeaderInit } from "./format.ts";
import { type ProxyHeader, proxyTlvTypes } from "./header.ts";
import { parseProxyHeader } from "./parse.ts";

function a(url: string): Address {
  return Address.parse(url);
}

function text(header: ProxyHeaderInit): string {
  return Buffer.from(formatProxyHeader(header)).toString("latin1");
}

function hex(header: ProxyHeaderInit): string {
  return Buffer.from(formatProxyHeader(header)).toString("hex").replace("0d0a0d0a000d0a515549540a", "");
}

function readBack(header: ProxyHeaderInit): ProxyHeader {
  const bytes = formatProxyHeader(header);
  const parsed = parseProxyHeader(bytes, { maxBytes: 70_000 });
  assert.equal(parsed?.length, bytes.length);
  assert.ok(parsed !== undefined);
  return parsed.header;
}

describe("formatProxyHeader() of version 1", () => {
  it("writes the line of the specification", () => {
    const header = {
      version: 1,
      source: a("tcp://192.168.0.1:56324"),
      destination: a("tcp://192.168.0.11:443"),
    } as const;
    assert.equal(text(header), "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  });

  it("writes IPv6, IPv4-mapped addresses as IPv4, and mixed pairs as IPv6", () => {
    const line = (source: string, destination: string): string =>
      text({ version: 1, source: a(source), destination: a(destination) });
    assert.equal(line("tls://[2001:db8::1]:1", "tls://[fe80::1%25eth0]:2"), "PROXY TCP6 2001:db8::1 fe80::1 1 2\r\n");
    assert.equal(
      line("tcp://[::ffff:192.0.2.1]:1", "tcp://[::ffff:192.0.2.2]:2"),
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    );
    assert.equal(line("tcp://192.0.2.1:1", "tcp://[::1]:2"), "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n");
  });

  it("writes UNKNOWN for everything else", () => {
    const unix = { version: 1, source: a("unix:/x"), destination: a("unix:/y") } as const;
    const udp = { version: 1, source: a("udp://127.0.0.1:1"), destination: a("udp://127.0.0.1:2") } as const;
    const local = { ...udp, command: "local" } as const;
    for (const header of [unix, udp, local, { version: 1 } as const]) assert.equal(text(header), "PROXY UNKNOWN\r\n");
  });
});

describe("formatProxyHeader() of version 2", () => {
  it("writes addresses", () => {
    const pair = (source: string, destination: string): string =>
      hex({ version: 2, source: a(source), destination: a(destination) });
    assert.equal(pair("tcp://192.0.2.1:56324", "tcp://198.51.100.2:443"), "2111000cc0000201c6336402dc0401bb");
    assert.equal(pair("udp://192.0.2.1:56324", "udp://198.51.100.2:443"), "2112000cc0000201c6336402dc0401bb");
    const one = "00000000000000000000000000000001";
    assert.equal(pair("tcp://[::1]:1", "tls://192.0.2.1:2"), `21210024${one}00000000000000000000ffffc000020100010002`);
    assert.equal(pair("unix:/x", "unix:@y"), `213100d8${"2f78".padEnd(216, "0")}${"0079".padEnd(216, "0")}`);
    assert.equal(
      hex({ version: 2, destination: a("unix:/x") }),
      `213100d8${"".padEnd(216, "0")}${"2f78".padEnd(216, "0")}`,
    );
  });

  it("writes LOCAL and UNSPEC", () => {
    assert.equal(
      hex({ version: 2, command: "local", source: a("unix:/x"), tlvs: [{ type: 4, value: Uint8Array.of() }] }),
      "20000000",
    );
    assert.equal(hex({ version: 2 }), "21000000");
  });

  it("writes TLVs and computes the checksum", () => {
    const source = a("tcp://172.31.7.113:51442");
    const destination = a("tcp://172.31.10.31:80");
    const endpoint = Buffer.from("\x01vpce-08d2bf15fac5001c9");
    const tlvs = [
      { type: proxyTlvTypes.crc32c, value: new Uint8Array() },
      { type: 0xea, value: endpoint },
      { type: proxyTlvTypes.noop, value: new Uint8Array(36) },
    ];
    const written = hex({ version: 2, source, destination, tlvs });
    assert.equal(written.slice(0, 46), "21110054ac1f0771ac1f0a1fc8f20050030004e8d6892d");
    assert.equal(readBack({ version: 2, source, destination, tlvs }).tlvs.length, 3);
    assert.deepEqual(tlvs[0]?.value.length, 0);
  });

  it("refuses what cannot be written", () => {
    const ip = a("tcp://127.0.0.1:1");
    const tlv = (type: number, length: number): ProxyHeaderInit["tlvs"] => [{ type, value: new Uint8Array(length) }];
    const cases: [header: ProxyHeaderInit, detail: RegExp][] = [
      [{ version: 1, source: ip }, /must be given together/],
      [{ version: 2, destination: ip }, /must be given together/],
      [{ version: 2, source: ip, destination: a("tcp://a.example:1") }, /two IP addresses or two paths/],
      [{ version: 2, source: ip, destination: a("unix:/x") }, /two IP addresses or two paths/],
      [{ version: 2, source: ip, destination: a("udp://127.0.0.1:1") }, /both be UDP or both not/],
      [{ version: 2, tlvs: tlv(1, 0) }, /TLVs need a source and a destination/],
      [{ version: 2, source: ip, destination: ip, tlvs: tlv(256, 0) }, /the TLV type 256 is not 0 to 255/],
      [{ version: 2, source: ip, destination: ip, tlvs: tlv(1, 65_536) }, /has more than 65535 bytes/],
      [{ version: 2, source: ip, destination: ip, tlvs: tlv(1, 65_530) }, /longer than 65551 bytes/],
    ];
    for (const [header, detail] of cases) {
      assert.throws(
        () => formatProxyHeader(header),
        (error: unknown) => {
          assert.ok(error instanceof UsageError && error.code === "OPTION_INVALID", String(error));
          assert.match(error.detail, detail);
          return true;
        },
      );
    }
  });
});

describe("PROXY header properties", () => {
  const port = fc.nat(65_535);
  const tcp = (host: fc.Arbitrary<string>): fc.Arbitrary<Address> =>
    fc.tuple(host, port).map(([one, at]) => Address.parse({ transport: "tcp", host: one, port: at }).unmapped());
  const path = fc
    .tuple(fc.constantFrom("", "\0"), fc.stringMatching(/^[a-z/ñ]{1,50}$/))
    .map((parts) => Address.parse({ path: parts.join("") }));
  const pair = fc.oneof(...[tcp(fc.ipV4()), tcp(fc.ipV6()), path].map((one) => fc.tuple(one, one)));
  const free = fc.record({ type: fc.integer({ min: 0xe0, max: 0xff }), value: fc.uint8Array({ maxLength: 40 }) });
  const checksum = fc.constant({ type: 3, value: new Uint8Array(4) });
  const authority = fc.string().map((name) => ({ type: 2, value: Uint8Array.from(Buffer.from(name)) }));
  const anyTlvs = fc
    .tuple(fc.array(free, { maxLength: 4 }), fc.option(checksum), fc.option(authority))
    .map(([list, crc, name]) => [...list, ...(crc === null ? [] : [crc]), ...(name === null ? [] : [name])]);

  it("parse(format(h)) gives h, and every cut of it asks for more", () => {
    fc.assert(
      fc.property(
        pair,
        anyTlvs,
        fc.constantFrom(1, 2),
        fc.uint8Array({ maxLength: 20 }),
        ([source, destination], list, version, rest) => {
          const mixed = source.family !== destination.family;
          const bytes = formatProxyHeader({ version: version === 1 ? 1 : 2, source, destination, tlvs: list });
          const stream = Buffer.concat([bytes, rest]);
          for (let length = 0; length < bytes.length; length++) {
            assert.equal(parseProxyHeader(stream.subarray(0, length)), undefined);
          }
          const parsed = parseProxyHeader(bytes);
          assert.deepEqual(parseProxyHeader(stream), parsed);
          assert.equal(parsed?.length, bytes.length);
          if (version === 1 && source.family === "unix") return assert.equal(parsed?.header.command, "local");
          assert.ok(parsed?.header.source?.unmapped().equals(source));
          assert.ok(mixed || parsed?.header.destination?.equals(destination));
          if (version === 1) return;
          const withoutChecksum = (one: ProxyHeaderInit["tlvs"]): unknown =>
            one?.map(({ type, value }) => [type, type === 3 ? "computed" : value]);
          assert.deepEqual(withoutChecksum(parsed?.header.tlvs), withoutChecksum(list));
          assert.deepEqual(Buffer.from(formatProxyHeader(parsed?.header ?? { version: 2 })), Buffer.from(bytes));
        },
      ),
    );
  });

  it("a header with a checksum and one flipped bit is never believed", () => {
    fc.assert(
      fc.property(pair, fc.nat(), ([source, destination], flip) => {
        const tlvs = [{ type: 3, value: new Uint8Array(4) }];
        const bytes = Uint8Array.from(formatProxyHeader({ version: 2, source, destination, tlvs }));
        const bit = flip % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        try {
          const parsed = parseProxyHeader(bytes);
          // Unseen stay: PROXY turned into LOCAL or UNSPEC, a longer length (more is awaited), and the type of the
          // checksum itself; but never another address.
          const { source: seen, destination: to } = parsed?.header ?? {};
          assert.ok(seen === undefined || (seen.equals(source) && to?.equals(destination)), String(bit));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });

  it("garbage gives PROXY_HEADER_INVALID and nothing else, at once or one byte at a time", () => {
    const start = fc.constantFrom(
      "",
      "PROXY ",
      "PROXY TCP4 1.2.3.4 ",
      "PROXY TCP6 ::",
      "\r\n\r\n\0\r\nQUIT\n",
      "\r\n\r\n\0\r\nQUIT\n!\x11\0\x20",
    );
    const rest = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.stringMatching(/^[ 0-9a-f.:\r\n]{0,60}$/).map((one) => Buffer.from(one)),
    );
    const outcome = (bytes: Uint8Array): string => {
      try {
        return JSON.stringify(parseProxyHeader(bytes)) ?? "more";
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.code === "PROXY_HEADER_INVALID", String(error));
        return "invalid";
      }
    };
    fc.assert(
      fc.property(start, rest, (head, tail) => {
        const bytes = Buffer.concat([Buffer.from(head, "latin1"), tail]);
        const final = outcome(bytes);
        const steps = Array.from({ length: bytes.length + 1 }, (_, length) => outcome(bytes.subarray(0, length)));
        // First some "more", then one answer that never changes.
        const decided = steps.findIndex((step) => step !== "more");
        assert.ok(decided === -1 ? final === "more" : steps.slice(decided).every((step) => step === final));
      }),
      { numRuns: 1000 },
    );
  });
});

it("a header of no version, and ends that are no addresses, are refused", () => {
  const source = Address.parse("tcp://192.0.2.1:1");
  const untyped: readonly unknown[] = [
    null,
    undefined,
    "x",
    {},
    { version: 3 },
    { version: 2, source: null, destination: source },
    { version: 1, source, destination: "192.0.2.2:1" },
    { version: 2, source, destination: source, tlv: [] },
  ];
  for (const header of untyped) {
    assert.throws(() => formatProxyHeader(header as never), { code: "OPTION_INVALID", op: "formatProxyHeader" });
  }
});
