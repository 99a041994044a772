import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ProxyDetails, type ProxyTlv, proxyTlvTypes } from "./header.ts";
import { checksumOffset, crc32c, decodeTlvs, splitTlvs, verifyChecksum } from "./tlv.ts";

function invalid(problem: string): Error {
  return new RangeError(problem);
}

function split(hex: string): ProxyTlv[] {
  return splitTlvs(Buffer.from(hex, "hex"), invalid);
}

/** The hexadecimal text of a TLV; `value` is hexadecimal too. */
function tlv(type: number, value: string): string {
  const length = value.length / 2;
  return Buffer.of(type, length >> 8, length & 0xff).toString("hex") + value;
}

function ascii(text: string): string {
  return Buffer.from(text).toString("hex");
}

function decode(...hex: string[]): ProxyDetails {
  return decodeTlvs(split(hex.join("")), invalid);
}

describe("splitTlvs()", () => {
  it("gives types and values, and keeps no view of the bytes", () => {
    const bytes = Buffer.from(`${tlv(0xe0, "0102")}${tlv(4, "")}`, "hex");
    const tlvs = splitTlvs(bytes, invalid);
    bytes.fill(0xff);
    assert.deepEqual(tlvs, [
      { type: 0xe0, value: Uint8Array.of(1, 2) },
      { type: 4, value: Uint8Array.of() },
    ]);
    assert.equal(tlvs[0]?.value.buffer.byteLength, 2);
  });

  it("is undone by writing the TLVs again", () => {
    const one = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(one), (list) => {
        const hex = list.map(([type, value]) => tlv(type, Buffer.from(value).toString("hex"))).join("");
        assert.deepEqual(
          split(hex).map(({ type, value }) => [type, value]),
          list.map(([type, value]) => [type, Uint8Array.from(value)]),
        );
      }),
    );
  });

  it("refuses lengths that do not fit", () => {
    assert.throws(() => split("01"), /1 bytes are left, too few for another TLV/);
    assert.throws(() => split("0100"), /2 bytes are left/);
    assert.throws(() => split("010001"), /the TLV of type 0x01 claims 1 bytes, 0 are left/);
    assert.throws(() => split("01ffff00"), /claims 65535 bytes, 1 are left/);
    assert.throws(() => split(`${tlv(4, "")}00`), /1 bytes are left/);
  });
});

describe("decodeTlvs()", () => {
  it("decodes the registered types", () => {
    const sub = [tlv(0x21, ascii("TLSv1.3")), tlv(0x22, ascii("plazá")), tlv(0x23, ascii("CIPHER"))];
    const more = [tlv(0x24, ascii("RSA-SHA256")), tlv(0x25, ascii("RSA2048")), tlv(0x7f, "00"), tlv(0x7f, "00")];
    const ssl = tlv(0x20, `0300000000${[...sub, ...more].join("")}`);
    const plain = [tlv(1, "6832"), tlv(2, ascii("a.example")), tlv(5, "00ff"), tlv(0x30, ascii("ns"))];
    assert.deepEqual(decode(...plain, ssl, tlv(4, ""), tlv(4, "00"), tlv(0xe0, "ff"), tlv(0xe0, "ff")), {
      alpn: "h2",
      authority: "a.example",
      uniqueId: Uint8Array.of(0, 255),
      networkNamespace: "ns",
      ssl: {
        tls: true,
        certificateOnConnection: true,
        certificateInSession: false,
        verified: true,
        verifyResult: 0,
        version: "TLSv1.3",
        commonName: "plazá",
        cipher: "CIPHER",
        signatureAlgorithm: "RSA-SHA256",
        keyAlgorithm: "RSA2048",
      },
    });
  });

  it("keeps every byte of an ALPN name", () => {
    assert.equal(decode(tlv(1, "00ff80")).alpn, "\u0000\u00ff\u0080");
  });

  it("calls a client verified only when it gave a certificate and the result is zero", () => {
    const verified = (value: string): boolean | undefined => decode(tlv(0x20, value)).ssl?.verified;
    assert.equal(verified("0100000000"), false);
    assert.equal(verified("0300000000"), true);
    assert.equal(verified("0500000000"), true);
    assert.equal(verified("0700000001"), false);
    assert.equal(verified("0780000000"), false);
  });

  it("refuses wrong values and types that stand twice", () => {
    const cases: [hex: string, problem: RegExp][] = [
      [tlv(2, ascii("a")).repeat(2), /the TLV of type 0x02 stands twice/],
      [tlv(3, "00000000").repeat(2), /the TLV of type 0x03 stands twice/],
      [tlv(2, "ff"), /the TLV of type 0x02 is not UTF-8/],
      [tlv(5, "00".repeat(129)), /the TLV of type 0x05 has 129 bytes, more than 128/],
      [tlv(0x20, "00000000"), /the TLV of type 0x20 has 4 bytes, fewer than 5/],
      [tlv(0x20, "0000000000210002aa"), /the TLV of type 0x21 claims 2 bytes, 1 are left/],
      [tlv(0x20, `0000000000${tlv(0x22, "aa").repeat(2)}`), /the TLV of type 0x22 stands twice/],
      [tlv(0x20, `0000000000${tlv(0x22, "ff")}`), /the TLV of type 0x22 is not UTF-8/],
    ];
    for (const [hex, problem] of cases) assert.throws(() => decode(hex), problem);
    assert.equal(decode(tlv(5, "00".repeat(128))).uniqueId?.length, 128);
  });
});

describe("verifyChecksum()", () => {
  const before = Buffer.from("some bytes before the TLVs");
  const noop = tlv(proxyTlvTypes.noop, "0102");

  /** A header whose TLVs hold a checksum of `value`. */
  function header(value: string): [header: Uint8Array, tlvs: ProxyTlv[]] {
    const hex = noop + tlv(proxyTlvTypes.crc32c, value) + noop;
    return [Buffer.concat([before, Buffer.from(hex, "hex")]), split(hex)];
  }

  it("takes the checksum over the header with zeros in its place", () => {
    const [zeros] = header("00000000");
    const [bytes, tlvs] = header(crc32c(zeros).toString(16).padStart(8, "0"));
    assert.equal(checksumOffset(tlvs), noop.length / 2 + 3);
    verifyChecksum(bytes, before.length, tlvs, invalid);
    bytes[0] = 0;
    assert.throws(() => verifyChecksum(bytes, before.length, tlvs, invalid), /the CRC32C checksum does not match/);
  });

  it("refuses a checksum of another length, and passes a header without one", () => {
    const [bytes, tlvs] = header("000000");
    assert.throws(() => verifyChecksum(bytes, before.length, tlvs, invalid), /has 3 bytes instead of 4/);
    assert.equal(checksumOffset(split(noop)), undefined);
    verifyChecksum(before, before.length, [], invalid);
  });
});

describe("crc32c()", () => {
  // RFC 3720 appendix B.4 prints the checksums with their bytes in the order of transmission, lowest first.
  const vectors: [name: string, bytes: Uint8Array, checksum: number][] = [
    ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["32 incrementing bytes", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ["32 decrementing bytes", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    ["the usual check text", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ];
  for (const [name, bytes, checksum] of vectors) {
    it(`of ${name}`, () => assert.equal(crc32c(bytes), checksum));
  }
});
