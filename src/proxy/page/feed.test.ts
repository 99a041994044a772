import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventStream } from "../../http/answer.ts";
import type { Clock } from "../../io/network/network.ts";
import type { FaultProxies } from "../public.ts";
import { Feed } from "./feed.ts";
import { Recorder } from "./recorder.ts";
import { Rows } from "./rows.ts";
import type { PageMessage } from "./wire.ts";

/** A feed without proxies, whose time goes on when it is told to. */
class Scene {
  readonly feed: Feed;
  /** How often the state was looked at. */
  looks = 0;
  watchers = 0;
  #turn: (() => void) | undefined;

  constructor() {
    const watch = (): (() => void) => {
      this.watchers += 1;
      return () => void (this.watchers -= 1);
    };
    const running = { seed: 1, proxies: new Map(), plays: [], watch } as unknown as FaultProxies;
    const rows = new Rows(running, new Recorder(running));
    const state = rows.state.bind(rows);
    rows.state = () => {
      this.looks += 1;
      return state();
    };
    const clock: Pick<Clock, "now" | "setTimer"> = {
      now: () => 0,
      setTimer: (turn) => {
        this.#turn = turn;
        return { cancel: () => (this.#turn = undefined) };
      },
    };
    this.feed = new Feed(running, rows, clock as Clock);
  }

  /** Every fifth turn is one. */
  pulses(count: number): void {
    for (let turn = 0; turn < 5 * count; turn += 1) this.#turn?.();
  }

  reader(): Reader {
    const reader = new Reader();
    reader.left = this.feed.add(reader, undefined);
    return reader;
  }
}

class Reader implements EventStream {
  isFull = false;
  heard: string[] = [];
  left = (): void => undefined;

  send(row: unknown): void {
    this.heard.push((row as PageMessage).type);
  }
  end(): void {
    this.left();
  }
}

test("a reader is sent the state once, and nothing is gathered while nobody reads", () => {
  const scene = new Scene();
  const [one, other] = [scene.reader(), scene.reader()];
  scene.pulses(3);
  assert.deepEqual(one.heard, ["pulse", "state", "pulse", "pulse", "pulse"]);
  assert.equal(scene.looks, 5);
  one.isFull = true;
  scene.pulses(1);
  assert.deepEqual([one.heard.length, other.heard.length], [5, 6]);
  other.isFull = true;
  scene.pulses(10);
  assert.equal(scene.looks, 6);
  one.left();
  other.left();
  assert.equal(scene.watchers, 0);
  scene.pulses(10);
  assert.equal(scene.looks, 6);
});

test("a reader that hangs loses its place, and one that is late does not", () => {
  const scene = new Scene();
  const readers = Array.from({ length: 16 }, () => scene.reader());
  assert.equal(scene.feed.isFull, true);
  const [hangs, late] = readers;
  assert.ok(hangs !== undefined && late !== undefined);
  hangs.isFull = true;
  for (let times = 0; times < 5; times += 1) {
    late.isFull = true;
    scene.pulses(30);
    assert.equal(scene.feed.isFull, times < 3);
    late.isFull = false;
    late.heard = [];
    scene.pulses(1);
    assert.deepEqual(late.heard, ["pulse"]);
  }
});
