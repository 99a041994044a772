import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../errors.ts";
import { Address, type AddressLike, type AddressParseOptions } from "./address.ts";

/** The detail of the error that an input gives. */
function detailOf(input: unknown, options?: AddressParseOptions): string {
  try {
    Address.parse(input as AddressLike, options);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.code, "ADDRESS_INVALID");
    return error.detail;
  }
  assert.fail(`accepted: ${String(input)}`);
}

function partsOf(address: Address): object {
  return Object.assign({}, address);
}

function refuses(cases: [input: unknown, begins: string, options?: AddressParseOptions][]): void {
  for (const [input, begins, options] of cases) {
    const detail = detailOf(input, options);
    assert.ok(detail.startsWith(begins), `${String(input)}: ${detail}`);
  }
}

describe("Address.parse() of host and port", () => {
  const texts: [text: string, transport: string, family: unknown, host: string, port: number][] = [
    ["tcp://127.0.0.1:7000", "tcp", 4, "127.0.0.1", 7000],
    ["tls://[::1]:443", "tls", 6, "::1", 443],
    ["TCP://[2001:DB8::0001]:1", "tcp", 6, "2001:db8::1", 1],
    ["udp://239.1.2.3:0", "udp", 4, "239.1.2.3", 0],
    ["tcp://Example.ORG:65535", "tcp", "name", "example.org", 65535],
    ["tcp://localhost.:80", "tcp", "name", "localhost.", 80],
    ["tcp://_sip-1._tcp.a1:80", "tcp", "name", "_sip-1._tcp.a1", 80],
    ["tcp://1e3.4d:80", "tcp", "name", "1e3.4d", 80],
    ["tcp://plaza.españa.example:80", "tcp", "name", "plaza.xn--espaa-rta.example", 80],
    ["tcp://例え.テスト:80", "tcp", "name", "xn--r8jz45g.xn--zckzah", 80],
    ["tcp://ＡＢＣ。example:80", "tcp", "name", "abc.example", 80],
  ];
  for (const [text, transport, family, host, port] of texts) {
    it(`reads ${text}`, () => {
      const address = Address.parse(text);
      const { params, path, zone } = address;
      assert.deepEqual(
        partsOf(address),
        { transport, family, host, port, zone: "", path: "", params: {} },
        JSON.stringify({ params, path, zone }),
      );
      assert.equal(Address.parse(String(address)).equals(address), true);
    });
  }

  it("reads a zone, percent-encoded (RFC 6874) or bare", () => {
    for (const text of ["tcp://[fe80::1%25eth0]:80", "tcp://[fe80::1%eth0]:80", "tcp://[fe80::1%25%65th0]:80"]) {
      const address = Address.parse(text);
      assert.equal(address.host, "fe80::1");
      assert.equal(address.zone, "eth0");
      assert.equal(String(address), "tcp://[fe80::1%25eth0]:80");
    }
    assert.equal(Address.parse("tcp://[fe80::1%2525]:80").zone, "25");
    assert.equal(Address.parse("tcp://[fe80::1%2]:80").zone, "2");
  });

  it("reads a text without scheme when the transport is given", () => {
    assert.equal(String(Address.parse("localhost:7000", { transport: "tcp" })), "tcp://localhost:7000");
    assert.equal(String(Address.parse("[::1]:80", { transport: "udp" })), "udp://[::1]:80");
    assert.equal(String(Address.parse("tls://a:1", { transport: "tcp" })), "tls://a:1");
    assert.equal(String(Address.parse("unix:1", { transport: "tcp" })), "unix:1");
    assert.equal(String(Address.parse("127.0.0.1:1?k=v", { transport: "udp" })), "udp://127.0.0.1:1?k=v");
  });

  it("takes the default port where none is written", () => {
    assert.equal(String(Address.parse("tcp://a", { defaultPort: 7 })), "tcp://a:7");
    assert.equal(String(Address.parse("[::1]", { transport: "tcp", defaultPort: 7 })), "tcp://[::1]:7");
    assert.equal(String(Address.parse("a:9", { transport: "tcp", defaultPort: 7 })), "tcp://a:9");
  });

  it("refuses a wrong scheme", () => {
    refuses([
      ["http://a:80", 'scheme "http" is unknown; known are tcp, tls, udp, unix'],
      ["://a:80", "scheme is missing"],
      ["localhost:80", "scheme is missing; known are tcp, tls, udp, unix, as in tcp://localhost:7000"],
      ["tcp:localhost:80", 'scheme must be followed by "//"'],
      ["tcp:/localhost:80", 'scheme must be followed by "//"'],
      ["", "scheme is missing"],
      [" tcp://a:80", "scheme is missing"],
      ["a:80", 'scheme "http" is unknown', { transport: "http" as "tcp" }],
    ]);
  });

  it("refuses a wrong host", () => {
    const name63 = "a".repeat(63);
    refuses([
      ["tcp://127.1:80", 'host "127.1" is not an IPv4 address; write four decimal numbers'],
      ["tcp://0x7f.0.0.1:80", 'host "0x7f.0.0.1" is not an IPv4 address'],
      ["tcp://0x7f000001:80", 'host "0x7f000001" is not an IPv4 address'],
      ["tcp://010.0.0.1:80", 'host "010.0.0.1" is not an IPv4 address'],
      ["tcp://1.2.3.4.5:80", 'host "1.2.3.4.5" is not an IPv4 address'],
      ["tcp://256.1.1.1:80", 'host "256.1.1.1" is not an IPv4 address'],
      ["tcp://1.2.3.4.:80", 'host "1.2.3.4." is not an IPv4 address'],
      ["tcp://example.123:80", 'host "example.123" is not an IPv4 address'],
      ["tcp://１２７.０.０.１:80", "host "],
      ["tcp://*:80", 'host "*" says neither IPv4 nor IPv6; 0.0.0.0 or [::]'],
      ["tcp://:80", "host is missing; 0.0.0.0 or [::]"],
      ["tcp://", "host is missing"],
      ["tcp://.:80", 'host "." has an empty label'],
      ["tcp://a..b:80", 'host "a..b" has an empty label'],
      ["tcp://-a:80", 'host "-a" has a label that begins or ends with a hyphen'],
      ["tcp://a-.b:80", 'host "a-.b" has a label'],
      ["tcp://a b:80", 'host "a b" has the character " "'],
      ["tcp://a%62:80", 'host "a%62" has the character "%"'],
      ["tcp://a\\b:80", "host "],
      ["tcp://a\0:80", 'host "a\\u0000" has the character'],
      ["tcp://a\n:80", 'host "a\\n" has the character'],
      ["tcp://ñ ñ:80", 'host "ñ ñ" has the character " "'],
      ["tcp://ñ%2e:80", 'host "ñ%2e" has the character "%"'],
      ["tcp://\u200d:80", "host "],
      ["tcp://\ud800:80", "host "],
      [`tcp://${"a".repeat(64)}:80`, "host has a label of more than 63 characters"],
      [`tcp://${name63}.${name63}.${name63}.${name63}:80`, "host has more than 253 characters"],
      ["tcp://::1:80", "host has more than one colon; an IPv6 address needs brackets"],
      ["tcp://[::1:80", 'host has no closing "]"'],
      ["tcp://[127.0.0.1]:80", 'host "127.0.0.1" is not an IPv6 address'],
      ["tcp://[]:80", 'host "" is not an IPv6 address'],
      ["tcp://[::g]:80", 'host "::g" is not an IPv6 address'],
      ["tcp://a]:80", 'host "a]" has the character "]"'],
    ]);
    assert.equal(Address.parse(`tcp://${name63}.${name63}.${name63}.${"a".repeat(61)}.:80`).host.length, 254);
  });

  it("refuses a wrong zone", () => {
    refuses([
      ["tcp://[fe80::1%]:80", "zone is empty"],
      ["tcp://[fe80::1%25]:80", 'zone "25" is ambiguous after a bare "%"; write %2525'],
      ["tcp://[fe80::1%25%zz]:80", 'zone "%25%zz" has a wrong percent-encoding'],
      ["tcp://[fe80::1%25a%20b]:80", 'zone "a b" has the character " "'],
      ["tcp://[fe80::1%25%c3%b1]:80", 'zone "ñ" has the character'],
      [`tcp://[fe80::1%25${"a".repeat(65)}]:80`, "zone has more than 64 characters"],
    ]);
  });

  it("refuses a wrong port", () => {
    refuses([
      ["tcp://a", "port is missing; add one, as in localhost:7000"],
      ["tcp://[::1]", "port is missing; add one"],
      ["tcp://a:", "port is missing after the colon"],
      ["tcp://a:", "port is missing after the colon", { defaultPort: 7 }],
      ["tcp://a:65536", 'port "65536" is not a whole number from 0 to 65535'],
      ["tcp://a:99999999999999999999", "port "],
      ["tcp://a:-1", 'port "-1" is not a decimal number'],
      ["tcp://a:+1", 'port "+1" is not a decimal number'],
      ["tcp://a:080", 'port "080" is not a decimal number without leading zeros'],
      ["tcp://a:0x50", 'port "0x50" is not a decimal number'],
      ["tcp://a:1e3", 'port "1e3" is not a decimal number'],
      ["tcp://a:80 ", 'port "80 " is not a decimal number'],
      ["tcp://a:８０", 'port "８０" is not a decimal number'],
      ["tcp://a:http", 'port "http" is not a decimal number'],
      ["tcp://[::1]80", 'port "80" must be ":" and a number'],
      ["tcp://a", 'port "70000" is not a whole number', { defaultPort: 70000 }],
    ]);
  });

  it("refuses user info, paths and fragments", () => {
    refuses([
      ["tcp://me@a:80", "user info is not allowed"],
      ["tcp://a:80/", 'path "/" is not allowed after the port'],
      ["tcp://a:80/x?k=v", 'path "/x" is not allowed'],
      ["tcp://a:80?", "parameter has no name"],
      ["tcp://a:80#x", "fragment is not allowed"],
      ["tcp://a:80?k=v#x", "fragment is not allowed"],
    ]);
  });

  it("shows the input, cut to a line, with a password hidden", () => {
    assert.match(detailOf("tcp://a:99999"), / \(in "tcp:\/\/a:99999"\)$/);
    assert.match(detailOf("tcp://me:secret@a:80"), / \(in "tcp:\/\/\*\*\*@a:80"\)$/);
    assert.doesNotMatch(detailOf("me:secret@a:80", { transport: "tcp" }), /secret/);
    assert.match(
      detailOf({ transport: "tcp", host: "a", port: -1 }),
      /\(in \{"transport":"tcp","host":"a","port":-1\}\)$/,
    );
    assert.ok(detailOf(`tcp://${"a.".repeat(900)}:80`).length < 600);
    assert.match(detailOf(`tcp://${"a".repeat(5000)}:80`), /^address has more than 2048 characters/);
  });

  it("names the operation", () => {
    assert.throws(() => Address.parse("x", { op: "connect" }), {
      op: "connect",
      message: /^ADDRESS_INVALID: connect: scheme/,
    });
    assert.throws(() => Address.parse("x"), { op: "address", side: "local" });
  });
});

describe("Address.parse() of objects", () => {
  it("reads a URL", () => {
    assert.equal(String(Address.parse(new URL("tcp://[::1]:80"))), "tcp://[::1]:80");
    assert.equal(String(Address.parse(new URL("unix:/run/x"))), "unix:/run/x");
    assert.match(detailOf(new URL("https://a")), /^scheme "https" is unknown/);
  });

  it("returns an address as it is", () => {
    const address = Address.parse("tcp://a:1");
    assert.equal(Address.parse(address), address);
  });

  it("reads a plain object", () => {
    const text = (input: AddressLike, options?: AddressParseOptions): string => String(Address.parse(input, options));
    assert.equal(text({ transport: "tcp", host: "127.0.0.1", port: 1 }), "tcp://127.0.0.1:1");
    assert.equal(text({ host: "A.example", port: 1 }, { transport: "tls" }), "tls://a.example:1");
    assert.equal(text({ transport: "udp", host: "FE80::1", port: 0, zone: "eth0" }), "udp://[fe80::1%25eth0]:0");
    assert.equal(text({ transport: "udp", host: "fe80::1%25", port: 0 }), "udp://[fe80::1%2525]:0");
    assert.equal(text({ transport: "udp", host: "::1", port: 0, params: { b: "2", a: "1" } }), "udp://[::1]:0?a=1&b=2");
    assert.equal(text({ path: "/run/x" }), "unix:/run/x");
    assert.equal(text({ transport: "unix", path: "\0x" }, { transport: "tcp" }), "unix:@x");
    assert.equal(text({ path: "@x" }), "unix:%40x");
    const withoutPort = { transport: "tcp", host: "a" } as unknown as AddressLike;
    assert.equal(text(withoutPort, { defaultPort: 9 }), "tcp://a:9");
  });

  it("refuses wrong parts", () => {
    const circular: Record<string, unknown> = { transport: "tcp", host: 7 };
    circular["self"] = circular;
    refuses([
      [undefined, "address must be a text, a URL, or an object"],
      [null, "address must be"],
      [7, "address must be"],
      [7n, "address must be"],
      [{}, "scheme is missing; known are"],
      [{ host: "a", port: 1 }, "scheme is missing"],
      [{ transport: "sctp", host: "a", port: 1 }, 'scheme "sctp" is unknown'],
      [{ transport: "tcp", port: 1 }, "host is missing"],
      [{ transport: "tcp", host: "[::1]", port: 1 }, "host has brackets"],
      [{ transport: "tcp", host: "a:b", port: 1 }, 'host "a:b" is not an IPv6 address'],
      [{ transport: "tcp", host: "a", port: 1, path: "/x" }, "path is not allowed with tcp"],
      [{ transport: "unix", host: "a", path: "/x" }, "host is not allowed in a Unix address"],
      [{ path: "/x", port: 1 }, "port is not allowed in a Unix address"],
      [{ path: "/x", zone: "a" }, "zone is not allowed in a Unix address"],
      [{ path: "/x", params: {} }, "parameter list is not allowed in a Unix address"],
      [{ transport: "unix" }, "path must be a text"],
      [{ path: 7 }, "path must be a text"],
      [{ path: "" }, "path is empty"],
      [{ path: "\0" }, "path has no name"],
      [{ path: "a\0b" }, "path has a zero byte"],
      [{ transport: "tcp", host: "a" }, "port is missing"],
      [{ transport: "tcp", host: "a", port: "80" }, "port "],
      [{ transport: "tcp", host: "a", port: Object.create(null) as unknown }, "port of type object is not"],
      [{ transport: "tcp", host: "a", port: 1.5 }, 'port "1.5" is not a whole number'],
      [{ transport: "tcp", host: "a", port: Number.NaN }, 'port "NaN" is not a whole number'],
      [{ transport: "tcp", host: "a", port: 1, zone: "eth0" }, "zone is allowed with an IPv6 address only"],
      [{ transport: "tcp", host: "::1%a", port: 1, zone: "a" }, "zone is given twice"],
      [{ transport: "tcp", host: "::1", port: 1, zone: "a b" }, 'zone "a b" has the character " "'],
      [{ transport: "tcp", host: "::1", port: 1, zone: 7 }, "zone must be a text"],
      [{ transport: "tcp", host: "a", port: 1, params: { k: 7 } }, 'parameter "k" must be a text'],
      [{ transport: "tcp", host: "a", port: 1, params: "k=v" }, "parameter list must be"],
      [circular, "host is missing"],
    ]);
  });
});
