/**
 * What happens to sockets, as events of `node:diagnostics_channel`. Publishing costs nothing while nobody listens.
 *
 * | channel | when | message |
 * |---|---|---|
 * | `zocalo:open` | a connection, a listener or a datagram socket is open | {@link DiagnosticEvent} |
 * | `zocalo:close` | it is closed | with `how` |
 * | `zocalo:error` | something failed and nobody awaited it | with `error` |
 * | `zocalo:refusal` | a limit or a list turned a peer away, or a full receive queue began to drop | with `reason` |
 */

import { type Channel, channel, subscribe, unsubscribe } from "node:diagnostics_channel";

/** The message of every channel. */
export interface DiagnosticEvent {
  /** What the event is about. */
  readonly kind: "stream" | "listener" | "datagram";
  /** The own address, as text. */
  readonly local: string | undefined;
  /** The peer's address, as text. */
  readonly remote: string | undefined;
  /** On `zocalo:close`: how it ended. */
  readonly how?: string | undefined;
  /** On `zocalo:error`, and on `zocalo:close` after a failure. */
  readonly error?: unknown;
  /** On `zocalo:refusal`: the limit or list that said no. */
  readonly reason?: string | undefined;
}

const channels: Readonly<Record<"open" | "close" | "error" | "refusal", Channel>> = {
  open: channel("zocalo:open"),
  close: channel("zocalo:close"),
  error: channel("zocalo:error"),
  refusal: channel("zocalo:refusal"),
};

/** The channels, by what they tell: the part of their names behind `zocalo:`. */
export const DIAGNOSTIC_CHANNELS: readonly string[] = Object.keys(channels);

/** Publishes an event if anyone listens; `event` is only then called. What opens or closes is `object`. */
export function publish(name: keyof typeof channels, event: () => DiagnosticEvent, object?: object): void {
  const target = channels[name];
  if (target.hasSubscribers) target.publish(event());
  if (object !== undefined) listChange(object, name === "open");
}

/** An object that is there now, or not any more: what the inspector makes its list of. Not public, as the object is the program's. */
export interface ListChange {
  readonly object: object;
  readonly isOpen: boolean;
}

const LIST_CHANNEL = "zocalo:list";
const list: Channel = channel(LIST_CHANNEL);

/** Tells whoever keeps a list of what is open; costs a look while nobody does. */
export function listChange(object: object, isOpen: boolean): void {
  if (list.hasSubscribers) list.publish({ object, isOpen } satisfies ListChange);
}

/** Keeps a list from now on; answers how to stop. */
export function watchList(told: (change: ListChange) => void): () => void {
  const listener = (message: unknown): void => told(message as ListChange);
  subscribe(LIST_CHANNEL, listener);
  return () => void unsubscribe(LIST_CHANNEL, listener);
}
