import { connect, listen, serve, type StreamSocket, type ZocaloError } from "../../src/index.ts";
import type { Network } from "../../src/index.ts";
import type { SimHost } from "../../src/sim/world/host.ts";
import type { World } from "../../src/sim.ts";

/** The port of every server in these tests. */
export const PORT = "7000";

/** An echo server on a host. */
export async function echo(network: Network): Promise<void> {
  const handler = async (peer: StreamSocket): Promise<void> => {
    for await (const bytes of peer) await peer.write(bytes);
  };
  await serve(`tcp://0.0.0.0:${PORT}`, handler, { network });
}

/** Two hosts and a connection between them. */
export interface Joined {
  readonly a: SimHost;
  readonly b: SimHost;
  readonly call: StreamSocket;
  readonly peer: StreamSocket;
}

/** Makes two hosts and connects them. */
export async function joined(world: World): Promise<Joined> {
  const [a, b] = [world.host("a"), world.host("b")] as [SimHost, SimHost];
  const listener = await listen(`tcp://0.0.0.0:${PORT}`, { network: b.network });
  const [call, peer] = await Promise.all([connect(`tcp://b:${PORT}`, { network: a.network }), listener.accept()]);
  return { a, b, call, peer };
}

/** The code with which a call fails; `none` when it does not. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (error as ZocaloError).code,
  );
}
