/** The cluster of the demo: servers in processes of their own that are killed while clients talk. */

import { setTimeout as delay } from "node:timers/promises";
import { Crowd, type CrowdReport } from "./crowd.ts";
import type { StorePlace } from "./demo-store.ts";
import type { ClusterProgram } from "./other-program.ts";
import { openPlaza } from "./plaza.ts";
import { RoleProcess } from "./process.ts";
import type { NodeCalls } from "./roles.ts";

/** Three groups of ten clients, of which each fifth message is a call that counts. */
const CROWD = { members: 30, groupSize: 10, callEvery: 5 } as const;
/** Of all clients together. */
const MESSAGES_A_SECOND = 300;
/** Between two deaths, at most; a server is started again after half of it. */
const PERIOD_MS = 2_000;

/** What happens to a server. */
export interface NodeEvent {
  /** Since the clients began to talk. */
  readonly atMs: number;
  /** Its place in the list of servers. */
  readonly node: number;
  readonly pid: number;
  readonly what: "killed" | "back";
  /** How many clients it had. */
  readonly clients?: number;
}

/** One server: a process, and where it listens, also after it was started again. */
interface Node {
  process: RoleProcess;
  address: string;
}

/** Sessions of Zócalo, kept in a store. */
export function plazaIn({ kind, place }: StorePlace): ClusterProgram {
  return {
    role: "node",
    address: () => Promise.resolve("tcp://127.0.0.1:0"),
    serve: (address): Parameters<NodeCalls["serve"]>[0] => ({ address, store: { kind, place } }),
    open: (addresses, group, owner) => openPlaza(addresses, group, owner),
  };
}

/** Servers, and clients that talk. */
export class ClusterRun {
  readonly #nodes: Node[] = [];
  readonly #program: ClusterProgram;

  constructor(program: ClusterProgram) {
    this.#program = program;
  }

  /** Starts so many servers. */
  async start(count: number): Promise<void> {
    for (let started = 0; started < count; started += 1)
      this.#nodes.push({ process: new RoleProcess(this.#program.role), address: await this.#program.address() });
    await Promise.all(this.#nodes.map((node) => this.#serve(node)));
  }

  /** Where the servers are, and their processes. */
  get servers(): readonly { readonly address: string; readonly pid: number }[] {
    return this.#nodes.map(({ address, process }) => ({ address, pid: process.pid }));
  }

  /** Lets clients talk for so long, and kills servers meanwhile; all run again when they have nothing more to say. */
  async play(forMs: number, told: (event: NodeEvent) => Promise<void>): Promise<CrowdReport> {
    const turns = Math.max(1, Math.ceil((MESSAGES_A_SECOND * forMs) / 1000 / CROWD.members));
    const addresses = this.#nodes.map(({ address }) => address);
    await using crowd = await Crowd.open({ ...CROWD, turns }, (group, owner) =>
      this.#program.open(addresses, group, owner),
    );
    const sinceMs = performance.now();
    const talking = crowd.talk(MESSAGES_A_SECOND);
    const periodMs = Math.min(PERIOD_MS, forMs);
    for (let round = 0; (round + 1) * periodMs <= forMs; round += 1) {
      await delay((round + 0.5) * periodMs - (performance.now() - sinceMs));
      await this.#killOne(round % this.#nodes.length, periodMs / 2, (event) =>
        told({ atMs: performance.now() - sinceMs, ...event }),
      );
    }
    await talking;
    await crowd.heardAll();
    return crowd.report();
  }

  async #killOne(node: number, goneMs: number, told: (event: Omit<NodeEvent, "atMs">) => Promise<void>): Promise<void> {
    const dying = this.#nodes[node] as Node;
    const clients = await dying.process.call<number>("clients");
    const { pid } = dying.process;
    await dying.process.kill();
    await told({ node, pid, what: "killed", clients });
    await delay(goneMs);
    dying.process = new RoleProcess(this.#program.role);
    await this.#serve(dying);
    await told({ node, pid: dying.process.pid, what: "back" });
  }

  async #serve(node: Node): Promise<void> {
    node.address = await node.process.call<string>("serve", this.#program.serve(node.address));
  }

  /** Ends all servers. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map(({ process }) => process.kill()));
  }
}
