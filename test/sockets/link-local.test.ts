/** Link-local addresses name nobody without their interface. In a namespace of Linux, made for the test; skipped elsewhere. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const can = spawnSync("unshare", ["-n", "ip", "link", "add", "v0", "type", "veth"], { stdio: "ignore" }).status === 0;

interface Told {
  readonly name: string;
  readonly code: string;
  readonly side?: string;
  readonly detail: string;
}

test("the zone by name and by number, none, and one that there is not", { skip: !can && "no namespace" }, () => {
  const program = join(import.meta.dirname, "link-local-program.js");
  const text = execFileSync("unshare", ["-n", process.execPath, program], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Told);
  const NONE = /^a link-local address needs its interface, as in fe80::[12]%eth0$/;
  const UNKNOWN =
    /^no interface "(?:v9|999)" (?:has an address here|with an IPv6 address); this machine has (?=.*lo)(?=.*v0).*v1/;
  const LINE: Readonly<Record<string, RegExp>> = {
    connect: /^\[fe80::1%25v0\] \[fe80::1%25v1\]$/,
    listen: /^tcp:\/\/\[fe80::2%25v1\]$/,
    bind: /^udp:\/\/\[fe80::2%25v1\]$/,
    join: /^undefined$/,
  };
  for (const { name, code, side, detail } of told) {
    const [call = ""] = name.split(" ");
    // A group may be without: the system then chooses the interface.
    const multicast = call === "join" || call === "group";
    if (name.endsWith("none") && !multicast) {
      assert.deepEqual([code, side], ["ADDRESS_INVALID", "local"], `${name}: ${detail}`);
      assert.match(detail, NONE, name);
    } else if (name.includes("unknown")) {
      assert.equal(code, "ADDRESS_NOT_AVAILABLE", `${name}: ${detail}`);
      assert.match(detail, UNKNOWN, name);
    } else if (!(name === "group none")) {
      assert.equal(code, "ok", `${name}: ${detail}`);
      assert.match(detail, LINE[call] ?? /^\[fe80::1%25v1\]$/, name);
    }
  }
  assert.equal(told.length, 10 + 2 + 8 + 10 + 2 + 10);
});
