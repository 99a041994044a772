import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/* What a module keeps for itself is shared by all who use it, and by all worlds of a process. So each has a reason. */

const TURN = "scratch: what is written in one call is read before the next one, and no call is interrupted";
const MEMORY = "the memory of what was used last, or a pool: only the time that something takes depends on it";
const EMPTY = "empty, shared by all until they have something: whoever adds puts another in its place first";
const PROCESS = "of the process: what it stands for is there once, as signals and globals are";
const ACCESS = "set once, when its class is made: the way to a private field";

/** By file and name. */
const REASONS: Readonly<Record<string, string>> = {
  "src/api/close-on-signals.ts told": PROCESS,
  "src/api/process-end.ts wanted": PROCESS,
  "src/api/untold-errors.ts printed": PROCESS,
  "src/core/bytes/byte-range.ts lastBytes": MEMORY,
  "src/core/bytes/byte-range.ts lastBuffer": MEMORY,
  "src/core/bytes/byte-range.ts lastOffset": MEMORY,
  "src/core/bytes/own-bytes.ts arrival": TURN,
  "src/core/bytes/own-bytes.ts runMemory": TURN,
  "src/core/bytes/own-bytes.ts runOffset": TURN,
  "src/core/bytes/own-bytes.ts runStart": TURN,
  "src/core/bytes/own-bytes.ts runEnd": TURN,
  "src/core/bytes/own-bytes.ts usedBytes": MEMORY,
  "src/core/framing/formats/json-check.ts open": TURN,
  "src/core/framing/formats/json-check.ts special": TURN,
  "src/core/framing/formats/msgpack-check.ts missing": TURN,
  "src/core/framing/formats/msgpack-check.ts isMap": TURN,
  "src/core/framing/frame-codec.ts scratch": TURN,
  "src/core/session/attachment.ts whole": TURN,
  "src/core/session/framing.ts lastFraming": MEMORY,
  "src/core/session/requests.ts NO_CALLS": EMPTY,
  "src/core/session/requests.ts NO_FOREIGN_CALLS": EMPTY,
  "src/core/session/requests.ts NO_STREAMS": EMPTY,
  "src/inspect/inspect.ts registry": PROCESS,
  "src/io/contract/format.ts place": TURN,
  "src/io/operation/abort-watch.ts watchers": "by the signal, which is of the program, and gone with it",
  "src/io/session/endpoint/session.ts readParts": ACCESS,
  "src/io/session/server/handled-message.ts storage":
    "each handler that runs has its own value in it, gone with the handler",
  "src/io/stream/framed-stream.ts pool": MEMORY,
  "src/io/stream/relay.ts pool": MEMORY,
  "src/node/tls-context.ts contexts": "by the options of the program, and gone with them",
  "src/node/tls-context.ts namedContexts": "by the options of the program, and gone with them",
  "src/node/tls-context.ts trusted": MEMORY,
  "src/node/socket-file.ts open": PROCESS,
  "src/proxy/stream-way.ts NO_CANDIDATES": EMPTY,
  "src/sim/guard/failure-guard.ts told": "by the error, and gone with it",
  "src/sim/guard/failure-guard.ts rejections": PROCESS,
  "src/sim/guard/failure-guard.ts exceptions": PROCESS,
  "src/sim/guard/failure-guard.ts watch": PROCESS,
  "src/sim/guard/failure-guard.ts birthsAreNoted": PROCESS,
  "src/sim/guard/leak-guard.ts calls": MEMORY,
  "src/sim/guard/leak-guard.ts guard": PROCESS,
  "src/sim/guard/scope.ts storage": PROCESS,
  "src/sim/time/real-work.ts watched": PROCESS,
  "src/sim/time/real-work.ts endings": PROCESS,
  "src/sim/time/real-work.ts hooks": PROCESS,
  "src/testing/stream/check.ts cached": MEMORY,
};

/** A variable, or a constant that holds a new object or an array, unless its type says that nobody writes to it. */
const DECLARED =
  /^(?:export )?(?:(let) (\w+)|const (\w+)(: (?:[^=]|=>)+)? = (?:new (\w+)(?:<.*>)?\((.*)|Array\.from|\[|\{))/gm;
/** Objects that are never written to. */
const CONSTANT = /Error$|^(?:InvalidContent|RegExp|URL|TextEncoder|TextDecoder)$/;
const READ_ONLY = /readonly|Readonly|Rules?\b|Traits|Clock|Random|Network/;

/** Whatever a text keeps in its module, by name. */
function stateIn(text: string): readonly string[] {
  const found: string[] = [];
  for (const [, variable, name = "", constant = "", type = "", made, args = ""] of text.matchAll(DECLARED)) {
    if (variable !== undefined) found.push(name);
    else if (made === undefined ? isWritable(type) : !isConstant(type, made, args)) found.push(constant);
  }
  return found;
}

function isWritable(type: string): boolean {
  return /\[\]$|^: \{/.test(type) && !READ_ONLY.test(type);
}

function isConstant(type: string, made: string, args: string): boolean {
  return READ_ONLY.test(type) || CONSTANT.test(made) || (/Array|ArrayBuffer/.test(made) && args.startsWith("0)"));
}

test("what counts as the state of a module", () => {
  const text = `
let count = 0;
export let other: number | undefined;
const known: Map<string, string> = new Map();
const bag = new Set<string>();
const list: string[] = [];
const place: { at: number } = { at: 0 };
const scratch = new Uint8Array(9);
const NAMES: ReadonlySet<string> = new Set(["a"]);
const NONE: readonly string[] = [];
const NO_BYTES = new Uint8Array(0);
const WRONG: InvalidContent = new InvalidContent("so");
const WORDS = ["a"];
function inner(): void {
  let local = 0;
}
`;
  assert.deepEqual(stateIn(text), ["count", "other", "known", "bag", "list", "place", "scratch"]);
});

test("each module that keeps something for itself has a reason", () => {
  const files = readdirSync(join(repositoryRoot, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const found = files.flatMap((name) => {
    const path = `src/${name}`;
    return stateIn(readFileSync(join(repositoryRoot, path), "utf8")).map((kept) => `${path} ${kept}`);
  });
  const unexplained = found.filter((kept) => REASONS[kept] === undefined);
  assert.deepEqual(unexplained, [], "pass it as an object, or say here why there is one");
  const gone = Object.keys(REASONS).filter((kept) => !found.includes(kept));
  assert.deepEqual(gone, [], "in REASONS, and not in the sources");
});
