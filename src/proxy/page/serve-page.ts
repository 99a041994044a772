/** The page on which people see what passes through proxies, and break it. */

import { openPort } from "../../http/open-port.ts";
import { answerPage } from "../../http/page.ts";
import { httpServer } from "../../http/server.ts";
import { nodeNetwork } from "../../node/network.ts";
import type { FaultProxies } from "../public.ts";
import { Feed } from "./feed.ts";
import { Recorder } from "./recorder.ts";
import { answerTo, type Served } from "./routes.ts";
import { Rows } from "./rows.ts";

/** Options of {@link servePage}. */
export interface ServePageOptions {
  /** The port on 127.0.0.1. Default 0: a free one. */
  readonly port?: number | undefined;
}

/** The page, while it is served. */
export interface ServedPage {
  /** Where, with the token without which nothing is answered. Whoever has it sees what passes, and can break it. */
  readonly url: string;
  /** Ends it. The proxies stay, and so do the faults that were begun on it. */
  close(): Promise<void>;
}

/**
 * Serves a page for proxies that run: what passes through them, and a way to begin and end faults by hand. It listens on 127.0.0.1
 * alone and answers only who has the token of its address; a page of another origin is refused. `zocalo proxy` does it by itself. It
 * costs nothing while nobody has it open.
 *
 * Rejects as `listen` does: `ADDRESS_IN_USE`, `PERMISSION_DENIED`.
 *
 * @param running - The proxies; the page begins and ends faults in them.
 * @param options - Where to listen.
 *
 * @example
 * ```ts
 * import { servePage, startProxy } from "zocalo/proxy";
 * await using running = await startProxy({ seed: 7 });
 * const page = await servePage(running);
 * console.log((await fetch(page.url)).status); // 200
 * await page.close();
 * ```
 */
export async function servePage(running: FaultProxies, { port = 0 }: ServePageOptions = {}): Promise<ServedPage> {
  const recorder = new Recorder(running);
  const rows = new Rows(running, recorder);
  const feed = new Feed(running, rows, nodeNetwork.clock);
  const served: Served = { running, rows, feed, recorder };
  const opened = await openPort({ op: "servePage", port, token: true }, (door) =>
    httpServer(door, async (question, response) => {
      if (!answerPage("proxy", question, response)) await answerTo(served, question, response);
    }),
  );
  return {
    url: opened.url,
    async close() {
      recorder.stop();
      await opened.close();
    },
  };
}
