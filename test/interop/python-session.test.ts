import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import {
  call,
  contract,
  event,
  RemoteError,
  type Session,
  memoryJournal,
  serveSessions,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { Detour } from "../sessions/detour.ts";

/* A client in Python, written from docs/wire-protocol.md, against a server of sessions. */

const offer = contract("interop", "1.4.0", {
  server: {
    add: call<number[], number>(),
    say: event<string>(),
    count: stream({ request: typeOnly<number>(), sends: typeOnly<number>() }),
    reset: event(),
  },
  client: { said: event<string>(), twice: call<number, number>() },
});

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
print("lost", session.close())
try:
    Session(address, "interop", "2.0.0", {})
except ZocaloError as refusal:
    print(*refusal.args)
`;

/** What a program in Python prints, with the port of the detour as its second argument; undefined where there is no Python. */
async function runPython(program: string, { address }: Detour): Promise<readonly string[] | undefined> {
  const folder = join(repositoryRoot, "examples/python");
  const { port } = new URL(address);
  const python = spawn("python3", ["-c", program, folder, port]);
  let output = "";
  let complaints = "";
  python.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  python.stderr.on("data", (chunk: Buffer) => (complaints += String(chunk)));
  const started = once(python, "spawn").then(
    () => true,
    () => false,
  );
  if (!(await started)) return undefined;
  await once(python, "close");
  assert.equal(complaints, "");
  return output.trim().split("\n");
}

test("a client in Python speaks the protocol and survives connections that are reset", async (context) => {
  const doubled: number[] = [];
  const errors: unknown[] = [];
  const double = async (session: Session<typeof offer.client>): Promise<void> => {
    doubled.push(await session.remote.twice(21));
  };
  const detours: Detour[] = [];
  const server = await serveSessions(offer, "tcp://127.0.0.1:0", {
    onOpen: double,
    onError: (error) => errors.push(error),
    handlers: {
      add(numbers) {
        if (numbers.length === 0) throw new RemoteError("EMPTY", "nothing to add");
        return numbers.reduce((sum, next) => sum + next, 0);
      },
      say: (text, { session }) => session.remote.said(`${text}!`),
      count: (to) => Array.from({ length: to }, (_, index) => index),
      reset: () => {
        for (const detour of detours) detour.cut("reset");
      },
    },
  });
  const detour = await Detour.to(server.localAddress.port);
  detours.push(detour);
  try {
    const told = await runPython(PROGRAM, detour);
    if (told === undefined) {
      context.skip("python3 is missing");
      return;
    }
    assert.deepEqual(told, [
      "add 3",
      "count [0, 1, 2]",
      "add 42",
      "error EMPTY nothing to add",
      "said 51 True resumed True",
      "lost 0",
      "VERSION_UNSUPPORTED the server speaks 1.x, upgrade the server, or use an older client (it speaks 2.0.0)",
    ]);
    assert.deepEqual(doubled, [42]);
    assert.deepEqual(errors, []);
    assert.ok(server.stats.resumed > 0);
  } finally {
    await server.close({ timeoutMs: 0 });
    detour.close();
  }
});

const MOVING = `
import sys
sys.path.insert(0, sys.argv[1])
from zocalo_session import Session, ZocaloError
heard = []
session = Session(("127.0.0.1", int(sys.argv[2])), "moving", "1.0.0", {"said": heard.append})
print("count", [session.call("count") for _ in range(3)])
session.call("say", "one")
try:
    for item in session.stream("ticks"):
        print("tick", item)
        session.event("move")
except ZocaloError as error:
    print(error.args[0])
session.call("say", "two")
print("count", [session.call("count") for _ in range(100)][-1], "resumed", session.resumes)
session.call("say", "three")
while len(heard) < 3:
    session.pump()
print("heard", heard)
print("lost", session.close())
`;

test("a session of a client in Python moves: counters go on, streams end, what is said to all comes once", async (context) => {
  const moving = contract("moving", "1.0.0", {
    server: {
      count: call<void, number>(),
      say: call<string, void>(),
      ticks: stream({ sends: typeOnly<number>() }),
      move: event(),
    },
    client: { said: event<string>() },
  });
  const journal = memoryJournal();
  const errors: unknown[] = [];
  let isMoved = false;
  const serveMoving = async () =>
    await serveSessions(moving, "tcp://127.0.0.1:0", {
      journal,
      data: () => ({ counted: 0 }),
      onError: (error) => errors.push(error),
      handlers: {
        count: (_none, { session }) => (session.data.counted += 1),
        say: (text, { server }) => void server.remote.said(text),
        async *ticks(_none, { signal }) {
          yield 1;
          await once(signal, "abort");
        },
        move: () => {
          if (isMoved) return;
          isMoved = true;
          detour.leadTo(second.localAddress.port);
          detour.cut("reset");
        },
      },
    });
  const [first, second] = [await serveMoving(), await serveMoving()];
  const detour = await Detour.to(first.localAddress.port);
  try {
    const told = await runPython(MOVING, detour);
    if (told === undefined) {
      context.skip("python3 is missing");
      return;
    }
    assert.deepEqual(told, [
      "count [1, 2, 3]",
      "tick 1",
      "SESSION_MOVED",
      "count 103 resumed 1",
      "heard ['one', 'two', 'three']",
      "lost 0",
    ]);
    assert.deepEqual(errors, []);
  } finally {
    await Promise.all([first.close({ timeoutMs: 0 }), second.close({ timeoutMs: 0 })]);
    detour.close();
  }
});
