/** The nodes of a cluster, each in a process of its own, on a port that it keeps when it is started again. */

import { freePort } from "../../test/fixtures/programs.ts";
import { type Figures, type Player, start } from "../harness/processes.ts";
import type { NodePlace } from "./peer.ts";

const NODE = new URL("./node.js", import.meta.url).href;
/** Where the nodes keep their sessions. */
export type Kept = Pick<NodePlace, "store" | "place">;

/** Nodes of one kind. */
export class Nodes {
  readonly ports: readonly number[];
  readonly #kind: string;
  readonly #kept: Kept;
  readonly #players: (Player | undefined)[];

  private constructor(kind: string, kept: Kept, ports: readonly number[]) {
    this.#kind = kind;
    this.#kept = kept;
    this.ports = ports;
    this.#players = ports.map(() => undefined);
  }

  /** Finds ports; no node runs yet. */
  static async make(kind: string, kept: Kept, count: number): Promise<Nodes> {
    const ports: number[] = [];
    while (ports.length < count) {
      const port = await freePort();
      if (!ports.includes(port)) ports.push(port);
    }
    return new Nodes(kind, kept, ports);
  }

  /** Starts some nodes, or all that do not run; resolves when they take clients. */
  async start(...which: readonly number[]): Promise<void> {
    const all = Array.from(this.ports.keys()).filter((index) => this.#players[index] === undefined);
    await Promise.all(
      (which.length === 0 ? all : which).map(async (index) => {
        const place: NodePlace = { ...this.#kept, port: this.ports[index] as number };
        const player = start(NODE, "node", this.#kind, JSON.stringify(place));
        this.#players[index] = player;
        await player.ask("serve");
      }),
    );
  }

  /** Sends a node a signal. */
  signal(index: number, name: NodeJS.Signals): void {
    this.#players[index]?.signal(name);
  }

  /** Ends a node with a signal, and waits for the end of its process. */
  async end(index: number, name: NodeJS.Signals): Promise<void> {
    const player = this.#players[index];
    this.#players[index] = undefined;
    player?.signal(name);
    await player?.ended;
  }

  /** A figure of each node that runs, in the order of the ports; 0 for those that do not. */
  async ask(command: string, name: string): Promise<readonly number[]> {
    const asked = this.#players.map(async (player): Promise<Figures> => (await player?.ask(command)) ?? {});
    return (await Promise.all(asked)).map((figures) => figures[name] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.ports.map((_, index) => this.end(index, "SIGKILL")));
  }
}
