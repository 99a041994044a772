/** The threads of a hunt: each runs a few seeds at a time; one that hangs is replaced. */

import { Worker } from "node:worker_threads";
import type { ExplorationSummary } from "../../sim.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";

/**
 * The time of a seed is counted in so many steps: a process that was stopped, or has no processor, takes one step then, and not its
 * own delay for a seed that hangs.
 */
const TICKS = 20;
/** A worker may take so many times that of a seed to begin. */
const TIMES_TO_LOAD = 10;

/** Seeds that a worker gets at a time. */
const SEEDS_AT_A_TIME = 8;

/** A run as the hunt sees it. */
export type HuntRun = Extract<HuntNews, { readonly kind: "run" }>["summary"];

/** What a hunt asks of its workers. */
export interface HuntPlan {
  readonly task: HuntTask;
  readonly firstSeed: number;
  readonly seeds: number;
  readonly workers: number;
  /** Real time that a seed may take before its worker counts as hanging. */
  readonly seedTimeoutMs: number;
  /** No seeds are given out any more, and workers end, when this aborts. */
  readonly stop: AbortSignal;
  /** Told of every run; true ends the hunt. */
  readonly onRun: (run: HuntRun) => boolean;
  /** Told of a seed that hangs. */
  readonly onHang: (seed: number) => void;
}

/** Runs all seeds of a plan. Rejects when a worker cannot work at all. */
export async function huntWithWorkers(plan: HuntPlan): Promise<void> {
  const hunt = new Hunt(plan);
  const lanes = Array.from({ length: Math.min(plan.workers, plan.seeds) }, () => hunt.lane());
  await Promise.all(lanes);
}

class Hunt {
  readonly #plan: HuntPlan;
  #next: number;
  #over = false;
  readonly #workers: Set<Worker> = new Set();

  constructor(plan: HuntPlan) {
    this.#plan = plan;
    this.#next = plan.firstSeed;
    if (plan.stop.aborted) this.#end();
    plan.stop.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** One worker after the other, as long as there are seeds. */
  async lane(): Promise<void> {
    let rest: HuntOrder | undefined;
    do rest = await this.#work(rest ?? this.#take());
    while (rest !== undefined);
  }

  #end(): void {
    this.#over = true;
    for (const worker of this.#workers) void worker.terminate();
  }

  #take(): HuntOrder | undefined {
    const { firstSeed, seeds } = this.#plan;
    const from = this.#next;
    const to = Math.min(from + SEEDS_AT_A_TIME, firstSeed + seeds);
    if (this.#over || from >= to) return undefined;
    this.#next = to;
    return { from, to };
  }

  /** A worker from its start to its end; the answer is what is left of its order when it hung. */
  #work(first: HuntOrder | undefined): Promise<HuntOrder | undefined> {
    if (first === undefined) return Promise.resolve(undefined);
    const { task, seedTimeoutMs, onHang } = this.#plan;
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./hunt-worker.js", import.meta.url), { workerData: task });
      this.#workers.add(worker);
      let order = first;
      let left: HuntOrder | undefined;
      const hang = (): void => {
        onHang(order.from);
        if (order.from + 1 < order.to) left = { from: order.from + 1, to: order.to };
        else left = this.#take();
        void worker.terminate();
      };
      let ticks = TICKS * TIMES_TO_LOAD;
      const timer = setInterval(() => {
        ticks -= 1;
        if (ticks === 0) hang();
      }, seedTimeoutMs / TICKS);
      const end = (): void => {
        clearInterval(timer);
        this.#workers.delete(worker);
        resolve(left);
      };
      worker.on("message", (news: HuntNews) => {
        ticks = TICKS;
        if (news.kind === "run") {
          order = { ...order, from: news.summary.seed + 1 };
          if (!this.#over && this.#plan.onRun(news.summary)) this.#end();
        } else if (news.kind === "broken") {
          const { code, detail } = news;
          reject(code === "OPTION_INVALID" ? wrongUsage(detail) : new CommandFailure(code, detail));
          this.#end();
        } else if (news.kind === "done") {
          const next = this.#take();
          if (next === undefined) void worker.terminate();
          else worker.postMessage((order = next), []);
        }
      });
      worker.on("error", (error) => {
        reject(error);
        this.#end();
      });
      worker.on("exit", end);
      worker.postMessage(order, []);
    });
  }
}

/** What a worker gets when it starts. */
export interface HuntTask {
  readonly file: string;
  readonly exportName: string;
}

/** From the master: run these seeds, the end excluded. */
export interface HuntOrder {
  readonly from: number;
  readonly to: number;
}

/** From a worker: its file is loaded, a run is over, the order is done, or the worker cannot work. */
export type HuntNews =
  | { readonly kind: "loaded" }
  | { readonly kind: "run"; readonly summary: ExplorationSummary }
  | { readonly kind: "done" }
  | { readonly kind: "broken"; readonly code: string; readonly detail: string };
