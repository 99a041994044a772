import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, stream, typeOnly } from "../../src/protocol.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* What a handler learns of the message that it handles. */

interface Named {
  readonly messageId: string;
  readonly redelivered: boolean;
}
const named = ({ messageId, redelivered }: Named): Named => ({ messageId, redelivered });

const names = contract("names", "1.0.0", {
  server: {
    say: event<void>(),
    ask: call<void, Named>(),
    items: stream({ sends: typeOnly<Named>() }),
  },
  client: { back: call<void, Named>() },
});

test("each message has a name of its own, in order, for events, calls and streams, on both sides", async () => {
  const said: Named[] = [];
  const server = await serveSessions(names, "tcp://127.0.0.1:0", {
    handlers: {
      // The next one waits until this one has read its name.
      async say(_nothing, context) {
        await Promise.resolve();
        said.push(named(context));
      },
      ask: (_nothing, context) => named(context),
      items: async function* (_nothing, _stream, context) {
        yield named(context);
      },
    },
  });
  const session = await connectSession(names, server.localAddress, {
    handlers: { back: (_nothing, context) => named(context) },
  });
  const name = (number: number): Named => ({ messageId: `${session.id}/${number}`, redelivered: false });
  await Promise.all([session.remote.say(), session.remote.say(), session.remote.say()]);
  assert.deepEqual(await session.remote.ask(undefined, { metadata: { a: "1" } }), name(4));
  for await (const item of session.remote.items()) assert.deepEqual(item, name(5));
  await session.remote.say(undefined, { metadata: { a: "1" } });
  assert.deepEqual(await session.remote.ask(), name(7));
  assert.deepEqual(said, [name(1), name(2), name(3), name(6)]);
  const [served] = server.sessions.values();
  // What the server has said before: two answers, an item and the end of the items.
  assert.deepEqual(await served?.remote.back(), name(5));
});
