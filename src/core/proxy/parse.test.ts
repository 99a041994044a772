import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { assertError } from "../../testing/expect-error.ts";
import { Address } from "../address/address.ts";
import { parseIpv6 } from "../address/ip.ts";
import { ProtocolError, UsageError } from "../errors.ts";
import { formatProxyHeader } from "./format.ts";
import { type ParsedProxyHeader, parseProxyHeader } from "./parse.ts";
import { isIpv6SoFar } from "./parse-v1.ts";

const source = Address.parse("tcp://192.0.2.1:4000");
const destination = Address.parse("tcp://192.0.2.2:443");

test("either version, told by its first byte; what follows is not looked at", () => {
  for (const version of [1, 2] as const) {
    const header = formatProxyHeader({ version, source, destination });
    const found = parseProxyHeader(Buffer.concat([header, Buffer.from("PROXY nonsense")]));
    assert.deepEqual([found?.header.version, found?.length], [version, header.length]);
    for (let length = 0; length < header.length; length += 1) {
      assert.equal(parseProxyHeader(header.subarray(0, length)), undefined);
    }
    // What was received can be passed on.
    assert.deepEqual(found === undefined ? undefined : formatProxyHeader(found.header), header);
  }
});

test("the error names the call, or the one that is given, and the proxy", () => {
  const bytes = Buffer.from("GET / HTTP/1.1\r\n");
  const error = (options?: Parameters<typeof parseProxyHeader>[1]): unknown => {
    try {
      return parseProxyHeader(bytes, options);
    } catch (thrown) {
      return thrown;
    }
  };
  const expected = { code: "PROXY_HEADER_INVALID", type: ProtocolError, side: "remote" } as const;
  assertError(error(), { ...expected, op: "accept" });
  const remote = "tcp://127.0.0.1:9";
  assertError(error({ op: "greet", remote }), { ...expected, op: "greet", remote });
});

test("a header that is longer than maxBytes is refused as soon as its length is read", () => {
  const long = formatProxyHeader({ version: 2, source, destination, tlvs: [{ type: 4, value: new Uint8Array(5000) }] });
  assert.throws(() => parseProxyHeader(long.subarray(0, 16)), { code: "PROXY_HEADER_INVALID" });
  assert.equal(parseProxyHeader(long, { maxBytes: 6000 })?.length, long.length);
});

test("wrong arguments are the caller's fault", () => {
  const usage = { code: "OPTION_INVALID", type: UsageError, op: "parseProxyHeader", side: "local" } as const;
  const wrong: readonly (() => unknown)[] = [
    () => parseProxyHeader("PROXY UNKNOWN\r\n" as never),
    () => parseProxyHeader(undefined as never),
    () => parseProxyHeader(new Uint8Array(), { maxBytes: 0 }),
    () => parseProxyHeader(new Uint8Array(), { maxLength: 9 } as never),
  ];
  for (const call of wrong) {
    assert.throws(call, (error) => {
      assertError(error, usage);
      return true;
    });
  }
});

function parse(text: string): ParsedProxyHeader | undefined {
  return parseProxyHeader(Buffer.from(text, "latin1"));
}

/** How many bytes are taken before the error, and its detail. */
function refusal(text: string): [taken: number, problem: string] {
  for (let length = 1; length <= text.length; length++) {
    try {
      assert.equal(parse(text.slice(0, length)), undefined);
    } catch (error) {
      assert.ok(error instanceof ProtocolError && error.code === "PROXY_HEADER_INVALID", String(error));
      assert.throws(() => parse(text), { code: "PROXY_HEADER_INVALID" });
      return [length - 1, error.detail.replace("the peer did not send a valid PROXY protocol header: ", "")];
    }
  }
  assert.fail(`accepted so far: ${JSON.stringify(text)}`);
}

describe("parseProxyHeader() of version 1", () => {
  const ffff = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const lines: [line: string, source: string, destination: string][] = [
    // The example and the longest lines of section 2.1.
    ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443", "tcp://192.168.0.1:56324", "tcp://192.168.0.11:443"],
    [
      "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535",
      "tcp://255.255.255.255:65535",
      "tcp://255.255.255.255:65535",
    ],
    [`PROXY TCP6 ${ffff} ${ffff} 65535 65535`, `tcp://[${ffff}]:65535`, `tcp://[${ffff}]:65535`],
    ["PROXY TCP6 2001:DB8::0001 :: 0 1", "tcp://[2001:db8::1]:0", "tcp://[::]:1"],
    ["PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:c000:202 9 10", "tcp://[::ffff:192.0.2.1]:9", "tcp://[::ffff:192.0.2.2]:10"],
    ["PROXY TCP6 ::1.2.3.4 1:2:3:4:5:6:7:: 9 10", "tcp://[::102:304]:9", "tcp://[1:2:3:4:5:6:7:0]:10"],
  ];
  for (const [line, from, to] of lines) {
    it(`reads ${line}`, () => {
      const text = `${line}\r\n`;
      for (let length = 0; length < text.length; length++) assert.equal(parse(text.slice(0, length)), undefined);
      for (const rest of ["", "\r", "GET / HTTP/1.1\r\n", "x".repeat(200)]) {
        const parsed = parse(text + rest);
        assert.ok(parsed !== undefined);
        assert.equal(parsed.length, text.length);
        const { header } = parsed;
        assert.deepEqual([header.version, header.command], [1, "proxy"]);
        assert.deepEqual([String(header.source), String(header.destination)], [from, to]);
        assert.deepEqual(header.tlvs, []);
      }
    });
  }

  it("reads UNKNOWN and ignores the rest of its line", () => {
    const longest = `PROXY UNKNOWN ${ffff} ${ffff} 65535 65535\r\n`;
    assert.equal(longest.length, 107);
    for (const text of ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN \r\n", "PROXY UNKNOWN  x \xff\0 y\r\n", longest]) {
      for (let length = 0; length < text.length; length++) assert.equal(parse(text.slice(0, length)), undefined);
      const parsed = parse(`${text}rest`);
      assert.equal(parsed?.length, text.length);
      assert.equal(parsed?.header.command, "local");
      assert.equal(parsed?.header.source, undefined);
      assert.equal(parsed?.header.destination, undefined);
    }
  });

  it("fails at the first byte that cannot be right", () => {
    const cases: [good: string, bad: string, problem: RegExp][] = [
      ["", "G", /begins with byte 0x47, as neither version does/],
      ["", "p", /begins with byte 0x70/],
      ["", " ", /begins with byte 0x20/],
      ["PR", "I * HTTP/2.0\r\n", /must begin with "PROXY "/],
      ["PROXY ", "  TCP4", /the protocol must be/],
      ["PROXY ", " TCP4", /the protocol must be TCP4, TCP6, UNKNOWN/],
      ["PROXY", "\r\n", /must begin with "PROXY "/],
      ["PROXY ", "\r\n", /the protocol must be/],
      ["PROXY ", "tcp4", /the protocol must be/],
      ["PROXY TCP", "5", /the protocol must be/],
      ["PROXY TCP", " ", /the protocol must be/],
      ["PROXY UNKNOWN", "X", /the protocol must be/],
      ["PROXY TCP4", "\r\n", /the line ends before the source address/],
      ["PROXY TCP4 ", " ", /the source address "" is not valid for TCP4/],
      ["PROXY TCP4 25", "6.1.1.1", /the source address "256" is not valid for TCP4/],
      ["PROXY TCP4 0", "1.1.1.1", /the source address "01"/],
      ["PROXY TCP4 1.1.1", " ", /the source address "1.1.1"/],
      ["PROXY TCP4 1.1.1.1", ".", /the source address/],
      ["PROXY TCP4 ", "::1", /the source address/],
      ["PROXY TCP4 1.1.1.1 2.2.2", "\r\n", /the destination address "2.2.2"/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2", "\r\n", /the line ends before the source port/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 ", "\r\n", /the source port ""/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 0", "1 2", /the source port "01"/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 6553", "6 2", /the source port "65536"/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 ", "-1", /the source port "-"/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 ", "\r\n", /the destination port ""/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1", "\r\n", /the line ends before the destination port/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 2", " \r\n", /a space after the destination port/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 2", "\n", /must end with CR and LF/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r", "\r\n", /must end with CR and LF/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r", "GET", /must end with CR and LF/],
      ["PROXY TCP4 1.1.1.1 2.2.2.2 1 2", "\t\r\n", /the destination port "2\\t"/],
      ["PROXY TCP6 1", ".2.3.4", /the source address "1."/],
      ["PROXY TCP6 1:2:3:4:5:6:7:8", ":", /the source address/],
      ["PROXY TCP6 1:2:3:4:5:6:7", " ", /the source address/],
      ["PROXY TCP6 1::2:", ":", /the source address/],
      ["PROXY TCP6 1234", "5", /the source address "12345"/],
      ["PROXY TCP6 fe80::1", "%eth0", /the source address "fe80::1%"/],
      ["PROXY TCP6 ::ffff:192.0.2.25", "6 ::1 1 2", /the source address "::ffff:192.0.2.256"/],
      ["PROXY TCP6 1::1", ".2.3.4", /the source address "1::1."/],
      ["PROXY UNKNOWN abc", "\n", /must end with CR and LF/],
      ["PROXY UNKNOWN abc\r", "d", /must end with CR and LF/],
      [`PROXY UNKNOWN ${"x".repeat(91)}`, "x\r\n", /the line has more than 107 bytes/],
    ];
    for (const [good, bad, problem] of cases) {
      const [taken, said] = refusal(good + bad);
      assert.match(said, problem, good + bad);
      assert.equal(taken, good.length, `${JSON.stringify(good + bad)}: ${said}`);
    }
  });

  it("whatever is right so far can be completed", () => {
    const alphabet = " \r\n.:0123456789afAFPROXYTCUNKW".split("");
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 107, maxLength: 107 }),
        fc.constantFrom("P", "PROXY TCP6 "),
        (picks, start) => {
          let text = start;
          for (const pick of picks) {
            const next = alphabet.filter((character) => {
              try {
                parse(text + character);
                return true;
              } catch {
                return false;
              }
            });
            // Never stuck: with at most 107 bytes to a line, every text that is right so far has an end.
            assert.ok(next.length > 0, text);
            text += next[pick % next.length] ?? "";
            if (parse(text) !== undefined) return;
          }
          assert.fail(text);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("isIpv6SoFar() holds for every beginning of an address", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        fc.pre(!text.includes("."));
        assert.notEqual(parseIpv6(text), undefined);
        for (let length = 0; length <= text.length; length++) assert.ok(isIpv6SoFar(text.slice(0, length)), text);
      }),
    );
  });
});
