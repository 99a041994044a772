import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ConnectError, UsageError, ZocaloError } from "../../index.ts";
import { CommandFailure, exitCodeOf } from "./exit-codes.ts";
import { Output, type OutputOptions } from "./output.ts";

/** What `use` writes to stderr. */
function written(options: OutputOptions, use: (output: Output) => void): string {
  let text = "";
  const write = mock.method(process.stderr, "write", (line: string) => {
    text += line;
    return true;
  });
  try {
    use(new Output(options));
  } finally {
    write.mock.restore();
  }
  return text;
}

const refused = new ConnectError("CONNECTION_REFUSED", {
  op: "connect",
  remote: "tcp://127.0.0.1:1",
  attempts: [
    {
      address: "tcp://127.0.0.1:1",
      startedAfterMs: 0,
      error: new ZocaloError("CONNECTION_REFUSED", { op: "connect" }),
    },
  ],
});

test("an error is one line: code, address, what to do", () => {
  const line = written({}, (output) => output.error(refused));
  assert.match(line, /^zocalo: CONNECTION_REFUSED tcp:\/\/127\.0\.0\.1:1: nothing listens there; .*\n$/);
  const usage = new UsageError("OPTION_INVALID", { op: "x", detail: "two\n  lines" });
  assert.equal(
    written({}, (output) => output.error(usage)),
    "zocalo: OPTION_INVALID: two lines\n",
  );
  const hostile = new UsageError("OPTION_INVALID", { op: "x", detail: "\u001b[2Jgone\u009b1m" });
  assert.equal(
    written({}, (output) => output.error(hostile)),
    "zocalo: OPTION_INVALID: \ufffd[2Jgone\ufffd1m\n",
  );
  const own = new CommandFailure("DEMO_FAILED", "broken");
  assert.equal(
    written({}, (output) => output.error(own)),
    "zocalo: DEMO_FAILED: broken\n",
  );
  assert.equal(
    written({ verbose: true }, (output) => output.error(own)),
    "zocalo: DEMO_FAILED: broken\n",
  );
  const cause = new SyntaxError("Unexpected end of input");
  assert.equal(
    written({ verbose: true }, (output) => output.error(new CommandFailure("FILE_UNSUPPORTED", "broken", cause))),
    `zocalo: FILE_UNSUPPORTED: broken\n${cause.stack}\n`,
  );
  assert.match(
    written({}, (output) => output.error(new Error("oops"))),
    /^zocalo: INTERNAL: oops .*\n$/,
  );
});

test("with -v an error lists the attempts", () => {
  const text = written({ verbose: true }, (output) => output.error(refused));
  assert.match(text, /\n {2}tried tcp:\/\/127\.0\.0\.1:1: CONNECTION_REFUSED\n$/);
});

test("with --json everything is an event", () => {
  const text = written({ json: true }, (output) => {
    output.say({ event: "listening", address: "tcp://127.0.0.1:1" }, "listening");
    output.detail({ event: "open" }, "open");
    output.problem(refused);
    output.error(refused);
  });
  const events = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    events.map(({ event, code }) => [event, code]),
    [
      ["listening", undefined],
      ["open", undefined],
      ["problem", "CONNECTION_REFUSED"],
      ["error", "CONNECTION_REFUSED"],
    ],
  );
});

test("details are for -v", () => {
  const use = (output: Output): void => {
    output.detail({ event: "open" }, "open");
    output.problem(refused);
  };
  assert.equal(written({}, use), "");
  assert.match(written({ verbose: true }, use), /^open\nCONNECTION_REFUSED tcp:.*\n$/);
});

test("advice speaks of the options of the command, not of the library", () => {
  const untrusted = new ConnectError("CERTIFICATE_UNTRUSTED", { op: "connect", remote: "tls://127.0.0.1:1" });
  assert.match(
    written({}, (output) => output.error(untrusted)),
    /--ca FILE.*--insecure\n$/,
  );
  const own = new UsageError("CERTIFICATE_INVALID", { op: "connect", detail: "tls.cert and tls.key do not fit: `x`" });
  assert.match(
    written({}, (output) => output.error(own)),
    /: --cert FILE and --key FILE do not fit: `x`\n$/,
  );
  const refusedOwn = new ConnectError("CERTIFICATE_UNTRUSTED", {
    op: "connect",
    side: "local",
    detail: "the peer does not",
  });
  assert.doesNotMatch(
    written({}, (output) => output.error(refusedOwn)),
    /insecure/,
  );
});

test("exit codes: 2 for wrong usage, 1 for the rest", () => {
  const codeOf = (code: "ADDRESS_INVALID" | "OPTION_INVALID" | "UNSUPPORTED"): number =>
    exitCodeOf(new UsageError(code, { op: "x" }));
  assert.deepEqual([codeOf("ADDRESS_INVALID"), codeOf("OPTION_INVALID"), codeOf("UNSUPPORTED")], [2, 2, 1]);
  assert.equal(exitCodeOf(refused), 1);
  assert.equal(exitCodeOf(new Error("oops")), 1);
});

test("an event for machines gives no orders to a terminal either", () => {
  const line = written({ json: true }, (output) => output.say({ event: "close", message: "\u009b2J" }, "closed"));
  assert.equal(line, '{"event":"close","message":"\\u009b2J"}\n');
});
