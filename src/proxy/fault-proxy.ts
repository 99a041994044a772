/** One proxy that runs. */

import type { Address } from "../core/address/address.ts";
import { ConnectionError } from "../core/errors.ts";
import type { FaultGuard } from "../core/faults/fault.ts";
import type { GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import { openDatagramDoor } from "./datagram-proxy.ts";
import type { DoorParts, ProxyDoor } from "./door.ts";
import { checkProxyFault, type ProxyFault } from "./fault.ts";
import { refuseLoop } from "./loop.ts";
import { changed, type ProxyPlan, type ProxyRules } from "./options.ts";
import type { FaultBoard } from "./fault-board.ts";
import type * as api from "./public.ts";
import type { ProxyBytes } from "./report.ts";
import { openStreamDoor } from "./stream-proxy.ts";

/** What a proxy needs of the others. */
export interface FaultProxyOwner {
  readonly rules: ProxyRules;
  readonly proxies: ReadonlyMap<string, api.FaultProxy>;
}

/** One proxy that runs: its door, its plan, its board of faults. */
export class FaultProxy implements api.FaultProxy {
  readonly #parts: DoorParts;
  readonly #owner: FaultProxyOwner;
  readonly #own: ReadonlySet<ProxyFault>;
  #plan: ProxyPlan;
  #door: ProxyDoor | undefined;
  #changing: Promise<void> = Promise.resolve();
  /** It was removed, or all are closed: nothing opens any more. */
  #isOver = false;

  constructor(plan: ProxyPlan, parts: DoorParts, owner: FaultProxyOwner) {
    this.#plan = plan;
    this.#parts = parts;
    this.#owner = owner;
    for (const fault of plan.faults) parts.board.inflict(fault);
    this.#own = new Set(this.faults);
  }

  get board(): FaultBoard {
    return this.#parts.board;
  }
  get name(): string {
    return this.#plan.name;
  }
  get listen(): Address {
    return this.#plan.listen;
  }
  get upstream(): Address {
    return this.#plan.upstream;
  }
  get enabled(): boolean {
    return this.#door !== undefined && !this.#isOver;
  }
  get faults(): readonly ProxyFault[] {
    return this.board.faults.map(({ fault }) => fault);
  }
  /** Those that it did not have from its start. */
  get added(): readonly ProxyFault[] {
    return this.faults.filter((fault) => !this.#own.has(fault));
  }
  get connections(): readonly api.ProxiedConnection[] {
    return this.#door?.connections ?? [];
  }

  get bytes(): ProxyBytes {
    return this.#parts.ledger.bytesOf(this.#parts.board);
  }

  inflict(fault: ProxyFault): FaultGuard {
    checkProxyFault(fault, this.upstream, "inflict");
    this.#refuseOver("inflict");
    this.board.refuseFull("inflict");
    return this.board.inflict(fault);
  }

  heal(fault: ProxyFault): boolean {
    return this.board.heal(fault);
  }

  replace(ended: readonly ProxyFault[], begun: readonly ProxyFault[]): readonly ProxyFault[] {
    for (const fault of begun) checkProxyFault(fault, this.upstream, "replace");
    this.#refuseOver("replace");
    return this.board.replace(ended, begun);
  }

  change(change: api.ProxyChange): Promise<void> {
    return this.#inTurn(() => this.#change(change));
  }

  /** Rejects with `CLOSED` when it is shut meanwhile. */
  open(): Promise<void> {
    return this.#inTurn(() => this.#open("add"));
  }

  /** Ends it for good. Its door is kept while connections finish, so that `shut` can cut them. */
  async close(options: GracefulCloseOptions): Promise<{ readonly finished: number; readonly cut: number }> {
    this.#isOver = true;
    await this.#changing;
    return (await this.#door?.close(options)) ?? { finished: 0, cut: 0 };
  }

  /** Ends it for good, and cuts its connections. What is being opened is closed when this resolves, too. */
  async shut(reason?: unknown): Promise<void> {
    this.#isOver = true;
    await this.#takeDoor()?.abort(reason);
    await this.#changing;
  }

  #takeDoor(): ProxyDoor | undefined {
    const door = this.#door;
    this.#door = undefined;
    return door;
  }

  /** One change after the other. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const made = this.#changing.then(act);
    this.#changing = made.catch(() => undefined);
    return made;
  }

  async #open(op: string): Promise<void> {
    this.#refuseOver(op);
    const { listen, upstream } = this.#plan;
    const open = upstream.transport === "udp" ? openDatagramDoor : openStreamDoor;
    const door = await open(listen, upstream, this.#parts);
    // The port stays the same when it is disabled for a while.
    const plan = { ...this.#plan, listen: door.localAddress };
    try {
      // It may have been shut while the door opened, and the system may have chosen a port that leads back.
      this.#refuseOver(op);
      refuseLoop(plan, this.#owner.proxies.values(), op);
    } catch (error) {
      await door.abort(error);
      throw error;
    }
    this.#door = door;
    this.#plan = plan;
  }

  async #change(change: api.ProxyChange): Promise<void> {
    this.#refuseOver("change");
    const next = changed(this.#plan, change, this.#owner.rules.expose, "change");
    refuseLoop(next, this.#owner.proxies.values(), "change");
    const same = next.listen.equals(this.listen) && next.upstream.equals(this.upstream);
    if (same && next.enabled === this.enabled) return;
    await this.#takeDoor()?.abort(new Error("the proxy was changed"));
    const before = this.#plan;
    this.#plan = next;
    if (!next.enabled) return;
    try {
      await this.#open("change");
    } catch (error) {
      this.#plan = before;
      throw error;
    }
  }

  #refuseOver(op: string): void {
    if (this.#isOver)
      throw new ConnectionError("CLOSED", { op, detail: `the proxy ${this.name} is closed or removed` });
  }
}
