/** Rounds of work during which nodes are killed, stopped, or sent away, or their store is killed. */

import { setTimeout } from "node:timers/promises";
import { Crowd, type CrowdPlan, type CrowdReport } from "../../src/cli/demo/crowd.ts";
import { clusterPeer } from "./peers.ts";
import { Nodes } from "./nodes.ts";
import { startStore, type Store } from "./stores.ts";

/** For so long a node is stopped: its clients notice, ask it once more, and go to another one before it wakes. */
const STOPPED_MS = 4_000;
/** A silent server is given up after two of these, and after two more where it is asked to go on: a stopped one still accepts. */
const HEARTBEAT_MS = 400;
/** A node that wakes has noticed by then that others have its sessions. */
const NOTICED_MS = 10_000;
const TICK_MS = 20;
/** For so long the store is away. */
const STORE_AWAY_MS = 500;

/** A cluster that runs. */
export interface Cluster extends AsyncDisposable {
  readonly kind: string;
  readonly store: Store;
  readonly nodes: Nodes;
}

/** Starts the store, and of so many nodes the `running` ones, or all. */
export async function startCluster(
  kind: string,
  store: string,
  count: number,
  ...running: readonly number[]
): Promise<Cluster> {
  const started = await startStore(store);
  const nodes = await Nodes.make(kind, { store, place: started.place }, count);
  const close = async (): Promise<void> => {
    await nodes[Symbol.asyncDispose]();
    await started[Symbol.asyncDispose]();
  };
  try {
    await nodes.start(...running);
  } catch (error) {
    await close();
    throw error;
  }
  return { kind, store: started, nodes, [Symbol.asyncDispose]: close };
}

/** What happens while the clients talk. `at` waits for a share of the time in which they do. */
type Trouble = (cluster: Cluster, round: number, at: (share: number) => Promise<unknown>) => Promise<void>;

/** So many nodes are killed one after the other, so that some sessions move twice, and then started again. */
const killing =
  (count: (nodes: number) => number): Trouble =>
  async ({ nodes }, round, at) => {
    const { length } = nodes.ports;
    const dying = Array.from({ length: count(length) }, (_, order) => (round + order) % length);
    for (const [order, index] of dying.entries()) {
      await at(0.25 + order * 0.15);
      await nodes.end(index, "SIGKILL");
    }
    await at(0.6);
    await nodes.start(...dying);
  };

const TROUBLES = {
  none: () => Promise.resolve(),
  /** All nodes but one are killed. */
  kill: killing((nodes) => nodes - 1),
  "kill one": killing(() => 1),
  /** A node is stopped, and wakes when its clients are elsewhere. */
  stop: async ({ nodes }, round, at) => {
    const index = round % nodes.ports.length;
    await at(0.2);
    nodes.signal(index, "SIGSTOP");
    await setTimeout(STOPPED_MS);
    nodes.signal(index, "SIGCONT");
  },
  /** The nodes that do not run are started, and then one is told to end: its clients go to the others. */
  leave: async ({ nodes }, round, at) => {
    await at(0.1);
    await nodes.start();
    await at(0.3);
    await nodes.end(round % nodes.ports.length, "SIGTERM");
  },
  /** The store is killed, and started again. */
  outage: async ({ store }, _round, at) => {
    await at(0.3);
    await store.server?.kill();
    await setTimeout(STORE_AWAY_MS);
    await store.server?.start();
  },
} satisfies Record<string, Trouble>;

/** What can happen while the clients talk. */
export type TroubleName = keyof typeof TROUBLES;

/** How much is said in a round. */
export interface RoundPlan extends Omit<CrowdPlan, "turns"> {
  /** Messages a second, of all members together. */
  readonly rate: number;
  readonly seconds: number;
}

/** What became of a round. */
export interface RoundReport extends CrowdReport {
  /** Sessions that a node gave up in this round because another one had them. */
  readonly moved: number;
  /** From the last message that was said until all was heard. */
  readonly behindMs: number;
  /** Processor time of all nodes that ran from the beginning to the end. */
  readonly nodesMs: number;
}

/** 30 members in groups of 10, each fifth message a call. */
export const GROUPS_OF_TEN = { members: 30, groupSize: 10, callEvery: 5 } as const;

/** Lets clients talk, with trouble. */
export async function playRound(
  cluster: Cluster,
  plan: RoundPlan,
  trouble: TroubleName,
  round = 0,
): Promise<RoundReport> {
  const { kind, nodes } = cluster;
  const { rate, seconds, ...who } = plan;
  const turns = Math.ceil((rate * seconds) / plan.members);
  const heartbeatMs = trouble === "stop" ? HEARTBEAT_MS : undefined;
  const before = [await nodes.ask("figures", "moved"), await nodes.ask("cpu", "ms")] as const;
  const peer = await clusterPeer(kind);
  const { ports } = nodes;
  await using crowd = await Crowd.open({ ...who, turns }, (group, owner) =>
    peer.open({ ports, group, heartbeatMs }, owner),
  );
  const sinceMs = performance.now();
  const at = (share: number): Promise<unknown> =>
    setTimeout(Math.max(0, share * seconds * 1000 - (performance.now() - sinceMs)));
  let saidMs = 0;
  const talk = async (): Promise<void> => {
    await crowd.talk(rate);
    saidMs = performance.now();
  };
  await Promise.all([talk(), TROUBLES[trouble](cluster, round, at)]);
  await crowd.heardAll();
  const behindMs = performance.now() - saidMs;
  // A node that was started meanwhile has counted from 0.
  const more = (now: readonly number[], then: readonly number[]): number =>
    now.reduce((sum, count, index) => sum + Math.max(0, count - (then[index] ?? 0)), 0);
  const movedNow = async (): Promise<number> => more(await nodes.ask("figures", "moved"), before[0]);
  // Who has just been woken reads first what had come for it.
  const untilMs = performance.now() + (trouble === "stop" ? NOTICED_MS : 0);
  while ((await movedNow()) === 0 && performance.now() < untilMs) await setTimeout(TICK_MS);
  const moved = await movedNow();
  return { ...crowd.report(), moved, behindMs, nodesMs: more(await nodes.ask("cpu", "ms"), before[1]) };
}

/** What must not be, in words; empty for a round in which nothing was lost. */
export function faultsOf(report: RoundReport): readonly string[] {
  const { lost, doubled, outOfOrder, wrong, failed, fresh } = report;
  const faults = { lost, doubled, outOfOrder, wrong, failed, fresh };
  return Object.entries(faults).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]));
}
