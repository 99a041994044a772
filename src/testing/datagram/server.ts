/** The datagram suite: a stateless server (docs/semantics.md, rule B3). */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import type { DatagramHandler, DatagramServer, ServeDatagramsOptions } from "../../io/datagram/server.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { serveDatagramsOver } from "../../io/datagram/serve.ts";
import { assertError, assertFields, expectError } from "../expect-error.ts";
import { signal } from "../stream/check.ts";
import { type DatagramChecks, type DatagramScene, numbers, take } from "./world.ts";

/** Everything about `serveDatagrams`. */
export const datagramServerChecks: DatagramChecks = {
  async "what a handler returns, and what it replies, goes to the sender"(scene) {
    const handler: DatagramHandler = async (request, { localAddress }) => {
      assert.equal(localAddress.transport, "udp");
      const text = request.data.toString();
      if (text === "silence") return undefined;
      if (text === "later") return await Promise.resolve(["la", "ter"]);
      if (text === "twice") await request.reply("first");
      return text.toUpperCase();
    };
    await withServer(scene, handler, {}, async ({ server, client, errors }) => {
      for (const text of ["hola", "later", "silence", "twice"]) await client.send(text);
      assert.deepEqual((await take(client, 4)).sort(), ["HOLA", "TWICE", "first", "later"]);
      await scene.until(() => server.stats.requestsHandled === 4);
      const expected = { requestsActive: 0, requestsFailed: 0, requestsRefused: 0, datagramsReceived: 4 };
      assertFields(server.stats, expected);
      assert.deepEqual(errors, []);
    });
  },

  async "a server keeps its clients apart"(scene) {
    const handler: DatagramHandler = ({ from }) => from.toString();
    await withServer(scene, handler, {}, async ({ server }) => {
      const clients = await Promise.all(numbers(20).map(() => scene.open({ remote: server.localAddress })));
      for (const client of clients) await client.send("who am I?");
      for (const client of clients) assert.deepEqual(await take(client, 1), [client.localAddress.toString()]);
    });
  },

  async "options that make no sense are refused"({ network, local }) {
    const expected = { code: "OPTION_INVALID", op: "serveDatagrams", type: UsageError } as const;
    for (const options of [
      { limits: { maxConcurrentRequests: 0 } },
      { limits: { maxConcurrentRequests: 1.5 } },
      { replies: "some" as "free" },
      { replies: "free" as const, limits: { maxRepliesPerSource: 5 } },
      { limits: { maxRepliesPerSource: 5 } },
      { limits: { maxAmplification: 2 } },
      { replies: "guarded" as const, limits: { maxAmplification: 0.5 } },
      { replies: "guarded" as const, limits: { maxAmplification: Number.POSITIVE_INFINITY } },
    ]) {
      await expectError(serveDatagramsOver(network, local, silent, options), expected);
    }
    const overTcp = serveDatagramsOver(network, "tcp://127.0.0.1:0", silent);
    await expectError(overTcp, { code: "ADDRESS_INVALID", op: "serveDatagrams" });
  },

  async "a server has the receive buffer of who asks for 4 MiB, unless it is told another size"(scene) {
    const { open } = scene;
    const most = (await open({ udp: { receiveBufferBytes: 4_194_304 } })).udp.bufferSizes().receiveBytes;
    const usual = (await open()).udp.bufferSizes().receiveBytes;
    const small = (await open({ udp: { receiveBufferBytes: 20_000 } })).udp.bufferSizes().receiveBytes;
    await withServer(scene, silent, {}, async ({ server }) => {
      assert.equal(server.socket.udp.bufferSizes().receiveBytes, Math.max(most, usual));
    });
    await withServer(scene, silent, { udp: { receiveBufferBytes: 20_000 } }, async ({ server }) => {
      assert.equal(server.socket.udp.bufferSizes().receiveBytes, small);
    });
  },

  async "a handler that fails touches no other request"(scene) {
    const broken = new Error("broken");
    const handler: DatagramHandler = ({ data }) => {
      if (data.toString() === "throw") throw broken;
      if (data.toString() === "reject") return Promise.reject(new Error("rejected"));
      if (data.toString() === "nonsense") return 5 as unknown as string;
      return data;
    };
    await withServer(scene, handler, {}, async ({ server, client, errors }) => {
      for (const text of ["throw", "reject", "nonsense", "fine"]) await client.send(text);
      assert.deepEqual(await take(client, 1), ["fine"]);
      await scene.until(() => server.stats.requestsHandled === 4);
      assert.equal(server.stats.requestsFailed, 3);
      assert.equal(errors[0], broken);
      assert.equal((errors[1] as Error).message, "rejected");
      assertError(errors[2], { code: "OPTION_INVALID", op: "send" });
      assert.equal(errors.length, 3);
    });
  },

  async "an onError that throws, and a reply that nobody awaits, harm nobody"(scene) {
    const handler: DatagramHandler = (request) => {
      void request.reply(Buffer.alloc(70_000));
      return request.data;
    };
    const told: unknown[] = [];
    const onError = (error: unknown): void => {
      told.push(error);
      throw new Error("even this");
    };
    await withServer(scene, handler, { onError }, async ({ server, client }) => {
      await client.send("a");
      await client.send("b");
      assert.deepEqual((await take(client, 2)).sort(), ["a", "b"]);
      await scene.until(() => told.length === 2);
      for (const error of told) assertError(error, { code: "DATAGRAM_TOO_LARGE", op: "send", outcome: "none" });
      await scene.until(() => server.stats.requestsHandled === 2);
      assert.equal(server.stats.requestsFailed, 0);
    });
  },

  async "no more than maxConcurrentRequests handlers run; the queue's policy takes the rest"(scene) {
    let running = 0;
    let most = 0;
    const held = signal();
    const handler: DatagramHandler = async ({ data }) => {
      running += 1;
      most = Math.max(most, running);
      await held.promise;
      running -= 1;
      return data;
    };
    const limits = { maxConcurrentRequests: 2, maxReceiveQueueDatagrams: 3 };
    const options = { limits, overflow: "drop-newest" } as const;
    await withServer(scene, handler, options, async ({ server, client }) => {
      for (const text of numbers(2)) await client.send(text);
      await scene.until(() => server.stats.requestsActive === 2);
      for (const text of numbers(8, 2)) await client.send(text);
      await scene.until(() => server.stats.datagramsReceived === 10);
      assertFields(server.stats, { requestsActive: 2, datagramsWaiting: 3, datagramsDropped: 5 });
      held.resolve();
      assert.deepEqual((await take(client, 5)).sort(), numbers(5));
      assert.equal(most, 2);
    });
  },

  async "a guarded server answers at most three times what it was asked, or as it was told"(scene) {
    for (const [maxAmplification, ratio] of [
      [undefined, 3],
      [1.5, 1.5],
      [100_000, 100_000],
    ] as const) {
      const seen: number[] = [];
      const handler: DatagramHandler = (request) => {
        seen.push(request.maxReplyBytes);
        return Buffer.alloc(Math.min(1000, request.maxReplyBytes));
      };
      const options = { replies: "guarded", limits: { maxAmplification, maxDatagramBytes: 1000 } } as const;
      await withServer(scene, handler, options, async ({ server, client, errors }) => {
        for (const bytes of [0, 1, 33, 600]) {
          await client.send(Buffer.alloc(bytes));
          const most = Math.min(1000, Math.floor(bytes * ratio));
          assert.equal((await client.receive()).data.length, most, `${bytes} bytes, ${ratio} times`);
          assert.equal(seen.at(-1), most);
        }
        assert.equal(server.stats.requestsHandled, 4);
        assert.deepEqual(errors, []);
      });
    }
  },

  async "a guarded server with the ratio 1 never answers more than it was asked, nor twice"(scene) {
    const handler: DatagramHandler = async (request) => {
      assert.equal(request.maxReplyBytes, request.data.length);
      const text = request.data.toString();
      if (text === "twice") await request.reply("once");
      return text === "short" ? "too long" : text.slice(0, 4);
    };
    const options = { replies: "guarded", limits: { maxAmplification: 1 } } as const;
    await withServer(scene, handler, options, async ({ server, client, errors }) => {
      for (const text of ["short", "twice", "fine"]) await client.send(text);
      assert.deepEqual((await take(client, 2)).sort(), ["fine", "once"]);
      await scene.until(() => server.stats.requestsHandled === 3);
      assert.equal(errors.length, 2);
      const tooLong = errors.find((error) => (error as { code: string }).code === "DATAGRAM_TOO_LARGE");
      assertError(tooLong, { code: "DATAGRAM_TOO_LARGE", op: "reply", type: UsageError, outcome: "none" });
      const twice = errors.find((error) => error !== tooLong);
      assertError(twice, { code: "OPTION_INVALID", op: "reply", type: UsageError, outcome: "none" });
    });
  },

  async "two guarded servers that answer each other stop, and go on to serve others"(scene) {
    const options = { replies: "guarded", limits: { maxRepliesPerSource: 50 } } as const;
    const echo: DatagramHandler = ({ data }) => data;
    await withServer(scene, echo, options, async ({ server, client }) => {
      await withServer(scene, echo, options, async ({ server: other }) => {
        await server.socket.send("forged", other.localAddress);
        const refused = (): number => server.stats.requestsRefused + other.stats.requestsRefused;
        await scene.until(() => refused() === 1);
        assert.deepEqual([server.stats.requestsHandled, other.stats.requestsHandled], [50, 50]);
        await client.send("question");
        assert.deepEqual(await take(client, 1), ["question"]);
      });
    });
  },

  async "a guarded server does not talk to itself; a free one may"(scene) {
    for (const [replies, heard] of [
      ["guarded", 0],
      ["free", 1],
    ] as const) {
      const seen: string[] = [];
      const handler: DatagramHandler = ({ data }) => void seen.push(data.toString());
      await withServer(scene, handler, { replies }, async ({ server, client }) => {
        await server.socket.send("am I a question?", server.localAddress);
        await client.send("question");
        await scene.until(() => server.stats.requestsHandled === 1 + heard);
        assert.equal(server.stats.requestsRefused, 1 - heard);
        assert.equal(seen.length, 1 + heard);
      });
    }
  },
};

export const silent: DatagramHandler = () => undefined;

interface Served {
  readonly server: DatagramServer;
  readonly client: DatagramSocket;
  /** Errors that `onError` was told. */
  readonly errors: unknown[];
}

/** Runs a test against a server and one client, and closes the server. */
export async function withServer(
  scene: DatagramScene,
  handler: DatagramHandler,
  options: ServeDatagramsOptions,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serveDatagramsOver(scene.network, scene.local, handler, { onError, ...options });
  try {
    const client = await scene.open({ remote: server.localAddress });
    await body({ server, client, errors });
  } finally {
    await server.close({ timeoutMs: 0 });
  }
}
