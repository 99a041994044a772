/** Whatever is made of options, and opens nothing: with any value of any option it is made, or a typed error says what is wrong. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as framing from "../../src/framing.ts";
import { Address, AddressList, formatProxyHeader, UsageError, ZocaloError } from "../../src/index.ts";
import { call, contract, event, RemoteError, stream } from "../../src/protocol.ts";
import { check, explore, simulation } from "../../src/sim.ts";
import { anything } from "./anything.ts";

const codec = { name: "one", frameLength: () => 1, decode: () => 1, encode: () => "x" };

const here = Address.parse("tcp://192.0.2.1:80");

/** By its name: the options that it has, and how it is made of them. */
const makers: Readonly<Record<string, readonly [names: string, make: (options: never) => unknown]>> = {
  cobs: ["maxFrameBytes resynchronise", framing.cobs],
  defineCodec: [
    "name maxFrameBytes frameLength decode encode own",
    (over: object) => framing.defineCodec({ ...codec, ...over }),
  ],
  delimiter: ["maxFrameBytes resynchronise", (options) => framing.delimiter(";", options)],
  json: ["maxValues inexact", framing.json],
  lengthPrefix: ["bytes endian offset adjustment skip maxFrameBytes", framing.lengthPrefix],
  lines: ["encoding invalid ending maxLineBytes resynchronise", framing.lines],
  msgpack: ["maxValues", framing.msgpack],
  netstring: ["maxFrameBytes", framing.netstring],
  slip: ["maxFrameBytes leadingEnd resynchronise", framing.slip],
  text: ["encoding invalid", framing.text],
  varintPrefix: ["maxFrameBytes", framing.varintPrefix],
  call: ["description idempotent order", (options) => call(undefined, undefined, options)],
  event: ["description", (options) => event(undefined, options)],
  stream: ["request sends receives description", (options) => stream(options)],
  contract: ["description accepts", (options) => contract("x", "1.0.0", {}, options)],
  "sides of a contract": ["server client", (sides) => contract("x", "1.0.0", sides)],
  RemoteError: ["data cause", (options) => new RemoteError("X", "x", options)],
  "Address.parse": ["transport defaultPort op", (options) => Address.parse("plaza.example", options)],
  "Address.parse of parts": ["transport host zone port path params", (parts) => Address.parse(parts)],
  "Address.with": ["transport host zone port path params", (parts) => Address.parse("tcp://[::1]:1").with(parts)],
  formatProxyHeader: [
    "command tlvs",
    (over: object) => formatProxyHeader({ version: 2, source: here, destination: here, ...over }),
  ],
  "addresses of formatProxyHeader": ["version source destination", formatProxyHeader],
  "AddressList.parse": ["op", (options) => AddressList.parse(["::1"], options)],
  simulation: [
    "link tcp explore cutReads limitMs livelockEvents name chaos convergeMs",
    (options) => simulation(options, async () => 1),
  ],
};

for (const [name, [names, make]] of Object.entries(makers)) {
  test(`${name}: any value of any option`, () => {
    const options = fc.oneof(
      anything,
      fc.record(Object.fromEntries(names.split(" ").map((each) => [each, anything])), { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(options, (given) => {
        try {
          make(given as never);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
          assert.ok(error.code === "OPTION_INVALID" || error.code === "ADDRESS_INVALID", error.message);
        }
      }),
      { numRuns: 500 },
    );
  });
}

test("arguments of makers that are no options", () => {
  const calls: readonly ((value: never) => unknown)[] = [
    framing.fixedSize,
    (value) => framing.delimiter(value),
    (value) => framing.chain(value, framing.json()),
    (value) => framing.chain(framing.lines(), value),
    (value) => {
      framing.lines().createDecoder().maxFrameBytes = value;
    },
    (value) => contract(value, "1.0.0", {}),
    (value) => contract("x", value, {}),
    (value) => AddressList.parse(value),
    (value) => call(value),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...calls), anything, (make, value) => {
      try {
        make(value as never);
      } catch (error) {
        assert.ok(error instanceof UsageError, `${String(make)}: ${String(error)}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a world: any value of any option, of a link and of a host", async () => {
  const options = (names: string): fc.Arbitrary<unknown> =>
    fc.oneof(
      anything,
      fc.record(Object.fromEntries(names.split(" ").map((each) => [each, anything])), { requiredKeys: [] }),
    );
  const link = options("latency bandwidthBitsPerSecond queueBytes loss duplication reordering corruption mtuBytes");
  const tcp = options("sendBufferBytes receiveBufferBytes rtoMinMs rtoMaxMs synRetries timeWaitMs");
  const known = (error: unknown): void => assert.ok(error instanceof ZocaloError, String(error));
  await fc.assert(
    fc.asyncProperty(link, tcp, options("addresses names skewMs"), options("seed faults twice"), async (a, b, c, d) => {
      await check({ link: a, tcp: b } as never, async () => 1).catch(known);
      await explore(
        simulation({ chaos: false }, async () => 1),
        d as never,
      ).catch(known);
      await check({}, async (world) => {
        for (const change of [() => world.link(a as never), () => world.host("x", undefined, c as never)]) {
          try {
            change();
          } catch (error) {
            known(error);
          }
        }
      });
    }),
    { numRuns: 100 },
  );
});
