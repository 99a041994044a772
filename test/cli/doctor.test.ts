import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./program.ts";

test("a table of what this machine offers", async (t) => {
  const { code, stdout, stderr } = await run(t, ["doctor"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout, new RegExp(`^ok +Node +${process.version.replaceAll(".", "\\.")} `, "m"));
  assert.match(stdout, /^ok +IPv4 loopback +127\.0\.0\.1$/m);
  assert.match(stdout, /^(ok|no) +SO_REUSEPORT/m);
  assert.match(stdout, /^(ok|low) +Open files +\d+/m);
  assert.match(
    stdout,
    /^(ok +UDP server buffer +[\d.]+ [kM]B|low +UDP server buffer +[\d.]+ [kM]B +servers ask for 4.2 MB; raise)/m,
  );
  assert.ok(
    stdout
      .trimEnd()
      .split("\n")
      .every((line) => /^(ok |no |low|\s+)  \S/.test(line)),
  );
});

test("--json prints the same for programs", async (t) => {
  const { code, stdout } = await run(t, ["doctor", "--json"]);
  assert.equal(code, 0);
  const findings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const names = [
    "node",
    "platform",
    "ipv4",
    "ipv6",
    "unix",
    "abstractUnix",
    "reusePort",
    "openFiles",
    "backlog",
    "datagramBuffers",
    "serverBuffer",
  ];
  assert.deepEqual(findings.map(({ name }) => name).slice(0, names.length), names);
  assert.ok(findings.every(({ state }) => state === "ok" || state === "no" || state === "low"));
});
