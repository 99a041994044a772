/** What the parts of the datagram suite share: where a test happens, and ways to wait without sleeping. */

import assert from "node:assert/strict";
import { bindOver } from "../../io/datagram/bind.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import type { BindOptions } from "../../io/datagram/settings.ts";
import type { Network, Sockets } from "../../io/network/network.ts";
import { signal } from "../stream/check.ts";

/** What a network can do for datagrams on one machine. What is left out is not tested. */
export interface DatagramTraits {
  /** ICMP port unreachable reaches a connected datagram socket. */
  readonly refusals: boolean;
  /** The policy `block` works: datagrams can be left with the network. */
  readonly pauses: boolean;
  /** A name that has the host's address. */
  readonly name?: string | undefined;
  /** A multicast group that reaches this machine, as an address with port 0: `udp://239.1.2.3:0?interface=lo`. */
  readonly group?: string | undefined;
  /** A broadcast address that reaches this machine, and the host to bind to receive it. */
  readonly broadcast?: { readonly to: string; readonly at: string } | undefined;
}

/** A network to put through the suite. */
export interface DatagramWorld {
  /** The host that datagram sockets bind, as it stands in an address: `127.0.0.1`, `[::1]`. */
  readonly host: string;
  /** What the network can do. */
  readonly traits: DatagramTraits;
  /** Runs one test on a network. A simulator makes a fresh one and moves its time here; it may run the test twice. */
  run(body: (network: Network) => Promise<void>): Promise<void>;
}

/** One test in its world. */
export interface DatagramScene {
  readonly network: Network;
  readonly traits: DatagramTraits;
  /** The host, without brackets. */
  readonly host: string;
  /** The address to bind: the host and port 0. */
  readonly local: string;
  /** Opens a datagram socket on the host; it is closed after the test. */
  readonly open: (options?: BindOptions, network?: Network) => Promise<DatagramSocket>;
  /** Opens one at another address. */
  readonly openAt: (address: string, options?: BindOptions) => Promise<DatagramSocket>;
  /** Resolves when the condition holds; the test's own time-out bounds it. */
  readonly until: (condition: () => boolean) => Promise<void>;
  /** Lets the network deliver everything that was sent before, as far as the test can know: some turns. */
  readonly settle: () => Promise<void>;
}

/** Tests by their titles. */
export type DatagramChecks = Readonly<Record<string, (scene: DatagramScene) => Promise<void>>>;

const POLL_MS = 1;
const SETTLE_POLLS = 5;

/** Runs one test, and closes what it opened. */
export async function inWorld(world: DatagramWorld, body: (scene: DatagramScene) => Promise<void>): Promise<void> {
  await world.run(async (network) => {
    const opened: DatagramSocket[] = [];
    const local = `udp://${world.host}:0`;
    const openAt = async (address: string, options?: BindOptions, over = network): Promise<DatagramSocket> => {
      const datagramSocket = await bindOver(over, address, options);
      opened.push(datagramSocket);
      return datagramSocket;
    };
    const poll = (): Promise<void> => new Promise((resolve) => void network.clock.setTimer(resolve, POLL_MS));
    const scene: DatagramScene = {
      network,
      traits: world.traits,
      host: world.host.replace(/[[\]]/g, ""),
      local,
      open: (options, over) => openAt(local, options, over),
      openAt,
      until: async (condition) => {
        while (!condition()) await poll();
      },
      settle: async () => {
        for (let count = 0; count < SETTLE_POLLS; count += 1) await poll();
      },
    };
    try {
      await body(scene);
    } finally {
      for (const datagramSocket of opened) await datagramSocket.close({ lingerMs: 0 }).catch(() => undefined);
    }
  });
}

/** The same network with another name service. */
export function withNames(network: Network, resolve: Sockets["resolve"]): Network {
  const { sockets } = network;
  return {
    clock: network.clock,
    random: network.random,
    sockets: {
      resolve,
      connect: (target, options) => sockets.connect(target, options),
      listen: (local, options) => sockets.listen(local, options),
      bind: (local, options) => sockets.bind(local, options),
      checkTls: (options, context, path) => sockets.checkTls(options, context, path),
    },
  };
}

/** The network of a scene, whose names are answered when the test says so. */
export function slowNames({ network }: DatagramScene): {
  readonly names: Network;
  readonly answer: (addresses: readonly string[]) => void;
} {
  const { promise, resolve } = signal<readonly string[]>();
  return { names: withNames(network, () => promise), answer: resolve };
}

/** The texts of datagrams. */
export function texts(datagrams: readonly { readonly data: Buffer }[]): string[] {
  return datagrams.map(({ data }) => data.toString());
}

/** Takes `count` datagrams, however they come, in their order. */
export async function take(datagramSocket: DatagramSocket, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) taken.push(...texts(await datagramSocket.receiveMany(count - taken.length)));
  return taken;
}

/** Fails unless what one sends now is the next that the other receives, or that it receives itself. */
export async function arrivesNext(sender: DatagramSocket, receiver: DatagramSocket = sender): Promise<void> {
  await sender.send("goes on", receiver.localAddress);
  assert.deepEqual(await take(receiver, 1), ["goes on"]);
}

/** `first` to `first + count - 1`, as texts. */
export function numbers(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(first + index));
}

/** Sends to a datagram socket that nobody reads, until all has arrived there. */
export async function fill(scene: DatagramScene, box: DatagramSocket, payloads: readonly string[]): Promise<void> {
  const before = box.stats.datagramsReceived;
  await box.sendMany(payloads.map((data) => ({ data, to: box.localAddress })));
  await scene.until(() => box.stats.datagramsReceived === before + payloads.length);
}
