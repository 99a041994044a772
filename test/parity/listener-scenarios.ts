import { connect, listen, type Peer, serve, type ServeOptions, type Server } from "../../src/index.ts";
import { codeOf, failureOf, pending, rest, type Scenario, type Scene } from "./ground.ts";

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
  {
    name: "an IPv4 address has one form, on a listener for both families too",
    oneMachine: true,
    run: async ({ ground: { server, client } }) => {
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
    outcome: ["127.0.0.1", "127.0.0.1"],
  },
  {
    name: "an own address of the other IP version, and ipv6Only where there is no IPv6",
    oneMachine: true,
    run: async ({ ground: { server, client } }) => {
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
    outcome: ["OPTION_INVALID", "OPTION_INVALID", "OPTION_INVALID", "OPTION_INVALID"],
  },
  {
    name: "an address that is taken, and free again behind its listener",
    run: async (scene) => {
      const listener = await scene.listen();
      const { port } = listener.localAddress;
      const taken = await codeOf(scene.listen({}, port));
      await listener.close();
      return [taken, await codeOf(scene.listen({}, port))];
    },
    outcome: ["ADDRESS_IN_USE", "none"],
  },
  {
    name: "the wildcard and an address exclude each other",
    run: async (scene) => {
      const { server, serverHost } = scene.ground;
      const wide = await listen("tcp://0.0.0.0:0", { network: server });
      const { port } = wide.localAddress;
      const exact = await codeOf(listen(`tcp://${serverHost}:${port}`, { network: server }));
      await wide.close();
      const narrow = await scene.listen();
      const all = await codeOf(listen(`tcp://0.0.0.0:${narrow.localAddress.port}`, { network: server }));
      return [exact, all];
    },
    outcome: ["ADDRESS_IN_USE", "ADDRESS_IN_USE"],
  },
  {
    name: "a port is free for a listener while connections of the last one still linger",
    run: async (scene) => {
      const { listener, call, peer } = await scene.joined();
      const { port } = listener.localAddress;
      await Promise.all([peer.close(), call.read().then(() => call.close())]);
      await listener.close();
      return [await codeOf(scene.listen({}, port))];
    },
    outcome: ["none"],
  },
  {
    name: "an address that this machine has not",
    run: async (scene) => [await codeOf(listen("tcp://203.0.113.77:0", { network: scene.ground.server }))],
    outcome: ["ADDRESS_NOT_AVAILABLE"],
  },
  {
    name: "a closed listener refuses, and its open calls go on",
    run: async (scene) => {
      const { listener, call, peer } = await scene.joined();
      await listener.close();
      const late = await codeOf(scene.connect(listener.localAddress.port));
      await call.write("on");
      return [late, String(await peer.readExactly(2)), await codeOf(listener.accept())];
    },
    outcome: ["CONNECTION_REFUSED", "on", "CLOSED"],
  },
  {
    name: "closing a listener ends who waits for a call, and resets the calls that nobody took",
    run: async (scene) => {
      const empty = await scene.listen();
      const waiting = pending(empty.accept());
      await empty.close();
      const listener = await scene.listen();
      const call = await scene.connect(listener.localAddress.port);
      await scene.until(() => listener.stats.open === 1);
      await listener.close();
      return [await codeOf(waiting), await codeOf(call.read())];
    },
    outcome: ["CLOSED", "CONNECTION_RESET"],
  },
  {
    name: "accept with a time-out and with a signal",
    run: async (scene) => {
      const listener = await scene.listen();
      const late = await codeOf(listener.accept({ timeoutMs: 10 }));
      const stop = new AbortController();
      const waiting = pending(listener.accept({ signal: stop.signal }));
      stop.abort(new Error("enough"));
      const code = await codeOf(waiting);
      await scene.connect(listener.localAddress.port);
      return [late, code, await codeOf(listener.accept())];
    },
    outcome: ["TIMEOUT", "Error: enough", "none"],
  },
  {
    name: "a call beyond maxConnections connects and is reset",
    run: async (scene) => {
      const { listener } = await scene.joined({ listen: { limits: { maxConnections: 1 } } });
      const code = await turnedAway(scene, listener.localAddress.port);
      return [code, listener.stats.refused["max-connections"], listener.stats.open];
    },
    outcome: ["CONNECTION_RESET", 1, 1],
  },
  {
    name: "a call beyond maxConnectionsPerAddress connects and is reset",
    run: async (scene) => {
      const { listener } = await scene.joined({ listen: { limits: { maxConnectionsPerAddress: 1 } } });
      const code = await turnedAway(scene, listener.localAddress.port);
      return [code, listener.stats.refused["max-connections-per-address"]];
    },
    outcome: ["CONNECTION_RESET", 1],
  },
  {
    name: "a call beyond the accept queue connects and is reset; the others are served",
    run: async (scene) => {
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
    outcome: ["CONNECTION_RESET", 1, "hola", "hola"],
  },
  {
    name: "a caller that is denied connects and is reset",
    run: async (scene) => {
      const listener = await scene.listen({ deny: [scene.ground.clientHost] });
      return [await turnedAway(scene, listener.localAddress.port), listener.stats.refused.denied];
    },
    outcome: ["CONNECTION_RESET", 1],
  },
  {
    name: "a handler that returns ends the call, one that throws resets it",
    run: async (scene) => {
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
    outcome: ["good", "end", "", "CONNECTION_RESET", "Error: of the handler"],
  },
  {
    name: "a handler hears that its peer is gone",
    run: async (scene) => {
      let told = (): void => undefined;
      const gone = new Promise<void>((resolve) => (told = resolve));
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
    },
    outcome: [0],
  },
  {
    name: "closing lets handlers finish, and cuts those that do not",
    run: async (scene) => {
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
    outcome: ["bye", "end", "", "CONNECTION_RESET", 1, 1, "CONNECTION_REFUSED"],
  },
  {
    name: "a server that closes resets its calls",
    run: async (scene) => {
      const server = await serveOn(scene, (peer) => peer.read());
      const call = await scene.connect(server.localAddress.port);
      await scene.until(() => server.stats.open === 1);
      await server.close({ timeoutMs: 0 });
      return [await codeOf(call.read()), await failureOf(call.write("x"))];
    },
    outcome: ["CONNECTION_RESET", ["CONNECTION_RESET", "none"]],
  },
];
