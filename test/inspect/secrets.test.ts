import assert from "node:assert/strict";
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
import { bind, connect, serve, ZocaloError } from "../../src/index.ts";
import { ask, listOf } from "./asking.ts";

/* What programs say to each other, and what they prove who they are with, is in no answer. */

/** Everything that the inspector can say. */
async function everything(url: string): Promise<string> {
  const texts: string[] = [];
  const read = async (path: string): Promise<void> => void texts.push((await ask(url, path)).text);
  for (const list of ["servers", "sessions", "connections", "datagrams"]) {
    await read(`/${list}`);
    for (const { id } of await listOf(url, `/${list}`, list)) await read(`/${list}/${String(id)}`);
  }
  for (const { id } of await listOf(url, "/servers", "servers"))
    await read(`/servers/${String(id)}/sessions?sort=held`);
  for (const path of ["/", "/errors", "/metrics", "/dump"]) await read(path);
  return texts.join("\n");
}

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

/** A program that has the secrets everywhere where a program can have any. */
async function withSecrets({ auth, payload }: Secrets, options: InspectOptions): Promise<string> {
  const inspector = await inspect(options);
  const closings: (() => unknown)[] = [() => inspector.close()];
  try {
    const never = new Promise<never>(() => undefined);
    const server = await serveSessions(talk, "tcp://127.0.0.1:0", {
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
    const plain = await serve("tcp://127.0.0.1:0", async (peer) => {
      await peer.readExactly(1);
      throw new Error(payload);
    });
    closings.push(() => plain.close({ timeoutMs: 0 }));
    const connection = await connect(plain.localAddress);
    closings.push(() => connection.abort());
    await connection.write(payload);
    const box = await bind("udp://127.0.0.1:0");
    closings.push(() => box.close());
    await box.send(payload, box.localAddress);
    const said = await everything(inspector.url);
    feed.abort();
    session.abort();
    await kept;
    return said;
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
      const said = await withSecrets({ auth, payload }, {});
      assert.match(said, /"keep"/);
      for (const form of [...formsOf(auth), ...formsOf(payload)]) assert.ok(!said.includes(form), form);
    }),
    { numRuns: 5 },
  );
});

test("with payloads, messages that are under way are shown, in no dump; credentials never", async () => {
  const said = await withSecrets({ auth: "canary-auth", payload: "canary-said" }, { payloads: true });
  for (const form of formsOf("canary-auth")) assert.ok(!said.includes(form), form);
  const dump = said.slice(said.indexOf('{"format":"zocalo-inspect"'));
  for (const form of formsOf("canary-said")) assert.ok(!dump.includes(form), form);
});
