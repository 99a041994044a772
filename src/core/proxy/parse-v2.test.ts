import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtocolError } from "../errors.ts";
import { type ParsedProxyHeader, parseProxyHeader } from "./parse.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

function bytes(...hex: string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.join("").replaceAll(" ", ""), "hex"));
}

function ascii(text: string): string {
  return Buffer.from(text).toString("hex");
}

/** The hexadecimal text of a TLV. */
function tlv(type: number, value: string): string {
  const length = value.length / 2;
  return Buffer.of(type, length >> 8, length & 0xff).toString("hex") + value;
}

/** A header with two IPv4 addresses and what follows them. */
function ipv4(rest = "", command = "21"): Uint8Array {
  const length = (12 + rest.length / 2).toString(16).padStart(4, "0");
  return bytes(SIGNATURE, command, "11", length, "c0000201 c6336402 dc04 01bb", rest);
}

/** Checks every cut, one byte at a time, and that what follows is left alone. */
function whole(header: Uint8Array): ParsedProxyHeader["header"] {
  for (let length = 0; length < header.length; length++) {
    assert.equal(parseProxyHeader(header.subarray(0, length)), undefined, `at ${length}`);
  }
  const parsed = parseProxyHeader(header);
  assert.ok(parsed !== undefined);
  assert.equal(parsed.length, header.length);
  assert.deepEqual(parseProxyHeader(Buffer.concat([header, Buffer.from("\0rest")])), parsed);
  return parsed.header;
}

/** How many bytes are taken before the error, and what it says. */
function refusal(header: Uint8Array, maxBytes?: number): [taken: number, problem: string] {
  for (let length = 0; length <= header.length; length++) {
    try {
      assert.equal(parseProxyHeader(header.subarray(0, length), { maxBytes }), undefined);
    } catch (error) {
      assert.ok(error instanceof ProtocolError && error.code === "PROXY_HEADER_INVALID", String(error));
      return [length - 1, error.detail.replace("the peer did not send a valid PROXY protocol header: ", "")];
    }
  }
  assert.fail("accepted so far");
}

describe("parseProxyHeader() of version 2", () => {
  it("reads IPv4 addresses over TCP and UDP", () => {
    const tcp = whole(ipv4());
    assert.deepEqual([tcp.version, tcp.command], [2, "proxy"]);
    assert.deepEqual(
      [String(tcp.source), String(tcp.destination)],
      ["tcp://192.0.2.1:56324", "tcp://198.51.100.2:443"],
    );
    const udp = whole(bytes(SIGNATURE, "21 12 000c c0000201 c6336402 dc04 01bb"));
    assert.deepEqual(
      [String(udp.source), String(udp.destination)],
      ["udp://192.0.2.1:56324", "udp://198.51.100.2:443"],
    );
  });

  it("reads IPv6 addresses", () => {
    const block = "20010db8000000000000000000000001 00000000000000000000ffffc0000201 ffff 0000";
    const header = whole(bytes(SIGNATURE, "21 21 0024", block));
    assert.equal(String(header.source), "tcp://[2001:db8::1]:65535");
    assert.equal(String(header.destination), "tcp://[::ffff:192.0.2.1]:0");
    assert.equal(whole(bytes(SIGNATURE, "21 22 0024", block)).source?.transport, "udp");
  });

  it("reads Unix paths, abstract names, and sockets without name", () => {
    const field = (text: string, filler = "00"): string => ascii(text).padEnd(216, filler);
    const pair = (source: string, destination: string): Uint8Array =>
      bytes(SIGNATURE, "21 31 00d8", source, destination);
    const header = whole(pair(field("/run/a.sock"), field("\0name")));
    assert.equal(String(header.source), "unix:/run/a.sock");
    assert.equal(String(header.destination), "unix:@name");
    assert.equal(whole(pair(field(""), field("/x"))).source, undefined);
    assert.equal(whole(pair(field("/x\0", "ff"), field("/y"))).source?.path, "/x");
    assert.equal(whole(pair(field("/".repeat(107)), field(`\0${"n".repeat(107)}`))).destination?.path.length, 108);
    assert.match(
      refusal(pair(field("/".repeat(108)), field("/y")))[1],
      /the path of the source has no zero byte at its end/,
    );
    assert.match(
      refusal(pair(field("/y"), field("\0a\0b")))[1],
      /the abstract name of the destination has a zero byte/,
    );
    assert.match(refusal(pair(field("/y"), "ff00".padEnd(216, "0")))[1], /the path of the destination is not UTF-8/);
    assert.equal(whole(bytes(SIGNATURE, "21 32 00d8", field("/a"), field("/b"))).source?.path, "/a");
  });

  it("reads LOCAL and skips everything after the fixed bytes", () => {
    for (const rest of ["00 0000", "11 000c c0000201 c6336402 dc04 01bb", "ff 0003 ffffff", "00 0001 00"]) {
      const header = whole(bytes(SIGNATURE, "20", rest));
      assert.equal(header.command, "local");
      assert.deepEqual([header.source, header.destination, header.tlvs], [undefined, undefined, []]);
    }
  });

  it("reads UNSPEC families and protocols without addresses", () => {
    for (const rest of ["00 0000", "00 0005 0102030405", "10 000c c0000201 c6336402 dc04 01bb", "30 0000", "01 0000"]) {
      const header = whole(bytes(SIGNATURE, "21", rest));
      assert.equal(header.command, "proxy");
      assert.deepEqual([header.source, header.destination, header.tlvs], [undefined, undefined, []]);
    }
  });

  it("reads the header of a load balancer with checksum, endpoint id and padding", () => {
    const endpoint = `01${ascii("vpce-08d2bf15fac5001c9")}`;
    const rest = tlv(0x03, "e8d6892d") + tlv(0xea, endpoint) + tlv(0x04, "00".repeat(36));
    const header = whole(bytes(SIGNATURE, "21 11 0054 ac1f0771 ac1f0a1f c8f2 0050", rest));
    assert.equal(String(header.source), "tcp://172.31.7.113:51442");
    assert.equal(String(header.destination), "tcp://172.31.10.31:80");
    assert.deepEqual(
      header.tlvs.map(({ type, value }) => [type, value.length]),
      [
        [3, 4],
        [0xea, 23],
        [4, 36],
      ],
    );
  });

  it("decodes the registered TLVs", () => {
    const { tlvs, ...details } = whole(ipv4(tlv(1, "6832") + tlv(2, ascii("a.example")) + tlv(0x20, "0500000000")));
    assert.equal(tlvs.length, 3);
    assert.deepEqual([details.alpn, details.authority, details.uniqueId], ["h2", "a.example", undefined]);
    assert.equal(details.ssl?.verified, true);
  });

  it("keeps no view of the bytes given", () => {
    const given = ipv4(tlv(5, "0102"));
    const parsed = parseProxyHeader(given);
    given.fill(0xff);
    assert.deepEqual(parsed?.header.uniqueId, Uint8Array.of(1, 2));
    assert.equal(parsed?.header.tlvs[0]?.value.buffer.byteLength, 2);
  });

  it("fails at the first of the fixed bytes that cannot be right", () => {
    for (let at = 1; at < 12; at++) {
      const wrong = ipv4();
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      assert.deepEqual(refusal(wrong), [at, `byte ${at + 1} is not that of the version 2 signature`]);
    }
    const cases: [taken: number, hex: string, problem: RegExp][] = [
      [12, "11 11 000c", /its version is 1 instead of 2/],
      [12, "30 11 000c", /its version is 3 instead of 2/],
      [12, "22 11 000c", /its command is 2/],
      [13, "21 41 000c", /its address family 4 is unknown/],
      [13, "21 13 000c", /its transport protocol 3 is unknown/],
      [13, "21 03 0000", /its transport protocol 3 is unknown/],
      [15, "21 11 000b", /its length leaves 11 bytes for addresses that take 12/],
      [15, "21 21 0023", /its length leaves 35 bytes for addresses that take 36/],
      [15, "21 31 00d7", /its length leaves 215 bytes for addresses that take 216/],
      [14, "21 11 1000", /it is longer than 4096 bytes/],
      [14, "20 00 ffff", /it is longer than 4096 bytes/],
      [15, "21 11 0ff1", /it is 4097 bytes long, more than 4096/],
    ];
    for (const [taken, hex, problem] of cases) {
      const [took, said] = refusal(bytes(SIGNATURE, hex));
      assert.match(said, problem);
      assert.equal(took, taken, said);
    }
  });

  it("keeps to maxBytes", () => {
    assert.equal(parseProxyHeader(bytes(SIGNATURE, "21 11 0ff0")), undefined);
    assert.equal(parseProxyHeader(ipv4(), { maxBytes: 28 })?.length, 28);
    assert.match(refusal(ipv4(), 27)[1], /it is 28 bytes long, more than 27/);
    assert.equal(parseProxyHeader(bytes(SIGNATURE, "20 00 ffff"), { maxBytes: 65_551 }), undefined);
  });

  it("refuses wrong TLVs when the last byte is there", () => {
    const cases: [rest: string, problem: RegExp][] = [
      ["0100", /2 bytes are left, too few for another TLV/],
      ["01ffff00", /claims 65535 bytes, 1 are left/],
      [tlv(2, "ff"), /the TLV of type 0x02 is not UTF-8/],
      [tlv(3, "000000"), /the CRC32C checksum has 3 bytes instead of 4/],
      [tlv(3, "00000000"), /the CRC32C checksum does not match/],
    ];
    for (const [rest, problem] of cases) {
      const [taken, said] = refusal(ipv4(rest));
      assert.match(said, problem);
      assert.equal(taken, 28 + rest.length / 2 - 1);
    }
  });

  it("names the operation and the proxy", () => {
    const options = { op: "listen", remote: "tcp://192.0.2.9:1" };
    assert.throws(() => parseProxyHeader(Uint8Array.of(0), options), {
      name: "ProtocolError",
      op: "listen",
      side: "remote",
      remote: "tcp://192.0.2.9:1",
      message:
        /^PROXY_HEADER_INVALID: listen tcp:\/\/192\.0\.2\.9:1: the peer did not send a valid PROXY protocol header: it begins/,
    });
    assert.throws(() => parseProxyHeader(Uint8Array.of(0)), { op: "accept" });
  });
});
