import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UsageError } from "../errors.ts";
import { Address, type AddressInit, type AddressLike } from "./address.ts";

const label = fc.stringMatching(/^[a-z](?:[a-z0-9_-]{0,8}[a-z0-9_])?$/);
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
);
const zone = fc.oneof(fc.constant(""), fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=-]{1,15}$/));
const unicode = fc.string({ unit: "grapheme", maxLength: 12 });
const params = fc.oneof(
  fc.constant({}),
  fc.dictionary(
    unicode.filter((name) => name !== ""),
    unicode,
    { maxKeys: 3 },
  ),
);
const port = fc.nat({ max: 65_535 });

const networkAddress: fc.Arbitrary<AddressInit> = fc
  .record({ transport: fc.constantFrom("tcp" as const, "tls" as const, "udp" as const), host, port, zone, params })
  .map((init) => (init.host.includes(":") ? init : { ...init, zone: "" }));
const unixAddress: fc.Arbitrary<AddressInit> = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .filter((path) => Buffer.byteLength(path) <= 107 && path.lastIndexOf("\0") <= 0 && path !== "\0")
  .map((path) => ({ path }));
const anyAddress = fc.oneof(networkAddress, unixAddress).map((init) => Address.parse(init));

describe("Address properties", () => {
  it("parse(toString(a)) equals a, and the text is stable", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const again = Address.parse(address.toString());
        assert.deepEqual(Object.assign({}, again), Object.assign({}, address));
        assert.ok(again.equals(address) && address.equals(again));
        assert.equal(again.toString(), address.toString());
        assert.equal(JSON.parse(JSON.stringify({ address })).address, address.toString());
      }),
    );
  });

  it("hostPort with the transport given is the same address without parameters", () => {
    fc.assert(
      fc.property(networkAddress, (init) => {
        const address = Address.parse(init);
        const again = Address.parse(address.hostPort, { transport: address.transport });
        assert.ok(again.equals(address.with({ params: {} })));
      }),
    );
  });

  it("garbage gives ADDRESS_INVALID and nothing else", () => {
    const pieces = [
      "tcp://",
      "unix:",
      "udp://",
      "[",
      "]",
      "::",
      ":",
      "%25",
      "%",
      "?",
      "&",
      "=",
      "#",
      "/",
      "@",
      "1",
      ".",
      "a",
      "\0",
      "ñ",
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary", maxLength: 3 })), {
      maxLength: 12,
    });
    const transport = fc.constantFrom(undefined, "tcp" as const, "unix" as const);
    const input = fc.oneof(
      text.map((list) => list.join("")),
      fc.anything(),
      fc.record({ transport: fc.anything(), host: fc.anything(), port: fc.anything(), params: fc.anything() }),
      fc.record({ transport: fc.constant("tcp"), host: text.map((list) => list.join("")), port }),
      fc.record({ transport: fc.constant("tcp"), host: fc.constant("::1"), port: fc.anything() }),
      fc.record({
        transport: fc.constant("tcp"),
        host: fc.constant("::1"),
        port,
        zone: fc.anything(),
        params: fc.anything(),
      }),
      fc.record({ path: fc.anything() }),
    );
    fc.assert(
      fc.property(input, transport, (one, defaultTransport) => {
        try {
          const address = Address.parse(one as AddressLike, { transport: defaultTransport });
          assert.ok(Address.parse(address.toString()).equals(address));
        } catch (error) {
          assert.ok(error instanceof UsageError && error.code === "ADDRESS_INVALID", String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("Address.fromIp()", () => {
  it("splits the zone and is the same as a parsed address", () => {
    assert.ok(Address.fromIp("udp", "127.0.0.1", 9).equals(Address.parse("udp://127.0.0.1:9")));
    assert.ok(Address.fromIp("udp", "::1", 9).equals(Address.parse("udp://[::1]:9")));
    assert.ok(Address.fromIp("udp", "fe80::1%eth0", 9).equals(Address.parse("udp://[fe80::1%eth0]:9")));
    assert.ok(Address.fromIp("tcp", "::1.2.3.4", 9).equals(Address.parse("tcp://[::1.2.3.4]:9")));
    assert.equal(Address.fromIp("udp", "127.0.0.1", 9).params, Address.fromIp("tcp", "::1", 1).params);
  });
});

describe("Address.fromPath()", () => {
  it("takes files, abstract names, and no name", () => {
    assert.ok(Address.fromPath("/run/x").equals(Address.parse("unix:/run/x")));
    assert.ok(Address.fromPath("\0x").equals(Address.parse("unix:@x")));
    assert.equal(String(Address.fromPath("")), "unix:");
  });
});

describe("Address.with()", () => {
  const address = Address.parse("udp://[fe80::1%25eth0]:80?interface=lo");

  it("replaces what is given", () => {
    assert.equal(String(address.with({ port: 81 })), "udp://[fe80::1%25eth0]:81?interface=lo");
    assert.equal(String(address.with({ transport: "tcp", params: {} })), "tcp://[fe80::1%25eth0]:80");
    assert.equal(String(address.with({ host: "::1" })), "udp://[::1]:80?interface=lo");
    assert.equal(String(address.with({ host: "::1", zone: "b" })), "udp://[::1%25b]:80?interface=lo");
    assert.equal(String(address.with({ zone: "" })), "udp://[fe80::1]:80?interface=lo");
    assert.equal(String(address.with({ transport: "unix", path: "/x" })), "unix:/x");
    assert.equal(String(Address.parse("unix:/x").with({ path: "\0y" })), "unix:@y");
    assert.equal(String(Address.parse("unix:/x").with({ transport: "tcp", host: "a", port: 1 })), "tcp://a:1");
    assert.ok(address.with({}).equals(address));
  });

  it("refuses what is not valid", () => {
    const invalid = { code: "ADDRESS_INVALID" };
    assert.throws(() => address.with({ port: 70_000 }), invalid);
    assert.throws(() => address.with({ path: "/x" }), invalid);
    assert.throws(() => address.with({ transport: "unix" }), invalid);
    assert.throws(() => Address.parse("unix:/x").with({ host: "a" }), invalid);
    assert.throws(() => Address.parse("unix:/x").with({ transport: "tcp" }), invalid);
  });
});

describe("Address.equals()", () => {
  it("compares every part", () => {
    const text = "udp://[fe80::1%25a]:80?k=v";
    const same = Address.parse(text);
    assert.ok(same.equals(same));
    assert.ok(same.equals(Address.parse("UDP://[FE80:0::1%a]:80?k=v")));
    const others = ["tcp://[fe80::1%25a]:80?k=v", "udp://[fe80::2%25a]:80?k=v", "udp://[fe80::1%25b]:80?k=v"];
    const more = ["udp://[fe80::1%25a]:81?k=v", "udp://[fe80::1%25a]:80?k=w", "udp://[fe80::1%25a]:80", "unix:/x"];
    for (const other of [...others, ...more]) assert.equal(same.equals(Address.parse(other)), false, other);
    assert.ok(Address.parse("udp://a:1?a=1&b=2").equals(Address.parse("udp://a:1?b=2&a=1")));
  });
});

describe("Address.unmapped()", () => {
  it("turns IPv4-mapped addresses into IPv4 and leaves the others", () => {
    assert.equal(String(Address.parse("tcp://[::ffff:192.0.2.1]:80").unmapped()), "tcp://192.0.2.1:80");
    assert.equal(String(Address.parse("tcp://[::FFFF:c000:201]:80?k=v").unmapped()), "tcp://192.0.2.1:80?k=v");
    for (const text of ["tcp://[::1]:1", "tcp://[::c000:201]:1", "tcp://192.0.2.1:1", "tcp://a:1", "unix:/x"]) {
      const address = Address.parse(text);
      assert.equal(address.unmapped(), address);
    }
  });
});

describe("Address.hostPort", () => {
  it("has brackets around IPv6 and shows the path of a Unix socket", () => {
    assert.equal(Address.parse("tcp://[::1]:80").hostPort, "[::1]:80");
    assert.equal(Address.parse("tcp://[fe80::1%eth0]:80").hostPort, "[fe80::1%25eth0]:80");
    assert.equal(Address.parse("udp://127.0.0.1:80?k=v").hostPort, "127.0.0.1:80");
    assert.equal(Address.parse("tcp://a.example:80").hostPort, "a.example:80");
    assert.equal(Address.parse("unix:/a%20b").hostPort, "/a b");
    assert.equal(Address.parse("unix:@x").hostPort, "@x");
  });
});

it("a part or an option that there is not is refused, and the one that was meant is named", () => {
  const invalid = (code: string, detail: RegExp) => (error: unknown) => {
    assert.ok(error instanceof UsageError && error.code === code, String(error));
    assert.match(error.detail, detail);
    return true;
  };
  const parse = (input: unknown, options?: unknown): Address => Address.parse(input as never, options as never);
  const plaza = Address.parse("tcp://plaza.example:80");
  const change = (given: unknown): Address => plaza.with(given as never);
  for (const [make, detail] of [
    [() => parse({ transport: "tcp", host: "::1", prot: 80, port: 1 }), /no part "prot"; did you mean "port"\?/],
    [() => parse({ transport: "tcp", host: "::1", port: 80, prams: {} }), /no part "prams"; did you mean "params"\?/],
    [
      () => parse({ path: "/run/x", mode: 0o600 }),
      /no part "mode"; there are transport, host, zone, port, path, params/,
    ],
    [() => change({ hots: "other.example" }), /no part "hots"; did you mean "host"\?/],
    [() => change(null), /^address must be an object/],
  ] as const) {
    assert.throws(make, invalid("ADDRESS_INVALID", detail));
  }
  assert.throws(
    () => parse("plaza.example", { transport: "tcp", defaultport: 80 }),
    invalid("OPTION_INVALID", /^there is no option "defaultport"; did you mean "defaultPort"\?$/),
  );
  for (const options of [null, "tcp"])
    assert.throws(() => parse("x:1", options), invalid("OPTION_INVALID", /^options must/));
});
