/** What the handlers of a server do, counted by their methods. */

import { type Contract, type Methods, methodNames } from "../../core/contract/contract.ts";
import { counter, histogramSamples, type MetricFamily } from "../../core/open-metrics.ts";
import { isThenable } from "../operation/handled-rejection.ts";
import { ofHandler } from "./error-body.ts";

/** Upper bounds of the buckets of durations, in seconds: from what a handler without I/O takes to what nobody waits for. */
const BOUNDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Codes that are told apart of one method: a program chooses them, and must not fill the memory by it. */
const MAX_CODES = 32;
const OTHER_CODES = "OTHER";

/** Names what a server serves. */
export function serverFamily({ name, version }: Contract): MetricFamily {
  const help = "The contract that is served";
  return { name: "zocalo_server", type: "info", help, samples: [{ labels: { contract: name, version }, value: 1 }] };
}

/** The figures of one method. */
class MethodFigures {
  readonly labels: Readonly<Record<string, string>>;
  readonly isCall: boolean;
  running = 0;
  readonly codes: Map<string, number> = new Map();
  readonly buckets: Float64Array = new Float64Array(BOUNDS.length + 1);
  seconds = 0;

  constructor(method: string, kind: string) {
    this.labels = { method, kind };
    this.isCall = kind === "call";
  }

  finished(code: string, seconds: number): void {
    this.running -= 1;
    const known = this.codes.has(code) || this.codes.size < MAX_CODES ? code : OTHER_CODES;
    this.codes.set(known, (this.codes.get(known) ?? 0) + 1);
    const found = BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = found === -1 ? BOUNDS.length : found;
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1;
    this.seconds += seconds;
  }
}

/** Counts handlers, and how long they take. */
export class CallMetrics {
  readonly #now: () => number;
  readonly #methods: ReadonlyMap<string, MethodFigures>;
  /** Messages of peers that make no sense. */
  #invalid = 0;

  /** @param now - In milliseconds. */
  constructor(offered: Methods, now: () => number) {
    this.#now = now;
    this.#methods = new Map(
      methodNames(offered).map((name) => [name, new MethodFigures(name, offered[name]?.kind ?? "")] as const),
    );
  }

  /** A message came that makes no sense. */
  invalid(): void {
    this.#invalid += 1;
  }

  /** Runs a handler. Answers what it answers, and throws what it throws. */
  measure(method: string, run: () => unknown): unknown {
    const figures = this.#methods.get(method) as MethodFigures;
    const startedAt = this.#now();
    const finish = (code: string): void => figures.finished(code, (this.#now() - startedAt) / 1000);
    const fail = (error: unknown): never => {
      finish(ofHandler(error).code);
      throw error;
    };
    figures.running += 1;
    let answer: unknown;
    try {
      answer = run();
    } catch (error) {
      return fail(error);
    }
    if (!isThenable(answer)) {
      finish("OK");
      return answer;
    }
    return Promise.resolve(answer).then((value) => {
      finish("OK");
      return value;
    }, fail);
  }

  /** The figures of now. */
  families(): readonly MetricFamily[] {
    const methods = [...this.#methods.values()];
    return [
      {
        name: "zocalo_calls",
        type: "counter",
        help: "Calls, events and streams whose handlers came to their end, by code: OK, or that of the error",
        samples: methods.flatMap(({ labels, codes }) =>
          [...codes].map(([code, value]) => ({ labels: { ...labels, code }, value })),
        ),
      },
      {
        name: "zocalo_calls_running",
        type: "gauge",
        help: "Handlers that run now",
        samples: methods.map(({ labels, running }) => ({ labels, value: running })),
      },
      {
        name: "zocalo_call_duration_seconds",
        type: "histogram",
        help: "How long the handlers of calls took",
        samples: methods
          .filter(({ isCall }) => isCall)
          .flatMap(({ labels: { method = "" }, buckets, seconds }) =>
            histogramSamples({ method }, BOUNDS, buckets, seconds),
          ),
      },
      counter(
        "zocalo_invalid_messages",
        "Messages of peers that make no sense: of no method, or not what the schema says",
        this.#invalid,
      ),
    ];
  }
}
