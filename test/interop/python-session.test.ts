import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { contract, methodNames } from "../../src/core/contract/contract.ts";
import { call, event, stream } from "../../src/core/contract/method.ts";
import { typeOnly } from "../../src/core/contract/type-only.ts";
import type { Hello } from "../../src/core/handshake/hello.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { type Agreement, agreeWithClient, type Capabilities } from "../../src/core/handshake/negotiate.ts";
import { ServerHandshake } from "../../src/core/handshake/server-handshake.ts";
import { MemorySessionStore } from "../../src/core/session/memory-session-store.ts";
import { resumeSession } from "../../src/core/session/resume.ts";
import { Session } from "../../src/core/session/session.ts";
import type { SessionEvent } from "../../src/core/session/session-event.ts";
import { body } from "../protocol/session-pair.ts";
import { repositoryRoot } from "../repository-root.ts";

/* A client in Python, written from docs/wire-protocol.md, against the machines over a real connection. */

const number = call<number[], number>();
const offer = contract("interop", "1.4.0", {
  server: {
    add: number,
    say: event<string>(),
    count: stream({ sends: typeOnly<number>() }),
    reset: event(),
  } as never,
  client: { said: event<string>(), twice: number },
});
const own: Capabilities = { contract: offer, codecs: ["msgpack", "json"], features: [], limits: DEFAULT_LIMITS };

const PROGRAM = `
import sys
sys.path.insert(0, sys.argv[1])
from zocalo_session import Session, ZocaloError
address = ("127.0.0.1", int(sys.argv[2]))
said = []
session = Session(address, "interop", "1.2.0", {"said": said.append, "twice": lambda n: n * 2})
print("add", session.call("add", [1, 2]))
session.event("say", "hola")
print("count", list(session.stream("count", 3)))
for n in range(50):
    if n % 10 == 5:
        session.event("reset")
    session.event("say", str(n))
print("add", session.call("add", [20, 22]))
try:
    session.call("add", [])
except ZocaloError as error:
    print("error", *error.args)
print("said", len(said), said == ["hola!"] + [str(n) + "!" for n in range(50)], "resumed", session.resumes > 0)
session.close()
try:
    Session(address, "interop", "2.0.0", {})
except ZocaloError as refusal:
    print(*refusal.args)
`;

interface Held {
  readonly session: Session;
  readonly agreement: Agreement;
  socket: Socket | undefined;
}

const now = (): number => performance.now();
const text = (happened: { readonly bytes: Buffer; readonly start: number; readonly end: number }): string =>
  happened.bytes.toString("utf8", happened.start, happened.end);
const json = (value: unknown): ReturnType<typeof body> => body(JSON.stringify(value));

/** A server of one session, as small as it can be. */
class SmallServer {
  readonly #store: MemorySessionStore = new MemorySessionStore();
  readonly #held: Map<string, Held> = new Map();
  readonly #names: readonly string[] = methodNames(offer.server);
  readonly doubled: string[] = [];

  accept(socket: Socket): void {
    const handshake = new ServerHandshake(now());
    let held: Held | undefined;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (held?.socket === socket) held.session.detach(now());
    });
    socket.on("data", (bytes) => {
      if (held !== undefined) {
        if (held.socket !== socket) return;
        held.session.receive(bytes, 0, bytes.length, now());
        this.#drain(held, socket);
        return;
      }
      handshake.receive(bytes, 0, bytes.length);
      const happened = handshake.nextEvent();
      if (happened?.type === "hello") held = this.#decide(handshake, happened.hello, socket);
      for (const chunk of handshake.output()) socket.write(chunk);
      if (held !== undefined) this.#drain(held, socket);
    });
  }

  #decide(handshake: ServerHandshake, hello: Hello, socket: Socket): Held | undefined {
    const answer = agreeWithClient(own, hello);
    if ("refusal" in answer) {
      handshake.refuse(answer.refusal);
      return undefined;
    }
    const { agreement } = answer;
    const welcome = {
      version: offer.version,
      offers: this.#names,
      codec: agreement.codec,
      features: [],
      limits: DEFAULT_LIMITS,
      session: "s",
      token: "t",
      server: "i",
      keptMs: 60_000,
    };
    const request = hello.resume;
    if (request === undefined) {
      const session = new Session(
        { role: "server", limits: agreement.limits, peerLimits: agreement.peerLimits },
        now(),
      );
      const held: Held = { session, agreement, socket };
      this.#held.set("s", held);
      this.#store.create({
        id: "s",
        principal: "",
        epoch: 1,
        attempt: 0,
        tokenHash: "t",
        previousTokenHash: undefined,
      });
      session.attach(0, now());
      session.call(1, json(21), 5000, now());
      handshake.welcome({ ...welcome, epoch: 1 });
      return held;
    }
    const claim = { request, principal: "", agreement, tokenHash: request.token, nextTokenHash: "t" };
    const decision = resumeSession(this.#store, "i", claim, (id) => {
      const found = this.#held.get(id);
      return found && { agreement: found.agreement, ...found.session.resumePoint };
    });
    assert.equal(decision.outcome, "resumed");
    const held = this.#held.get("s") as Held;
    const { received } = held.session.resumePoint;
    assert.ok(held.session.attach(request.received, now()));
    held.socket = socket;
    handshake.welcome({ ...welcome, epoch: decision.record.epoch, received });
    return held;
  }

  #drain(held: Held, socket: Socket): void {
    const { session } = held;
    let resets = false;
    for (let happened = session.nextEvent(); happened !== undefined; happened = session.nextEvent()) {
      resets = this.#handle(session, happened) || resets;
    }
    if (resets) {
      // What was to be sent is lost with the connection, and must come again.
      session.output(now());
      session.detach(now());
      held.socket = undefined;
      socket.resetAndDestroy();
      return;
    }
    for (const chunk of session.output(now())) socket.write(chunk);
  }

  /** Answers whether the connection is to be reset. */
  #handle(session: Session, happened: SessionEvent): boolean {
    if (happened.type === "call") {
      const numbers = JSON.parse(text(happened)) as number[];
      const sum = numbers.reduce((total, one) => total + one, 0);
      if (numbers.length > 0) session.respond(happened.id, json(sum), now());
      else session.fail(happened.id, json({ code: "EMPTY", message: "nothing to add" }), now());
    } else if (happened.type === "open") {
      const count = Number(text(happened));
      for (let item = 0; item < count; item += 1) session.sendItem(happened.id, json(item), now());
      session.endStream(happened.id, now());
    } else if (happened.type === "result") this.doubled.push(text(happened));
    else if (happened.type === "event") {
      session.handled(happened.chargeBytes);
      if (this.#names[happened.method] === "reset") return true;
      session.sendEvent(0, json(`${JSON.parse(text(happened)) as string}!`), now());
    }
    return false;
  }
}

test("a client in Python speaks the protocol and survives connections that are reset", async (context) => {
  const small = new SmallServer();
  const server = createServer((socket) => small.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const python = spawn("python3", ["-c", PROGRAM, join(repositoryRoot, "examples/python"), String(port)]);
    let output = "";
    let errors = "";
    python.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
    python.stderr.on("data", (chunk: Buffer) => (errors += String(chunk)));
    const started = once(python, "spawn").then(
      () => true,
      () => false,
    );
    if (!(await started)) {
      context.skip("python3 is missing");
      return;
    }
    await once(python, "close");
    assert.equal(errors, "");
    assert.deepEqual(output.trim().split("\n"), [
      "add 3",
      "count [0, 1, 2]",
      "add 42",
      "error EMPTY nothing to add",
      "said 51 True resumed True",
      "VERSION_UNSUPPORTED the server speaks 1.x, upgrade the server, or use an older client (it speaks 2.0.0)",
    ]);
    assert.deepEqual(small.doubled, ["42"]);
  } finally {
    server.close();
  }
});
