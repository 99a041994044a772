import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ANYTHING,
  checkOptions,
  countFrom,
  FLAG,
  listOf,
  OBJECT,
  only,
  options,
  POSITIVE,
  TEXTS,
  wholeNumber,
} from "./check-options.ts";
import { UsageError } from "../errors.ts";

const context = { op: "open", local: "tcp://127.0.0.1:7000" };

function detailOf(given: unknown, rules: Parameters<typeof checkOptions>[2]): string | undefined {
  try {
    checkOptions(context, given, rules);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UsageError);
    assert.deepEqual([error.code, error.op, error.local], ["OPTION_INVALID", "open", context.local]);
    return error.detail;
  }
}

test("the error says which option, what it must be, and what came", () => {
  assert.equal(detailOf({ on: "yes" }, { on: FLAG }), 'on must be true or false, not "yes"');
  assert.equal(
    detailOf({ port: 70_000 }, { port: wholeNumber(0, 65_535) }),
    "port must be a whole number from 0 to 65535, not 70000",
  );
  assert.equal(detailOf({ names: [5] }, { names: TEXTS }), "names must be an array of strings, not [5]");
  assert.equal(
    detailOf({ names: [[], {}, "x", null, 1, 2] }, { names: TEXTS }),
    'names must be an array of strings, not [an array, an object, "x", null, 1, …]',
  );
  assert.equal(
    detailOf({ f: () => 1 }, { f: POSITIVE }),
    "f must be a positive number, or Infinity for no limit, not a function",
  );
  assert.equal(detailOf("x".repeat(100), {}), `options must be an object, not "${"x".repeat(40)}…"`);
});

test("a secret is not shown", () => {
  const detail = detailOf({ word: 1234 }, { word: { ...listOf("words", () => true), secret: true } });
  assert.equal(detail, "word must be an array of words, not a value of type number");
});

test("an option of an option is named with its path, and may be required", () => {
  const rules = { retry: options({ timeoutMs: { ...POSITIVE, required: true } }) };
  assert.equal(detailOf({ retry: { timeoutMs: 5 } }, rules), undefined);
  assert.match(detailOf({ retry: {} }, rules) ?? "", /^retry\.timeoutMs must be .*, not undefined$/);
  assert.match(detailOf({ retry: [] }, rules) ?? "", /^retry must be an object, not \[\]$/);
  assert.equal(detailOf({}, rules), undefined);
});

test("an option that there is not is refused, and the one that was meant is named", () => {
  const limits = options({ maxMessageBytes: POSITIVE, heartbeatMs: POSITIVE });
  const rules = { timeoutMs: POSITIVE, maxConnections: POSITIVE, fd: POSITIVE, limits, network: OBJECT };
  for (const [given, meant] of [
    [{ timeOutMs: 5 }, "timeoutMs"],
    [{ timeout: 5 }, "timeoutMs"],
    [{ df: 5 }, "fd"],
    [{ maxConections: 5 }, "maxConnections"],
    [{ MAXCONNECTIONS: 5 }, "maxConnections"],
    [{ limit: {} }, "limits"],
    // In the wrong place.
    [{ heartbeatMs: 5 }, "limits.heartbeatMs"],
    [{ limits: { hartbeatMs: 5 } }, "limits.heartbeatMs"],
    // Missing or not, it is none.
    [{ maxConections: undefined }, "maxConnections"],
  ] as const) {
    assert.match(detailOf(given, rules) ?? "", new RegExp(`^there is no option ".*"; did you mean "${meant}"\\?$`));
  }
  assert.equal(
    detailOf({ limits: { foo: 1 } }, rules),
    'there is no option "limits.foo"; there are maxMessageBytes, heartbeatMs',
  );
  for (const name of ["x".repeat(5000), "constructor", "__proto__x", "", "\n"]) {
    assert.match(detailOf({ [name]: 1 }, rules) ?? "", /; there are timeoutMs, maxConnections, fd, limits, network$/);
  }
  // Names of the program's own.
  assert.equal(detailOf({ network: { anything: 1 } }, rules), undefined);
});

test("a name of before, or without the words that say what kind of number it is, names the one with its group", () => {
  const rules = {
    timeoutMs: POSITIVE,
    limits: options({ maxConnections: POSITIVE, maxReadAheadBytes: POSITIVE, maxBacklog: POSITIVE }),
    timeouts: options({ idleMs: POSITIVE, handshakeMs: POSITIVE }),
  };
  for (const [given, meant] of [
    [{ maxConnections: 5 }, "limits.maxConnections"],
    [{ connections: 5 }, "limits.maxConnections"],
    [{ readAheadBytes: 5 }, "limits.maxReadAheadBytes"],
    [{ backlog: 5 }, "limits.maxBacklog"],
    [{ idleTimeoutMs: 5 }, "timeouts.idleMs"],
    [{ handshakeTimeout: 5 }, "timeouts.handshakeMs"],
    [{ timeouts: { idleTimeoutMs: 5 } }, "timeouts.idleMs"],
    // In another group.
    [{ limits: { idleMs: 5 } }, "timeouts.idleMs"],
    [{ limits: { timeoutMs: 5 } }, "timeoutMs"],
    [{ max: 5 }, undefined],
    [{ Timeout: 5 }, "timeoutMs"],
  ] as const) {
    const hint = meant === undefined ? "there are timeoutMs, limits, timeouts" : `did you mean "${meant}"?`;
    const detail = detailOf(given, rules) ?? "";
    assert.ok(detail.endsWith(`; ${hint}`), detail);
  }
});

test("what is checked is what is used: read once, with what is undefined left out, also within", () => {
  let reads = 0;
  class Settings {
    readonly on = undefined;
    get most(): number {
      reads += 1;
      return reads;
    }
  }
  const network = { clock: 1 };
  const rules = { on: FLAG, most: POSITIVE, retry: options({ timeoutMs: POSITIVE, on: FLAG }), network: OBJECT };
  const given = Object.assign(new Settings(), { retry: { timeoutMs: undefined, on: false }, network });
  const checked = checkOptions(context, given, rules) as object;
  assert.deepEqual(checked, { most: 1, retry: { on: false }, network });
  assert.equal((checked as { network: unknown }).network, network);
  assert.equal(reads, 1);
  assert.deepEqual(checkOptions(context, undefined, rules), {});
});

test("numbers without an end, and lists with holes", () => {
  assert.equal(detailOf({ most: Number.POSITIVE_INFINITY }, { most: countFrom(1) }), undefined);
  assert.match(detailOf({ most: Symbol("x") }, { most: countFrom(1) }) ?? "", /not Symbol\(x\)$/);
  const holes = ["a"];
  holes[2] = "c";
  assert.match(detailOf({ names: holes }, { names: TEXTS }) ?? "", /not \["a", undefined, "c"\]$/);
});

test("some of the rules of another call", () => {
  assert.deepEqual(only({ a: FLAG, b: ANYTHING, c: TEXTS }, "a", "c"), { a: FLAG, c: TEXTS });
});

test("an object that cannot be shown is no error of its own", () => {
  const hostile = { toString: (): string => assert.fail("it was asked") };
  assert.match(detailOf({ on: hostile }, { on: FLAG }) ?? "", /not an object$/);
});
