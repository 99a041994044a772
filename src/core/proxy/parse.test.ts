import assert from "node:assert/strict";
import { test } from "node:test";
import { assertError } from "../../testing/expect-error.ts";
import { Address } from "../address/address.ts";
import { ProtocolError, UsageError } from "../errors.ts";
import { formatProxyHeader } from "./format.ts";
import { parseProxyHeader } from "./parse.ts";

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
