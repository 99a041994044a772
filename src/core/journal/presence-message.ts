/** What servers tell each other about who is there. Nothing of it is stored, and any part may be lost. */

import { msgpack } from "../framing/formats/msgpack.ts";
import { Fields } from "../handshake/fields.ts";

/** A pair of a topic and how many sessions of the server hear it. */
export type TopicCount = readonly [topic: string, count: number];

/** A session, as an answer has it. */
export type FoundMember = readonly [id: string, principal: string, attached: boolean];

/** How many sessions of a server hear each topic: all topics that it has, or those that have changed. */
export interface CountsMessage {
  readonly kind: "counts";
  readonly server: string;
  /** Each message of a server has the next one: so a loss is noticed. */
  readonly number: number;
  /** It begins anew: what it has said before is void. */
  readonly isFirst: boolean;
  /** Some topics are left out. */
  readonly isCut: boolean;
  readonly counts: readonly TopicCount[];
}

/** A message between servers. */
export type PresenceMessage =
  | CountsMessage
  /** A server, or each of them when there is no name, is to say everything anew. */
  | { readonly kind: "ask"; readonly server: string }
  | { readonly kind: "gone"; readonly server: string }
  | { readonly kind: "find"; readonly server: string; readonly question: number; readonly topic: string }
  | {
      readonly kind: "found";
      readonly server: string;
      readonly question: number;
      /** Of the whole answer. */
      readonly total: number;
      readonly members: readonly FoundMember[];
    };

const VERSION = 1;
const MAX_NAME = 64;
/** Of a topic or a principal. */
export const MAX_TOPIC = 1_024;

const format = msgpack();

export function encodePresence(message: PresenceMessage): Uint8Array {
  return format.encode({ version: VERSION, ...message }) as Uint8Array;
}

/** Undefined for what cannot be read: it is of another version, or of somebody else. */
export function decodePresence(bytes: Uint8Array): PresenceMessage | undefined {
  try {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fields = new Fields(format.decode(message, 0, message.length), "presence");
    return fields.any("version") === VERSION ? read(fields) : undefined;
  } catch {
    return undefined;
  }
}

function read(fields: Fields): PresenceMessage | undefined {
  const kind = fields.text("kind", MAX_NAME);
  const server = fields.text("server", MAX_NAME);
  const whole = (name: string): number => fields.integer(name, 0, Number.MAX_SAFE_INTEGER);
  if (kind === "counts") {
    const counts = listOf(fields, "counts", isCount);
    const flags = { isFirst: fields.any("isFirst") === true, isCut: fields.any("isCut") === true };
    return { kind, server, number: whole("number"), ...flags, counts };
  }
  if (kind === "ask" || kind === "gone") return { kind, server };
  if (kind === "find") return { kind, server, question: whole("question"), topic: fields.text("topic", MAX_TOPIC) };
  if (kind !== "found") return undefined;
  return {
    kind,
    server,
    question: whole("question"),
    total: whole("total"),
    members: listOf(fields, "members", isMember),
  };
}

function listOf<Item>(fields: Fields, name: string, holds: (item: unknown) => item is Item): readonly Item[] {
  const list = fields.any(name);
  if (Array.isArray(list) && list.every(holds)) return list;
  throw fields.invalid(name, "has what does not belong there");
}

function isCount(item: unknown): item is TopicCount {
  const [topic, count] = Array.isArray(item) ? (item as readonly unknown[]) : [];
  return (
    typeof topic === "string" && topic.length <= MAX_TOPIC && Number.isSafeInteger(count) && (count as number) >= 0
  );
}

function isMember(item: unknown): item is FoundMember {
  const [id, principal, attached] = Array.isArray(item) ? (item as readonly unknown[]) : [];
  return typeof id === "string" && typeof principal === "string" && typeof attached === "boolean";
}
