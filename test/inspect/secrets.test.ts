import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import fc from "fast-check";
import { inspect, type InspectOptions } from "../../src/inspect.ts";
import {
  call,
  connectSession,
  contract,
  event,
  RemoteError,
  serveSessions,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { bind, connect, nodeNetwork, serve, ZocaloError, type Network } from "../../src/index.ts";
import { sha256 } from "../../src/core/bytes/sha-256.ts";
import { ask, everyPath, listOf, METHODS } from "./asking.ts";

/* What programs say to each other, and what they prove who they are with, is in no answer. */

/** Everything that the inspector can say: to every method of every path, about every object, with every question. */
async function everything(url: string): Promise<string> {
  const texts: string[] = [];
  for (const path of await everyPath(url)) {
    const questions = path.endsWith("sessions") ? ["", "?sort=held", "?sort=rate", "?cell=0,0", "?sort=x"] : [""];
    for (const question of questions) {
      for (const method of question === "" ? METHODS : ["GET"]) {
        const headers = { "x-zocalo-token": new URL(url).searchParams.get("token") as string };
        const { headers: said, text } = await ask(url, `${path}${question}`, { method, headers, token: null });
        texts.push(JSON.stringify(said), text);
      }
    }
  }
  return texts.join("\n");
}

/** The kernel's network, which notes all that it draws: what sessions make their tokens from. */
function notingNetwork(drawn: string[]): Network {
  const { random } = nodeNetwork;
  const bytes = (length: number): Uint8Array => {
    const some = random.bytes(length);
    // Names of sessions are shorter, and no secret.
    if (length === TOKEN_BYTES) drawn.push(Buffer.from(some).toString("base64url"));
    return some;
  };
  return { ...nodeNetwork, random: { ...random, next: () => random.next(), bytes } };
}

const TOKEN_BYTES = 32;

const talk = contract("talk", "1.0.0", {
  server: {
    keep: call(typeOnly<string>(), typeOnly<string>()),
    fail: call(typeOnly<string>(), typeOnly<string>()),
    say: event(typeOnly<string>()),
    feed: stream({ request: typeOnly<string>(), sends: typeOnly<string>(), receives: typeOnly<string>() }),
  },
  client: { hear: event(typeOnly<string>()), never: call(typeOnly<string>(), typeOnly<string>()) },
});

interface Secrets {
  readonly auth: string;
  readonly payload: string;
}

/** What was said, and the tokens with which sessions could be continued. */
interface Said {
  readonly text: string;
  readonly tokens: readonly string[];
}

/** A program that has the secrets everywhere where a program can have any. */
async function withSecrets({ auth, payload }: Secrets, options: InspectOptions): Promise<Said> {
  const inspector = await inspect(options);
  const closings: (() => unknown)[] = [() => inspector.close()];
  try {
    const tokens: string[] = [];
    const never = new Promise<never>(() => undefined);
    const server = await serveSessions(talk, "tcp://127.0.0.1:0", {
      network: notingNetwork(tokens),
      authenticate: (applicant) => {
        assert.equal((applicant.auth as Secrets).auth, auth);
        return "ana";
      },
      data: () => ({ payload }),
      handlers: {
        keep: () => never,
        fail: (text) => {
          throw new RemoteError("REFUSED", text, { data: text });
        },
        say: (text) => {
          throw new ZocaloError("CLOSED", { op: "say", detail: text });
        },
        feed: async (_text, items) => {
          await items.send(payload);
          await never;
        },
      },
      onError: () => {
        throw new Error(payload);
      },
    });
    closings.push(() => server.close({ timeoutMs: 0 }));
    const session = await connectSession(talk, server.localAddress, {
      auth: { auth },
      data: { payload },
      handlers: { hear: () => never, never: () => never },
    });
    closings.push(() => session.abort());
    const kept = session.remote.keep(payload).catch(() => undefined);
    const feed = session.remote.feed(payload);
    await feed.send(payload);
    await assert.rejects(session.remote.fail(payload), { code: "REFUSED" });
    await session.remote.say(payload);
    for (const one of server.sessions.values()) {
      void one.remote.hear(payload);
      void one.remote.never(payload).catch(() => undefined);
    }
    const onError = (): void => undefined;
    const plain = await serve(
      "tcp://127.0.0.1:0",
      async (peer) => {
        await peer.readExactly(1);
        throw new Error(payload);
      },
      { onError },
    );
    closings.push(() => plain.close({ timeoutMs: 0 }));
    const connection = await connect(plain.localAddress);
    closings.push(() => connection.abort());
    await connection.write(payload);
    const box = await bind("udp://127.0.0.1:0");
    closings.push(() => box.close());
    await box.send(payload, box.localAddress);
    const text = await everything(inspector.url);
    feed.abort();
    session.abort();
    await kept;
    return { text, tokens };
  } finally {
    for (const close of closings.reverse()) await close();
  }
}

/** A text, and what it would look like in other clothes. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [text, bytes.toString("hex"), bytes.toString("base64"), bytes.toString("base64url")];
}

test("what is secret or said is in no answer and in no dump", async () => {
  const canary = fc.stringMatching(/^[0-9a-f]{24}$/);
  await fc.assert(
    fc.asyncProperty(canary, canary, async (one, other) => {
      const auth = `canary-auth-${one}`;
      const payload = `canary-said-${other}`;
      const { text, tokens } = await withSecrets({ auth, payload }, {});
      assert.match(text, /"keep"/);
      assert.ok(tokens.length > 0, "the session has a token");
      const secrets = [auth, payload, ...tokens, ...tokens.map(sha256)];
      for (const form of secrets.flatMap(formsOf)) assert.ok(!text.includes(form), form);
    }),
    { numRuns: 5 },
  );
});

test("with payloads, messages that are under way are shown, in no dump; credentials never", async () => {
  const { text, tokens } = await withSecrets({ auth: "canary-auth", payload: "canary-said" }, { payloads: true });
  for (const form of ["canary-auth", ...tokens, ...tokens.map(sha256)].flatMap(formsOf)) {
    assert.ok(!text.includes(form), form);
  }
  const [dump = ""] = /^\{"format":"zocalo-inspect".*$/m.exec(text) ?? [];
  assert.match(dump, /"keep"/);
  for (const form of formsOf("canary-said")) assert.ok(!dump.includes(form), form);
});

test("a message that nobody acknowledges is shown with payloads, and not without or in a dump", async (t) => {
  const news = contract("news", "1.0.0", { client: { hear: event(typeOnly<string>()) } });
  const server = await serveSessions(news, "tcp://127.0.0.1:0", {});
  t.after(() => server.close({ timeoutMs: 0 }));
  const session = await connectSession(news, server.localAddress, { handlers: { hear: () => undefined } });
  const [held] = server.sessions.values();
  const lost = once(session.signal, "abort");
  session.abort();
  await lost;
  void held?.remote.hear("canary-said");
  const shown = Buffer.from("canary-said").toString("hex");
  for (const payloads of [false, true]) {
    await using inspector = await inspect({ payloads, servers: [server] });
    const [{ id } = {}] = await listOf(inspector.url, "/sessions", "sessions");
    assert.equal((await ask(inspector.url, `/sessions/${String(id)}`)).text.includes(shown), payloads);
    assert.ok(!(await ask(inspector.url, "/dump")).text.includes(shown));
  }
});
