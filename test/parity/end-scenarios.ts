import { codeOf, endOf, failureOf, firstFailedWrite, pending, rest, type Scenario, scenario } from "./ground.ts";

const FLOOD_BYTES = 24 * 1_048_576;

/** The ways in which a connection ends. */
export const endScenarios: readonly Scenario[] = [
  scenario(
    "FIN is the end, again and again, and the other direction stays open",
    [null, null, "still here", null, ["ended"], ["ended"]],
    async (scene) => {
      const { call, peer } = await scene.joined();
      await call.end();
      const ends = [await peer.read(), await peer.read()];
      await peer.write("still here");
      const answer = String(await call.readExactly(10));
      await peer.end();
      return [...ends, answer, await call.read(), await endOf(call), await endOf(peer)];
    },
  ),
  scenario("a write behind end(), and a second end()", [["CLOSED", "none"], "none"], async (scene) => {
    const { call } = await scene.joined();
    await call.end();
    return [await failureOf(call.write("x")), await codeOf(call.end())];
  }),
  scenario("close sends the last answer to a client that reads late", [true, "end", ["closed"]], async (scene) => {
    const { call, peer } = await scene.joined();
    const answer = "x".repeat(200_000);
    await peer.write(answer);
    const closing = peer.close();
    const [text, end] = await rest(call);
    await call.end();
    await closing;
    return [text === answer, end, await endOf(peer)];
  }),
  scenario(
    "close keeps the answer when the request was not read to its end",
    ["no more, thank you", "end", "none", "none"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const sending = call.write(Buffer.alloc(300_000)).then(() => call.end());
      await peer.readExactly(1);
      await peer.write("no more, thank you");
      const closing = peer.close();
      const answer = await rest(call);
      return [...answer, await codeOf(sending), await codeOf(closing)];
    },
  ),
  scenario(
    "close gives up on a peer that sends more than lingerBytes, which is reset",
    [["CONNECTION_RESET", "unknown"], "reset"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const writing = pending(call.write(Buffer.alloc(FLOOD_BYTES)));
      await peer.readExactly(1);
      await peer.close({ lingerBytes: 10_000 });
      return [await failureOf(writing), (await call.closed).how];
    },
  ),
  scenario(
    "close gives up on a peer that never ends, and what comes later is answered with a reset",
    [null, "CONNECTION_RESET", "reset"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      await peer.close({ lingerMs: 20 });
      const end = await call.read();
      return [end, await firstFailedWrite(call), (await call.closed).how];
    },
  ),
  scenario(
    "reading and writing what this side has closed",
    ["CLOSED", "CLOSED", ["CLOSED", "none"], ["closed"]],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const waiting = pending(call.read());
      const peerEnds = peer.read().then(() => peer.end());
      await call.close();
      await peerEnds;
      return [await codeOf(waiting), await codeOf(call.read()), await failureOf(call.write("x")), await endOf(call)];
    },
  ),
  scenario(
    "both sides close at once, with nothing left to say",
    ["none", "none", ["closed"], ["closed"]],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const codes = await Promise.all([codeOf(call.close()), codeOf(peer.close())]);
      return [...codes, await endOf(call), await endOf(peer)];
    },
  ),
  scenario(
    "a reset behind bytes that nobody has read: first the bytes, then the reset",
    ["ello", "CONNECTION_RESET", ["reset", "CONNECTION_RESET"], "CONNECTION_RESET"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      await call.write("hello");
      await peer.readExactly(1);
      await scene.until(() => peer.bytesReceived === 5);
      call.abort();
      return [...(await rest(peer)), await endOf(peer), await codeOf(peer.read())];
    },
  ),
  scenario("a reset while a read waits", ["CONNECTION_RESET", "reset", "CONNECTION_RESET"], async (scene) => {
    const { call, peer } = await scene.joined();
    const waiting = pending(peer.read());
    call.abort();
    return [await codeOf(waiting), (await peer.closed).how, await codeOf(peer.write("x"))];
  }),
  scenario(
    "a reset while a write waits for the window",
    [
      ["CONNECTION_RESET", "unknown"],
      ["reset", "CONNECTION_RESET"],
    ],
    async (scene) => {
      const { call, peer } = await scene.joined();
      const writing = pending(call.write(Buffer.alloc(FLOOD_BYTES)));
      await peer.readExactly(1);
      peer.abort();
      return [await failureOf(writing), await endOf(call)];
    },
  ),
  scenario("a reset in the middle of a message", ["CONNECTION_RESET"], async (scene) => {
    const { call, peer } = await scene.joined();
    const line = pending(peer.readUntil("\n"));
    await call.write("half a li");
    await scene.until(() => peer.bytesReceived === 9);
    call.abort();
    return [await codeOf(line)];
  }),
  scenario(
    "a reset behind a FIN is a reset for the one who writes on",
    [null, "CONNECTION_RESET", "reset"],
    async (scene) => {
      const { call, peer } = await scene.joined();
      await call.end();
      const end = await peer.read();
      call.abort();
      return [end, await firstFailedWrite(peer), (await peer.closed).how];
    },
  ),
  scenario(
    "this side aborts, with a reason and without",
    ["CONNECTION_ABORTED", "aborted", "CONNECTION_ABORTED", "CONNECTION_ABORTED"],
    async (scene) => {
      const { call } = await scene.joined();
      const first = pending(call.read());
      call.abort(new Error("my reason"));
      const other = await scene.joined();
      const second = pending(other.call.read());
      other.call.abort();
      return [await codeOf(first), (await call.closed).how, await codeOf(second), await codeOf(other.call.write("x"))];
    },
  ),
  scenario("break in for await neither closes nor loses bytes", ["abcdef", "end"], async (scene) => {
    const { call, peer } = await scene.joined();
    await call.write("abc");
    let first = "";
    for await (const piece of peer) {
      first = String(piece);
      break;
    }
    await call.write("def");
    await call.end();
    const [text, end] = await rest(peer);
    return [first + (text ?? ""), end];
  }),
];
