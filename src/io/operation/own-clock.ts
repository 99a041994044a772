/** The time of one object that a program may unreference. */

import type { Clock, Network, Timer } from "../network/network.ts";

interface OwnTimer {
  readonly fire: () => void;
  readonly dueAt: number;
  timer: Timer;
}

/**
 * A clock whose timers keep the process alive only as long as its object is referenced: the deadline of a call is no reason
 * to stay where the socket is none. Also those that run already when the object is unreferenced.
 */
export class OwnClock implements Clock {
  readonly #base: Clock;
  #timers: Set<OwnTimer> | undefined;
  #referenced = true;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now();
  }

  defer(callback: () => void): void {
    this.#base.defer(callback);
  }

  setTimer(callback: () => void, delayMs: number, background: boolean = false): Timer {
    if (background) return this.#base.setTimer(callback, delayMs, true);
    const timers = (this.#timers ??= new Set());
    const fire = (): void => {
      timers.delete(own);
      callback();
    };
    const timer = this.#base.setTimer(fire, delayMs, !this.#referenced);
    const own: OwnTimer = { fire, dueAt: this.#base.now() + delayMs, timer };
    timers.add(own);
    return {
      cancel: () => {
        timers.delete(own);
        own.timer.cancel();
      },
    };
  }

  /** Whether its timers keep the process alive. */
  setReferenced(on: boolean): void {
    if (on === this.#referenced) return;
    this.#referenced = on;
    for (const own of this.#timers ?? []) {
      own.timer.cancel();
      own.timer = this.#base.setTimer(own.fire, Math.max(0, own.dueAt - this.#base.now()), !on);
    }
  }
}

/** A network with such a clock. */
export interface OwnNetwork extends Network {
  readonly clock: OwnClock;
}

/** Makes one. */
export function ownNetwork({ sockets, clock, random }: Network): OwnNetwork {
  return { sockets, random, clock: new OwnClock(clock) };
}

/** What ties an open object to its process: `socket.interop`, `server.interop`, `session.interop`. Its functions may be taken off. */
export interface Interop {
  /** Lets the open object keep the process alive (the default). */
  ref(this: void): void;
  /** Lets the process end although the object is open, and calls on it have a `timeoutMs` that is not over. */
  unref(this: void): void;
}

/** What ties an open object to the runtime's own one beneath it. */
export interface NativeInterop extends Interop {
  /**
   * The object beneath (`net.Socket`, `tls.TLSSocket`, `net.Server`, `dgram.Socket`), for what is not offered here. To read
   * from it, write to it or close it breaks the promises made here. Undefined in memory and in a simulated network.
   */
  readonly native: unknown;
}

/** The {@link NativeInterop} of an object with a clock of its own over a transport. */
export function transportInterop(
  clock: OwnClock,
  transport: { readonly native: unknown; setReferenced(on: boolean): void },
): NativeInterop {
  const refer = (referenced: boolean): void => {
    clock.setReferenced(referenced);
    transport.setReferenced(referenced);
  };
  return { ...interopOf(refer), native: transport.native };
}

/** The {@link NativeInterop} of a server with a clock of its own over a listener or a datagram socket. */
export function serverInterop(clock: OwnClock, beneath: NativeInterop): NativeInterop {
  const refer = (referenced: boolean): void => {
    clock.setReferenced(referenced);
    if (referenced) beneath.ref();
    else beneath.unref();
  };
  return { ...interopOf(refer), native: beneath.native };
}

/** The {@link Interop} of an object that `refer` references and unreferences. */
export function interopOf(refer: (referenced: boolean) => void): Interop {
  return { ref: () => refer(true), unref: () => refer(false) };
}
