import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contract, fnv1a64 } from "../../src/core/contract/contract.ts";
import { call, event } from "../../src/core/contract/method.ts";
import { readHello, readWelcome } from "../../src/core/handshake/hello.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { encodeHandshake, MAGIC, REFUSAL } from "../../src/core/handshake/preamble.ts";
import { NOTHING } from "../../src/core/session/outgoing.ts";
import { Session } from "../../src/core/session/session.ts";
import { DEFAULT_REPLAY } from "../../src/core/session/settings.ts";
import { encodeClose } from "../../src/core/session/wire/close-frame.ts";
import { ControlFrames } from "../../src/core/session/wire/control-frames.ts";
import * as datagram from "../../src/core/stateless/datagram.ts";
import { encodeAnswer, encodeCall, encodeEvent, encodeRefusal } from "../../src/core/stateless/datagram.ts";
import { behindMetadata, encodeMetadata, METADATA_MARK } from "../../src/io/contract/metadata.ts";
import { codecOf } from "../../src/io/stateless/format.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { SharedOutput, sharedFrame } from "../../src/core/session/shared-lane.ts";
import { body } from "../fixtures/session-pair.ts";

/* docs/wire-protocol.md is what other languages implement: its examples are the bytes of the implementation. */

const page = readFileSync(join(repositoryRoot, "docs/wire-protocol.md"), "utf8");

/** The content of the blocks in one language. */
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map((match) => match[1] ?? "");

/** The examples of the page: what they are called, and their text. */
const examples = new Map(
  blocks("text")
    .flatMap((block) => block.trim().split("\n"))
    .map((line) => [line.slice(0, line.lastIndexOf(": ")), line.slice(line.lastIndexOf(": ") + 2)] as const),
);
const used = new Set<string>();

/** Compares the example that begins with `name` with what the implementation writes. */
function matches(name: string, actual: Uint8Array): void {
  const key = [...examples.keys()].find((one) => one.startsWith(name) && !used.has(one));
  assert.ok(key !== undefined, `no example begins with "${name}"`);
  used.add(key);
  assert.equal(examples.get(key)?.replaceAll(" ", ""), Buffer.from(actual).toString("hex"), key);
}

/** The control frames that are written. */
function control(write: (frames: ControlFrames) => void): Buffer {
  const frames = new ControlFrames();
  write(frames);
  const chunks: Uint8Array[] = [];
  frames.take(chunks);
  return Buffer.concat(chunks);
}

/** A session that has said everything it says first. */
function attached(role: "client" | "server"): Session {
  const session = new Session(
    { role, limits: DEFAULT_LIMITS, peerLimits: DEFAULT_LIMITS, replay: DEFAULT_REPLAY, keptMs: 60_000 },
    0,
  );
  assert.ok(session.attach(0, 0));
  session.output(0);
  session.nextEvent();
  return session;
}

/** What a session sends because of something. */
function sent(session: Session, act: () => unknown): Buffer {
  act();
  return Buffer.concat(session.output(0));
}

/** What a server sends to answer call 1, behind the acknowledgement that goes with it. */
function answered(act: (server: Session) => unknown): Buffer {
  const server = attached("server");
  const bytes = Buffer.from("0000000b41000000010000ffffffff", "hex");
  server.receive(bytes, 0, bytes.length, 0);
  server.nextEvent();
  return sent(server, () => act(server)).subarray(control((frames) => frames.ack(1)).length);
}

test("the magic and the frames of the handshake", () => {
  matches("magic", MAGIC);
  matches("refusal", encodeHandshake(REFUSAL, { code: "SERVER_BUSY", message: "later" }));
});

test("the JSON of hello and welcome is what the implementation reads, whole", () => {
  const [hello, welcome] = blocks("json").map((text) => JSON.parse(text) as object);
  assert.deepEqual(readHello(hello), hello);
  assert.deepEqual(readWelcome(welcome), { ...welcome, moved: undefined, fresh: undefined });
});

test("the control frames", () => {
  matches(
    "ack",
    control((frames) => frames.ack(7)),
  );
  matches(
    "credit",
    control((frames) => frames.credit(0, 262_144)),
  );
  matches(
    "credit",
    control((frames) => frames.credit(3, 300_000)),
  );
  matches(
    "ping",
    control((frames) => frames.ping()),
  );
  matches(
    "pong",
    control((frames) => frames.pong(Buffer.alloc(8), 0)),
  );
  matches(
    "goaway",
    control((frames) => frames.goAway({ survives: false, retryAfterMs: 1000, accepted: 5 })),
  );
  matches("close", encodeClose(9, { code: "", message: "bye" }));
});

test("the frames of what is said to many", () => {
  matches("event of the log", sharedFrame(70_000, 2, Buffer.from('"hola"')));
  const output = new SharedOutput(0);
  output.tell(70_001);
  const chunks: Uint8Array[] = [];
  output.take(chunks);
  matches("nothing up to place", Buffer.concat(chunks));
});

test("the numbered messages", () => {
  const client = attached("client");
  matches(
    "event",
    sent(client, () => client.sendEvent(2, body('"hola"'), 0)),
  );
  matches(
    "call 1",
    sent(client, () => client.call(0, body('{"a":1}'), 5000, 0)),
  );
  matches(
    "call 3",
    sent(client, () => client.call(0, NOTHING, Infinity, 0)),
  );
  matches(
    "result",
    answered((server) => server.respond(1, body("2"), 0)),
  );
  matches(
    "error",
    answered((server) => server.fail(1, body('{"code":"NO","message":"no"}'), 0)),
  );
  matches(
    "cancel",
    sent(client, () => client.cancel(3, 0)),
  );
  matches(
    "open",
    sent(client, () => client.openStream(1, NOTHING, { sends: true, receives: true }, 0)),
  );
  matches(
    "item",
    sent(client, () => client.sendItem(5, body("1"), 0)),
  );
  matches(
    "end",
    sent(client, () => client.endStream(5, 0)),
  );
});

/** What stands before a body. */
const lang = encodeMetadata("say", { lang: "es" });

test("metadata stand before the body", () => {
  const client = attached("client");
  matches(
    "event of method 2 with metadata",
    sent(client, () => client.sendEvent(METADATA_MARK | 2, behindMetadata(lang, body('"hola"')), 0)),
  );
});

test("the datagrams", () => {
  const chat = contract("chat", "1.2.0", { server: { say: event(), join: call() }, client: { said: event() } });
  const head = { codec: 2, hash: BigInt(`0x${chat.hash}`) };
  const id = 0x0123456789abcdefn;
  const cookie = Buffer.from("c00c1e01", "hex");
  matches("event by datagram", encodeEvent(head, 2, body('"hola"')));
  const question = { id, method: 0, remainingMs: 5000, cookie: Buffer.alloc(0) };
  const described = { ...question, method: METADATA_MARK };
  matches("call by datagram with metadata", encodeCall(head, described, behindMetadata(lang, NOTHING)));
  matches("call by datagram", encodeCall(head, question, body('{"a":1}')));
  matches("call by datagram", encodeCall(head, { ...question, remainingMs: Infinity, cookie }, NOTHING));
  matches("result by datagram", encodeAnswer(datagram.RESULT, head, id, body("2")));
  matches("error by datagram", encodeAnswer(datagram.ERROR, head, id, body('{"code":"NO","message":"no"}')));
  matches("retry by datagram", encodeAnswer(datagram.RETRY, head, id, { bytes: cookie, start: 0, end: 4 }));
  matches("refusal by datagram", encodeRefusal(head, id, datagram.CONTRACT_DIFFERS, "chat 1.2.0", 200));
});

test("the types and codecs of datagrams are those of the page", () => {
  for (const name of ["EVENT", "CALL", "RESULT", "ERROR", "RETRY", "REFUSAL"] as const) {
    assert.match(page, new RegExp(`\\| \`0${datagram[name]}\` \\| ${name} \\|`));
  }
  const codecs = [1, 2, 3].map((number) => `${number} \`${codecOf(number)}\``);
  assert.ok(page.includes(codecs.join(", ")));
});

test("the limits of the page are those of the implementation", () => {
  for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
    assert.match(page, new RegExp(`\\| \`${name}\` \\| ${value} \\|`));
  }
});

test("the fingerprint is that of the outline", () => {
  const outline = (examples.get("outline") ?? "").replaceAll("\\n", "\n");
  const chat = contract("chat", "1.2.0", { server: { say: event(), join: call() }, client: { said: event() } });
  assert.equal(examples.get("fingerprint"), chat.hash);
  assert.equal(fnv1a64(outline), chat.hash);
  for (const name of ["outline", "fingerprint"]) used.add(name);
});

test("every example was compared", () => {
  assert.deepEqual(
    [...examples.keys()].filter((name) => !used.has(name)),
    [],
  );
});
