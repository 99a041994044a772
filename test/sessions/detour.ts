/** A way to a server that a test can cut: a relay in this process, with raw sockets. */

import net from "node:net";
import { once } from "node:events";
import { atEnd } from "./opened.ts";

/** What happens to the connections of a {@link Detour}. */
export type Cut = "reset" | "fin";

/** A relay between clients and one server. */
export class Detour {
  readonly #listener: net.Server;
  readonly #pairs: Set<readonly [net.Socket, net.Socket]> = new Set();
  /** Connections that came so far. */
  accepted = 0;
  /** Refuses whoever comes: resets at once. */
  closed = false;
  /** Lets no byte pass, as a cable that was pulled. */
  silent = false;

  #port: number;
  /** What waits on its way to the clients, and the text behind which it goes on; undefined when nothing is held up. */
  #held: { readonly upTo: string; readonly chunks: Buffer[] } | undefined;
  /** Bytes that pass until the next cut, and which that is. */
  #left = Infinity;
  #how: Cut = "reset";

  private constructor(port: number) {
    this.#port = port;
    this.#listener = net.createServer((near) => {
      this.accepted += 1;
      near.on("error", () => undefined);
      if (this.closed) {
        near.resetAndDestroy();
        return;
      }
      const far = net.connect(this.#port, "127.0.0.1");
      far.on("error", () => reset(near));
      near.on("error", () => reset(far));
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.on("data", (bytes) => {
          if (this.silent) return;
          if (from === far && this.#held !== undefined) this.#hold(this.#held, bytes, to);
          else this.#pass(bytes, to);
        });
        from.on("end", () => {
          if (!this.silent) to.end();
        });
        from.on("close", () => this.#pairs.delete(pair));
      }
    });
  }

  /** Opens a detour to a port of this machine. */
  static async to(port: number): Promise<Detour> {
    const detour = new Detour(port);
    detour.#listener.listen(0, "127.0.0.1");
    await once(detour.#listener, "listening");
    atEnd(() => detour.close());
    return detour;
  }

  /** Where clients connect. */
  get address(): string {
    return `tcp://127.0.0.1:${(this.#listener.address() as net.AddressInfo).port}`;
  }

  /** Leads to another server from now on. */
  leadTo(port: number): void {
    this.#port = port;
  }

  /** Holds up what goes to the client until `text` has come, and lets all of it pass in one piece. */
  holdUpTo(text: string): void {
    this.#held = { upTo: text, chunks: [] };
  }

  #hold({ upTo, chunks }: { readonly upTo: string; readonly chunks: Buffer[] }, bytes: Buffer, to: net.Socket): void {
    chunks.push(bytes);
    const all = Buffer.concat(chunks);
    if (!all.includes(upTo)) return;
    this.#held = undefined;
    this.#pass(all, to);
  }

  /** Ends all connections, towards both sides. */
  cut(how: Cut): void {
    for (const pair of this.#pairs) {
      for (const socket of pair) {
        if (how === "reset") reset(socket);
        else socket.end();
      }
    }
  }

  /** Ends the connections towards the clients; the server learns nothing. */
  cutNear(): void {
    for (const [near, far] of this.#pairs) {
      near.removeAllListeners("error").on("error", () => undefined);
      far.removeAllListeners("data").resume();
      reset(near);
    }
  }

  /** Ends all connections when so many bytes more have passed, in either direction; the rest is lost. */
  cutBehind(bytes: number, how: Cut): void {
    this.#left = bytes;
    this.#how = how;
  }

  /** Lets no byte pass any more on the connections of now, as cables that were pulled. Those that come work. */
  silence(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.removeAllListeners("data").resume();
  }

  #pass(bytes: Buffer, to: net.Socket): void {
    to.write(bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes);
    this.#left -= bytes.length;
    if (this.#left >= 0) return;
    this.#left = Infinity;
    this.cut(this.#how);
  }

  close(): void {
    this.closed = true;
    this.cut("reset");
    this.#listener.close();
  }
}

/** Resets a socket. Node 20 would never release one whose FIN is under way, and hang at the end of the process. */
function reset(socket: net.Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
