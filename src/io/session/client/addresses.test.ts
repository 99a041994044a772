import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../../core/address/address.ts";
import { ConnectError, type ZocaloError } from "../../../core/errors.ts";
import { serverAddresses, ServerRounds } from "./addresses.ts";

const NAMES = ["tcp://a:1", "tcp://b:1", "tcp://c:1"];
const drawing = (numbers: readonly number[]) => {
  let at = 0;
  return { next: () => numbers[at++ % numbers.length] as number, bytes: (count: number) => new Uint8Array(count) };
};
const even = drawing([0.1, 0.9, 0.4, 0.6, 0.2, 0.8, 0.3, 0.7, 0.5]);

function roundOf(rounds: ServerRounds, stays: boolean): string[] {
  rounds.begin(even, stays, 0);
  const order: string[] = [];
  while (rounds.goesOn) order.push(rounds.next().toString());
  return order;
}

test("a list of servers: at least one address, at most 64, for connections, and of one transport", () => {
  assert.deepEqual(serverAddresses("open", NAMES).map(String), NAMES);
  assert.deepEqual(serverAddresses("open", "a:1").map(String), ["tcp://a:1"]);
  for (const [given, code, line] of [
    [[], "OPTION_INVALID", /1 to 64 addresses, not 0/],
    [Array.from({ length: 65 }, () => "tcp://a:1"), "OPTION_INVALID", /not 65/],
    [["tcp://a:1", "tls://b:1"], "ADDRESS_INVALID", /tls:\/\/b:1: all servers .* the first one has tcp:/],
    [["tcp://a:1", "udp://b:1"], "ADDRESS_INVALID", /needs a connection/],
    [["tcp://a:1", "tcp://b:0"], "ADDRESS_INVALID", /port 0/],
    [["tcp://a:1", undefined], "ADDRESS_INVALID", /./],
  ] as const) {
    assert.throws(
      () => serverAddresses("open", given as never),
      (error: ZocaloError) => error.code === code && line.test(error.message),
    );
  }
});

test("a round has each server once; the one with the session first, the one that leaves last", () => {
  const rounds = new ServerRounds(serverAddresses("open", NAMES));
  const [, second] = serverAddresses("open", NAMES) as [Address, Address];
  assert.deepEqual(roundOf(rounds, false).sort(), NAMES);
  for (const name of NAMES) {
    const known = new ServerRounds(serverAddresses("open", NAMES));
    known.begin(even, false, 0);
    let server = known.next();
    while (server.toString() !== name) server = known.next();
    known.arrived(server);
    const staying = roundOf(known, true);
    assert.deepEqual([staying[0], [...staying].sort()], [name, NAMES]);
    known.leaves();
    const leaving = roundOf(known, true);
    assert.deepEqual([leaving[2], [...leaving].sort()], [name, NAMES]);
  }
  // One address draws nothing.
  const one = new ServerRounds([second]);
  one.begin({ next: () => assert.fail("nothing is drawn"), bytes: () => assert.fail() }, true, 0);
  assert.deepEqual([one.isOne, one.next()], [true, second]);
});

test("the error of several servers names each; of one server it is its own", () => {
  const [first, second] = serverAddresses("open", NAMES) as [Address, Address];
  const refused = new ConnectError("CONNECTION_REFUSED", { op: "connect", remote: first.toString() });
  const busy = new ConnectError("SERVER_BUSY", { op: "handshake", remote: second.toString() });
  assert.equal(new ServerRounds([first]).summary(refused), refused);
  const rounds = new ServerRounds([first, second]);
  rounds.begin(even, false, 100);
  rounds.failed(first, 100, refused);
  rounds.failed(second, 150, busy);
  const error = rounds.summary(busy) as ConnectError;
  assert.match(error.message, /^SERVER_BUSY: .*tried tcp:\/\/a:1 \(CONNECTION_REFUSED\), tcp:\/\/b:1 \(SERVER_BUSY\)$/);
  assert.deepEqual(
    error.attempts.map(({ address, startedAfterMs, error: why }) => [address, startedAfterMs, why.code]),
    [
      ["tcp://a:1", 0, "CONNECTION_REFUSED"],
      ["tcp://b:1", 50, "SERVER_BUSY"],
    ],
  );
});
