import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../core/address/address.ts";
import { endsOf } from "./capture-endpoints.ts";

test("what has no IP address gets one that no network has, and the comment says so", () => {
  const cases = [
    ["tcp://127.0.0.1:5000", "tcp://127.0.0.1:80", "127.0.0.1", 5000, "127.0.0.1", 80, undefined],
    ["tcp://[::1]:5000", "tcp://127.0.0.1:80", "::1", 5000, "::ffff:7f00:1", 80, undefined],
    ["tcp://127.0.0.1:5000", "tcp://[fe80::1%25lo]:80", "::ffff:7f00:1", 5000, "fe80::1", 80, undefined],
    [
      "tcp://127.0.0.1:5000",
      "tcp://localhost:80",
      "127.0.0.1",
      5000,
      "127.0.0.1",
      80,
      "tcp://localhost:80 is 127.0.0.1 here",
    ],
    ["udp://[::1]:5000", "udp://db:53", "::1", 5000, "2001:db8::2", 53, "udp://db:53 is 2001:db8::2 here"],
    [
      "unix:",
      "unix:/run/db",
      "192.0.2.1",
      1031,
      "192.0.2.2",
      1,
      "the client of a Unix socket is 192.0.2.1 here; unix:/run/db is 192.0.2.2 here",
    ],
  ] as const;
  for (const [client, upstream, ip, port, serverIp, serverPort, comment] of cases) {
    const from = client === "unix:" ? Address.fromPath("") : Address.parse(client);
    const expected = { client: { ip, port }, server: { ip: serverIp, port: serverPort }, comment };
    assert.deepEqual(endsOf(from, Address.parse(upstream), 7), expected);
  }
  const ports = Array.from({ length: 64_512 }, (_, number) =>
    endsOf(Address.fromPath(""), Address.fromPath("/x"), number),
  );
  assert.equal(new Set(ports.map(({ client }) => client.port)).size, 64_512);
});
