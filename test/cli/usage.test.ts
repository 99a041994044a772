import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./program.ts";

/** What is written wrong, and the line that says so. */
const WRONG: readonly (readonly [args: readonly string[], line: RegExp])[] = [
  [["lisen"], /^zocalo: OPTION_INVALID: unknown command 'lisen' \(Did you mean listen\?\); see zocalo --help\n$/],
  [["listen"], /^zocalo: OPTION_INVALID: missing required argument 'address'; see zocalo listen --help\n$/],
  [["listen", "--foo", "tcp://127.0.0.1:0"], /^zocalo: OPTION_INVALID: unknown option '--foo'.*listen --help\n$/],
  [["listen", "7000"], /^zocalo: ADDRESS_INVALID: .*tcp:\/\/127\.0\.0\.1:7000/],
  [["listen", "tcp://127.0.0.1:99999"], /^zocalo: ADDRESS_INVALID: port "99999"/],
  [
    ["listen", "tcp://127.0.0.1:0", "--reply", "shout"],
    /^zocalo: OPTION_INVALID: .*'shout' is invalid\. Allowed choices/,
  ],
  [["listen", "tcp://127.0.0.1:0", "--reply", "echo", "--exec", "cat"], /cannot be used with/],
  [["listen", "tcp://127.0.0.1:0", "--once", "--keep-open"], /cannot be used with/],
  [["listen", "tcp://127.0.0.1:0", "--reply", "echo", "--hex"], /--hex does not work with --reply/],
  [["listen", "tcp://127.0.0.1:0", "--exec", "cat", "--crlf"], /--crlf does not work with --exec/],
  [["listen", "udp://127.0.0.1:0", "--keep-open"], /--keep-open does not work over UDP/],
  [["listen", "tls://127.0.0.1:0"], /needs --cert FILE and --key FILE, or --self-signed/],
  [["listen", "tls://127.0.0.1:0", "--cert", "/no/such", "--key", "x"], /--cert \/no\/such: there is no such file/],
  [["listen", "tcp://127.0.0.1:0", "--self-signed"], /--self-signed needs a tls:\/\/ address/],
  [["listen", "udp://127.0.0.1:0", "--cert", "x"], /--cert needs a tls:\/\/ address/],
  [["connect", "udp://127.0.0.1:7000"], /^zocalo: OPTION_INVALID udp:\/\/127\.0\.0\.1:7000: .*zocalo send/],
  [["connect", "tcp://127.0.0.1:7000", "--insecure"], /--insecure needs a tls:\/\/ address/],
  [["connect", "tls://127.0.0.1:7000", "--cert", "x"], /--cert and --key belong together/],
  [["connect", "tcp://127.0.0.1:7000", "--timeout", "soon"], /'soon' is invalid/],
  [["connect", "tcp://127.0.0.1:0"], /^zocalo: ADDRESS_INVALID/],
  [["send", "udp://127.0.0.1:7000"], /missing required argument 'text'/],
  [["send", "udp://127.0.0.1:7000", "x", "--count", "0"], /'0' is invalid/],
  [["send", "udp://127.0.0.1:7000", "x", "--timeout", "9"], /--timeout does not work over UDP/],
  [["demo", "--seed", "-1"], /'-1' is invalid/],
  [["cluster", "demo", "--journal", "redis"], /Allowed choices are nats, file/],
  [["cluster", "demo", "--for", "0"], /Give a number from 1 to 2147483;/],
  // What takes memory, threads or time for each.
  [["demo", "--messages", "99999999999"], /Give a number from 1 to 1000000;/],
  [["sim", "hunt", "x.mjs", "--workers", "100000"], /Give a number from 1 to 256;/],
  [["sim", "hunt", "x.mjs", "--patience", "9007199254740991"], /Give a number from 1 to 2147483;/],
  [["sim", "hunt", "x.mjs", "--minutes", "99999999"], /Give a number from 1 to 35791;/],
  [["sim", "hunt", "x.mjs", "--from", "9007199254740991"], /leaves fewer than --seeds/],
  [["demo-role", "server"], /for the demo itself/],
];

test("a command that is written wrong: exit code 2, one line on stderr, nothing on stdout", async (t) => {
  for (const [args, line] of WRONG) {
    const { code, stdout, stderr } = await run(t, args);
    assert.deepEqual({ args, code, stdout }, { args, code: 2, stdout: "" });
    assert.match(stderr, line);
    assert.equal(stderr.split("\n").length, 2, stderr);
  }
});

test("what is not on this machine alone needs --public", async (t) => {
  for (const address of ["tcp://0.0.0.0:0", "tcp://[::]:0", "udp://0.0.0.0:0", "udp://239.1.2.3:0?interface=lo"]) {
    const { code, stderr } = await run(t, ["listen", address, "--reply", "echo"]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^zocalo: OPTION_INVALID \S+: other machines .* add --public .* or use \S+:\/\/(127\.0\.0\.1|\[::1\]):0\n$/,
    );
  }
});

test("nothing to do prints the help on stderr", async (t) => {
  const { code, stdout, stderr } = await run(t, []);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.match(stderr, /^Usage: zocalo/);
});

test("every command has help with examples, on stdout", async (t) => {
  for (const args of [
    ["--help"],
    ["help"],
    ["sim", "hunt", "-h"],
    ["sim", "trace", "-h"],
    ["cluster", "demo", "-h"],
    ["contract", "show", "-h"],
    ["contract", "diff", "-h"],
    ...["listen", "connect", "send", "demo", "doctor", "sim", "contract", "call", "events"].map((name) => [name, "-h"]),
  ]) {
    const { code, stdout, stderr } = await run(t, args);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^Usage: zocalo/);
    assert.match(stdout, /^Examples:\n {2}zocalo /m);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  }
});

test("--version", async (t) => {
  const { code, stdout } = await run(t, ["--version"]);
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("with --json an error is an event", async (t) => {
  for (const args of [
    ["connect", "--json", "tcp://127.0.0.1:0"],
    ["connect", "--json", "--foo", "tcp://127.0.0.1:0"],
  ]) {
    const { code, stderr } = await run(t, args);
    const event = JSON.parse(stderr) as { readonly event: string; readonly code: string; readonly detail: string };
    assert.equal(code, 2);
    assert.equal(event.event, "error");
    assert.match(event.code, /_INVALID$/);
    assert.ok(event.detail.length > 0);
  }
});
