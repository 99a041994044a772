import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { nodeNetwork } from "../../index.ts";
import { ManualClock } from "../../testing.ts";
import { NatsRequests } from "./requests.ts";

const BODY = Buffer.from("body");

/** A connection whose server is the test. */
class FakeConnection {
  readonly replies: string[] = [];
  #callback: ((error: Error | null, message: Msg) => void) | undefined;

  subscribe(subject: string, { callback }: { callback: (error: Error | null, message: Msg) => void }): void {
    assert.equal(subject, "inbox.*");
    this.#callback = callback;
  }

  publish(subject: string, _body: Uint8Array, { reply }: { reply: string; headers?: MsgHdrs }): void {
    if (subject === "too long") throw new Error("it is too long");
    this.replies.push(reply);
  }

  answer(reply: string, answer: unknown, code = 0): void {
    this.#callback?.(null, { subject: reply, headers: { code }, json: () => answer } as unknown as Msg);
  }

  refuse(error: Error): void {
    this.#callback?.(error, {} as Msg);
  }
}

function start() {
  const connection = new FakeConnection();
  const clock = new ManualClock(nodeNetwork.clock);
  const requests = new NatsRequests(connection as unknown as NatsConnection, clock, "inbox");
  return { connection, clock, requests, send: () => requests.send("log", BODY, undefined) };
}

describe("NatsRequests", () => {
  it("gives each answer to who has asked, in any order and once", async () => {
    const { connection, send } = start();
    const [one, two] = [send(), send()];
    const [first = "", second = ""] = connection.replies;
    connection.answer(second, { seq: 2 });
    connection.answer(first, { seq: 1 });
    connection.answer(first, { seq: 7 });
    connection.answer("inbox.nobody", { seq: 8 });
    assert.deepEqual([(await one).sequence("append"), (await two).sequence("append")], [1, 2]);
  });

  it("says that nothing was written where no server has the stream", async () => {
    const { connection, send } = start();
    const asked = send();
    connection.answer(connection.replies[0] ?? "", {}, 503);
    const answer = await asked;
    assert.throws(() => answer.sequence("commit"), { code: "JOURNAL_UNAVAILABLE", op: "commit", outcome: "none" });
  });

  it("rejects what it cannot send, and all that waits when the connection is lost or the server refuses it", async () => {
    const { connection, requests, send } = start();
    await assert.rejects(requests.send("too long", BODY, undefined), { message: "it is too long" });
    const some = [send(), send()];
    requests.fail(new Error("lost"));
    for (const one of some) await assert.rejects(one, { message: "lost" });
    const refused = send();
    connection.refuse(new Error("no permission"));
    await assert.rejects(refused, { message: "no permission" });
  });

  it("gives up what has no answer", async () => {
    const { connection, clock, send } = start();
    const given = assert.rejects(send(), { message: "the server has not answered" });
    await clock.advance(10_000);
    const later = send();
    connection.answer(connection.replies[0] ?? "", { seq: 1 });
    connection.answer(connection.replies[1] ?? "", { seq: 2 });
    assert.equal((await later).sequence("append"), 2);
    await given;
  });
});
