/** What a client is asked for and cannot send yet: it waits for the next session, or until the session of now is ready. */

import { ZocaloError } from "../../../core/errors.ts";
import type { OperationOptions } from "../../operation/deadline.ts";
import type { LostMessage } from "../end.ts";
import type { ClosingTime } from "../endpoint/ending.ts";
import type { SessionEndpoint } from "../endpoint/endpoint.ts";
import { SessionGap } from "../gap.ts";
import type { EndpointSettings } from "../settings.ts";
import { Opening } from "./opening.ts";
import { type Failure, Readiness } from "./readiness.ts";

/** What it needs of its owner, the client. */
export interface WaitingOwner {
  /** Whether another session follows the one of now. */
  isFollowed(endpoint: SessionEndpoint): boolean;
  /** Tells the program of an error that nobody awaits. */
  report(error: unknown): void;
}

/** The calls and events of one client that wait, and for what. */
export class ClientWaiting {
  /** Who awaits the first session. */
  readonly opening: Opening;
  readonly #settings: EndpointSettings;
  readonly #owner: WaitingOwner;
  #gap: SessionGap | undefined;
  /** What makes the session of now ready; undefined once it is. */
  #readiness: Readiness | undefined;

  constructor(settings: EndpointSettings, owner: WaitingOwner, options: OperationOptions) {
    this.#settings = settings;
    this.#owner = owner;
    this.opening = new Opening(settings.clock, options);
  }

  /** Where something waits from now on. */
  get gap(): SessionGap {
    return (this.#gap ??= new SessionGap(this.#settings));
  }

  /** A session has begun: what waits is sent when `onReady` is done with it. */
  begin(endpoint: SessionEndpoint, onReady: (() => unknown) | undefined): void {
    const { clock, callMs } = this.#settings;
    this.#readiness?.abandon();
    this.#readiness = undefined;
    if (onReady === undefined) {
      this.#done(endpoint, undefined, undefined);
      return;
    }
    const readiness = new Readiness(this.gap, clock, callMs, (failure) => this.#done(endpoint, readiness, failure));
    this.#readiness = endpoint.gate = readiness;
    readiness.begin(onReady);
  }

  /** The connection is lost. */
  detached(): void {
    this.#readiness?.detached();
  }

  /** There is another connection. */
  resumed(): void {
    this.#readiness?.resumed();
  }

  /** The program closes the session. Resolves when nothing waits any more; undefined when nothing does, or there is no time. */
  close(time: ClosingTime): Promise<void> | undefined {
    // What makes the session ready must not wait for that.
    if (this.#readiness?.isInside === true) this.#readiness.end();
    return time.isExpired ? undefined : this.#gap?.emptied;
  }

  /** No session follows. Answers the events that nobody awaits. */
  over(reasonOf: (op: string) => ZocaloError): readonly LostMessage[] {
    this.#readiness?.abandon();
    this.opening.reject(reasonOf("connectSession"));
    return this.#gap?.close(reasonOf) ?? [];
  }

  #done(endpoint: SessionEndpoint, readiness: Readiness | undefined, failure: Failure): void {
    const isNow = this.#readiness === readiness;
    const isFollowed = this.#owner.isFollowed(endpoint);
    if (failure === undefined) {
      if (isNow) this.opening.resolve();
    } else if ((isFollowed || endpoint.isOver) && failure.reason instanceof ZocaloError) {
      // `onReady` is called again for the next session, or the end of this one is told.
    } else if (!isNow || !this.opening.reject(failure.reason)) this.#owner.report(failure.reason);
    if (!isNow) return;
    this.#readiness = endpoint.gate = undefined;
    if (isFollowed) return;
    const gap = this.#gap;
    this.#gap = undefined;
    gap?.open(endpoint);
  }
}
