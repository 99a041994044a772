/** Errors that only a network of its own can show: a namespace of Linux, made for the test. Skipped where none can be made. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Told } from "./in-namespace.ts";

const can = spawnSync("unshare", ["-n", "ip", "link", "add", "v0", "type", "veth"], { stdio: "ignore" }).status === 0;
const skip = can ? false : "no network namespace can be made here";

/** What the calls of a scene came to, by their names. */
function scene(name: string): ReadonlyMap<string, Told> {
  const program = join(import.meta.dirname, "in-namespace.js");
  const text = execFileSync("unshare", ["-n", process.execPath, program, name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = text.trim().split("\n");
  return new Map(told.map((line) => JSON.parse(line) as Told).map((one) => [one.name, one]));
}

type Row = readonly [name: string, type: string, code: string, side: string, says: RegExp];

function checkRows(told: ReadonlyMap<string, Told>, rows: readonly Row[]): void {
  for (const [name, type, code, side, says] of rows) {
    const one = told.get(name);
    assert.deepEqual([one?.type, one?.code, one?.side], [type, code, side], `${name}: ${one?.detail}`);
    assert.match(one?.detail ?? "", says, name);
  }
  assert.equal(told.size, rows.length);
}

describe("in a network namespace", { skip }, () => {
  test("routes that forbid, everybody's address, and what cannot leave the machine", () => {
    const loopback = /^no way there from a loopback address/;
    checkRows(scene("routes"), [
      ["connect prohibited", "ConnectError", "PERMISSION_DENIED", "system", /^a firewall or another rule of this/],
      ["send prohibited", "ZocaloError", "PERMISSION_DENIED", "system", /setBroadcast\(true\).*another rule/],
      ["connect unreachable", "ConnectError", "HOST_UNREACHABLE", "system", /^no way to that host/],
      ["send unreachable", "ZocaloError", "HOST_UNREACHABLE", "system", /^no way to that host/],
      ["connect blackhole", "ConnectError", "NETWORK_UNREACHABLE", "system", /a route may drop it/],
      ["send blackhole", "ZocaloError", "NETWORK_UNREACHABLE", "system", /a route may drop it/],
      ["connect prohibited over IPv6", "ConnectError", "HOST_UNREACHABLE", "system", /^a firewall/],
      ["send prohibited over IPv6", "ZocaloError", "HOST_UNREACHABLE", "system", /^a firewall/],
      ["connect to a group", "ConnectError", "NETWORK_UNREACHABLE", "local", /^a connection has one peer/],
      ["send to everybody", "ZocaloError", "PERMISSION_DENIED", "system", /call udp\.setBroadcast\(true\) first/],
      ["peer everybody", "ZocaloError", "PERMISSION_DENIED", "system", /^a broadcast address cannot be `remote`/],
      ["send from loopback", "ZocaloError", "NETWORK_UNREACHABLE", "local", loopback],
      ["peer from loopback", "ZocaloError", "NETWORK_UNREACHABLE", "local", loopback],
      ["connect from loopback", "ConnectError", "NETWORK_UNREACHABLE", "local", loopback],
    ]);
  });

  test("ports that are used up", () => {
    const noPort = /^no free local port/;
    checkRows(scene("ports"), [
      ["connect to 127.0.0.1", "ConnectError", "ADDRESS_NOT_AVAILABLE", "system", noPort],
      ["connect to [::1]", "ConnectError", "ADDRESS_NOT_AVAILABLE", "system", noPort],
      ["connect from 127.0.0.1", "ConnectError", "ADDRESS_NOT_AVAILABLE", "system", noPort],
      ["listen", "ZocaloError", "ADDRESS_IN_USE", "system", noPort],
      ["bind", "ZocaloError", "ADDRESS_IN_USE", "system", noPort],
      ["connect without IPv6", "ConnectError", "ADDRESS_NOT_AVAILABLE", "system", /^this machine has no IPv6 address/],
    ]);
  });

  test("a connection whose peer vanishes: the network says why, and the connection is gone", () => {
    const told = scene("vanished");
    const gone = /^the network reports no way to the peer/;
    checkRows(told, [
      ["read that waits", "ConnectionError", "HOST_UNREACHABLE", "system", gone],
      ["read", "ConnectionError", "HOST_UNREACHABLE", "system", gone],
      ["write", "ConnectionError", "HOST_UNREACHABLE", "system", gone],
    ]);
    assert.deepEqual(
      [...told.values()].map(({ outcome }) => outcome),
      ["unknown", "unknown", "none"],
    );
    assert.equal(told.get("read that waits")?.how, "timeout");
  });
});
