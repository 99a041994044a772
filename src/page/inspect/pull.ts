/** Asks the program once a second for what is on the screen, and for nothing while nobody sees the page. */

import { useEffect, useState } from "preact/hooks";
import { ask, Refused } from "../shell/ask.ts";
import type { LinkState } from "../shell/listen.ts";
import { useVisible } from "../shell/visible.ts";

const PULL_MS = 1000;
/** After so many questions without an answer the program is taken for ended; the page goes on asking. */
const MOST_FAILURES = 5;

/** What has come. */
export interface Pulled<T> {
  readonly link: LinkState;
  /** The last answer; undefined before the first one. It stays while no other comes. */
  readonly answer: T | undefined;
  /** When it came, in the milliseconds of the page. */
  readonly atMs: number;
  /** What the program says where it has no such thing. */
  readonly refusal: string | undefined;
}

const NOTHING = { link: "lost", answer: undefined, atMs: 0, refusal: undefined } as const;

/** The answers to some paths, by the same names. */
export function usePulled<T extends Readonly<Record<string, unknown>>>(
  paths: Readonly<Record<keyof T & string, string>>,
): Pulled<T> {
  const key = JSON.stringify(paths);
  const isVisible = useVisible();
  const [pulled, setPulled] = useState<Pulled<T> & { readonly key: string }>({ ...NOTHING, key });
  useEffect(() => {
    if (!isVisible) return undefined;
    return pull<T>(JSON.parse(key) as Record<string, string>, (next) => setPulled({ ...next, key }));
  }, [key, isVisible]);
  // What was asked for before is not what is shown now.
  return pulled.key === key ? pulled : { ...NOTHING, link: pulled.link };
}

/** Asks until the answer is called. */
function pull<T>(paths: Readonly<Record<string, string>>, told: (pulled: Pulled<T>) => void): () => void {
  let last: Pulled<T> = NOTHING;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const look = async (): Promise<void> => {
    const next = await answerOf<T>(paths, last);
    if (isOver) return;
    failures = next.link === "open" ? 0 : failures + 1;
    last = failures >= MOST_FAILURES ? { ...next, link: "over" } : next;
    told(last);
    timer = setTimeout(() => void look(), PULL_MS);
  };
  void look();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

async function answerOf<T>(paths: Readonly<Record<string, string>>, last: Pulled<T>): Promise<Pulled<T>> {
  const asked = Object.entries(paths).map(async ([name, path]) => [name, await ask("GET", path)] as const);
  try {
    const answer = Object.fromEntries(await Promise.all(asked)) as T;
    return { link: "open", answer, atMs: performance.now(), refusal: undefined };
  } catch (error) {
    if (error instanceof Refused) return { ...last, link: "open", refusal: error.message };
    return { ...last, link: "lost" };
  }
}
