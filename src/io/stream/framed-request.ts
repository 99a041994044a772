/** What the calls that receive want of the inbound half of a framed connection. */

import type { OnFrame } from "../../core/framing/codec.ts";
import type { DONE } from "../operation/iteration.ts";

/** What a call wants; one object for all steps of a loop, by which they are withdrawn. */
export interface MessageRequest {
  readonly op: string;
  /** The next message, the messages of one arrival, or all to the end for a handler. */
  readonly takes: "one" | "batch" | "all";
  /** What it gets at the end; where it is an iterator's result, the messages come as such, too. */
  readonly end: null | typeof DONE | undefined;
}

/** A handler for all messages: one of the two. */
export interface MessagePush<Out> extends MessageRequest {
  onMessage?: (message: Out) => unknown;
  onFrame?: OnFrame;
  /** Something was delivered since this was set to false; only where time counts. */
  delivered?: boolean;
}
