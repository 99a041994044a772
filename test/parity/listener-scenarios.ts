import { connect, listen, type Peer, serve, type ServeOptions, type Server } from "../../src/index.ts";
import { codeOf, failureOf, pending, rest, type Scenario, scenario, type Scene } from "./ground.ts";
import { gate } from "../fixtures/gate.ts";

function serveOn(scene: Scene, handler: (peer: Peer) => unknown, options: ServeOptions = {}): Promise<Server> {
  const { server, serverHost } = scene.ground;
  return serve(`tcp://${serverHost}:0`, handler, { network: server, ...options });
}

/**
 * What a caller sees that is surplus or not wanted. Its connection is made and reset; the kernel may know of the reset
 * before the program knows of the connection.
 */
function turnedAway(scene: Scene, port: number): Promise<string> {
  return codeOf(scene.connect(port).then((call) => call.read()));
}

/** Listeners: addresses, limits, surplus, serving and closing. */
export const listenerScenarios: readonly Scenario[] = [
  scenario(
    "an IPv4 address has one form, on a listener for both families too",
    ["127.0.0.1", "127.0.0.1"],
    async ({ ground: { server, client } }) => {
      const listener = await listen("tcp://[::]:0", { network: server });
      const { port } = listener.localAddress;
      const seen: string[] = [];
      for (const target of ["127.0.0.1", "[::ffff:127.0.0.1]"]) {
        const localAddress = target === "127.0.0.1" ? "[::ffff:127.0.0.1]:0" : undefined;
        const [call, peer] = await Promise.all([
          connect(`tcp://${target}:${port}`, { network: client, localAddress }),
          listener.accept(),
        ]);
        for (const { host } of [call.localAddress, call.remoteAddress, peer.localAddress, peer.remoteAddress]) {
          seen.push(host);
        }
        call.abort();
        peer.abort();
      }
      await listener.close();
      const mapped = await listen("tcp://[::ffff:127.0.0.1]:0", { network: server });
      await mapped.close();
      return [...new Set(seen), mapped.localAddress.host];
    },
    { oneMachine: true },
  ),
  scenario(
    "an own address of the other IP version, and ipv6Only where there is no IPv6",
    ["OPTION_INVALID", "OPTION_INVALID", "OPTION_INVALID", "OPTION_INVALID"],
    async ({ ground: { server, client } }) => {
      const listener = await listen("tcp://[::]:0", { network: server });
      const { port } = listener.localAddress;
      const call = (target: string, localAddress: string): Promise<unknown> =>
        connect(`tcp://${target}:${port}`, { network: client, localAddress });
      const codes = [
        await codeOf(call("127.0.0.1", "[::1]:0")),
        await codeOf(call("[::1]", "127.0.0.1")),
        await codeOf(call("0.0.0.0", "[::]:0")),
        await codeOf(listen("tcp://127.0.0.1:0", { network: server, tcp: { ipv6Only: true } })),
      ];
      await listener.close();
      return codes;
    },
    { oneMachine: true },
  ),
  scenario(
    "an address that is taken, and free again behind its listener",
    ["ADDRESS_IN_USE", "none"],
    async (scene) => {
      const listener = await scene.listen();
      const { port } = listener.localAddress;
      const taken = await codeOf(scene.listen({}, port));
      await listener.close();
      return [taken, await codeOf(scene.listen({}, port))];
    },
  ),
  scenario("the wildcard and an address exclude each other", ["ADDRESS_IN_USE", "ADDRESS_IN_USE"], async (scene) => {
    const { server, serverHost } = scene.ground;
    const wide = await listen("tcp://0.0.0.0:0", { network: server });
    const { port } = wide.localAddress;
    const exact = await codeOf(listen(`tcp://${serverHost}:${port}`, { network: server }));
    await wide.close();
    const narrow = await scene.listen();
    const all = await codeOf(listen(`tcp://0.0.0.0:${narrow.localAddress.port}`, { network: server }));
    return [exact, all];
  }),
  scenario("a port is free for a listener while connections of the last one still linger", ["none"], async (scene) => {
    const { listener, call, peer } = await scene.joined();
    const { port } = listener.localAddress;
    await Promise.all([peer.close(), call.read().then(() => call.close())]);
    await listener.close();
    return [await codeOf(scene.listen({}, port))];
  }),
  scenario("an address that this machine has not", ["ADDRESS_NOT_AVAILABLE"], async (scene) => [
    await codeOf(listen("tcp://203.0.113.77:0", { network: scene.ground.server })),
  ]),
  scenario(
    "a closed listener refuses, and its open calls go on",
    ["CONNECTION_REFUSED", "on", "CLOSED"],
    async (scene) => {
      const { listener, call, peer } = await scene.joined();
      await listener.close();
      const late = await codeOf(scene.connect(listener.localAddress.port));
      await call.write("on");
      return [late, String(await peer.readExactly(2)), await codeOf(listener.accept())];
    },
  ),
  scenario(
    "closing a listener ends who waits for a call, and resets the calls that nobody took",
    ["CLOSED", "CONNECTION_RESET"],
    async (scene) => {
      const empty = await scene.listen();
      const waiting = pending(empty.accept());
      await empty.close();
      const listener = await scene.listen();
      const call = await scene.connect(listener.localAddress.port);
      await scene.until(() => listener.stats.open === 1);
      await listener.close();
      return [await codeOf(waiting), await codeOf(call.read())];
    },
  ),
  scenario("accept with a time-out and with a signal", ["TIMEOUT", "Error: enough", "none"], async (scene) => {
    const listener = await scene.listen();
    const late = await codeOf(listener.accept({ timeoutMs: 10 }));
    const stop = new AbortController();
    const waiting = pending(listener.accept({ signal: stop.signal }));
    stop.abort(new Error("enough"));
    const code = await codeOf(waiting);
    await scene.connect(listener.localAddress.port);
    return [late, code, await codeOf(listener.accept())];
  }),
  scenario("a call beyond maxConnections connects and is reset", ["CONNECTION_RESET", 1, 1], async (scene) => {
    const { listener } = await scene.joined({ listen: { limits: { maxConnections: 1 } } });
    const code = await turnedAway(scene, listener.localAddress.port);
    return [code, listener.stats.refused["max-connections"], listener.stats.open];
  }),
  scenario("a call beyond maxConnectionsPerAddress connects and is reset", ["CONNECTION_RESET", 1], async (scene) => {
    const { listener } = await scene.joined({ listen: { limits: { maxConnectionsPerAddress: 1 } } });
    const code = await turnedAway(scene, listener.localAddress.port);
    return [code, listener.stats.refused["max-connections-per-address"]];
  }),
  scenario(
    "a call beyond the accept queue connects and is reset; the others are served",
    ["CONNECTION_RESET", 1, "hola", "hola"],
    async (scene) => {
      const listener = await scene.listen({ limits: { maxWaitingConnections: 2 } });
      const calls = [];
      for (let count = 0; count < 2; count += 1) {
        calls.push(await scene.connect(listener.localAddress.port));
        await scene.until(() => listener.stats.open === count + 1);
      }
      const code = await turnedAway(scene, listener.localAddress.port);
      const peers = [await listener.accept(), await listener.accept()];
      await Promise.all(peers.map((peer) => peer.write("hola")));
      const answers = await Promise.all(calls.map((call) => call.readExactly(4)));
      return [code, listener.stats.refused["max-waiting-connections"], ...answers.map(String)];
    },
  ),
  scenario("a caller that is denied connects and is reset", ["CONNECTION_RESET", 1], async (scene) => {
    const listener = await scene.listen({ deny: [scene.ground.clientHost] });
    return [await turnedAway(scene, listener.localAddress.port), listener.stats.refused.denied];
  }),
  scenario(
    "a handler that returns ends the call, one that throws resets it",
    ["good", "end", "", "CONNECTION_RESET", "Error: of the handler"],
    async (scene) => {
      const errors: string[] = [];
      const handler = async (peer: Peer): Promise<void> => {
        if (String(await peer.readUntil("\n")) === "bad\n") throw new Error("of the handler");
        await peer.write("good");
      };
      const server = await serveOn(scene, handler, { onError: (error) => void errors.push(String(error)) });
      const [good, bad] = [
        await scene.connect(server.localAddress.port),
        await scene.connect(server.localAddress.port),
      ];
      await good.write("good\n");
      await bad.write("bad\n");
      const ends = [...(await rest(good)), ...(await rest(bad))];
      await server.close({ timeoutMs: 0 });
      return [...ends, ...errors];
    },
  ),
  scenario("a handler hears that its peer is gone", [0], async (scene) => {
    const { open: told, opened: gone } = gate();
    const server = await serveOn(scene, async (peer) => {
      peer.signal.addEventListener("abort", () => told());
      await gone;
    });
    const call = await scene.connect(server.localAddress.port);
    await scene.until(() => server.stats.open === 1);
    call.abort();
    await gone;
    await server.close({ timeoutMs: 0 });
    return [server.stats.open];
  }),
  scenario(
    "closing lets handlers finish, and cuts those that do not",
    ["bye", "end", "", "CONNECTION_RESET", 1, 1, "CONNECTION_REFUSED"],
    async (scene) => {
      const server = await serveOn(scene, async (peer) => {
        if (String(await peer.readExactly(1)) === "q") await peer.write("bye");
        else await new Promise<void>((resolve) => peer.signal.addEventListener("abort", () => resolve()));
      });
      const { port } = server.localAddress;
      const [quick, slow] = [await scene.connect(port), await scene.connect(port)];
      await scene.until(() => server.stats.open === 2);
      const drained = server.close({ timeoutMs: 100 });
      await quick.write("q");
      await slow.write("s");
      const ends = [...(await rest(quick))];
      await quick.end();
      ends.push(...(await rest(slow)));
      const { finished, cut } = await drained;
      return [...ends, finished, cut, await codeOf(scene.connect(port))];
    },
  ),
  scenario(
    "a server that closes resets its calls",
    ["CONNECTION_RESET", ["CONNECTION_RESET", "none"]],
    async (scene) => {
      const server = await serveOn(scene, (peer) => peer.read());
      const call = await scene.connect(server.localAddress.port);
      await scene.until(() => server.stats.open === 1);
      await server.close({ timeoutMs: 0 });
      return [await codeOf(call.read()), await failureOf(call.write("x"))];
    },
  ),
];
