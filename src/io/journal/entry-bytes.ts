/** A topic and a body as the bytes that a store keeps or carries: the length of the topic in four bytes, the topic, the body. */

const LENGTH_BYTES = 4;

/** What {@link decodeEntry} reads, behind `before` bytes that are left to the caller. */
export function encodeEntry(topic: string, body: Uint8Array, before = 0): Buffer {
  const topicBytes = Buffer.from(topic);
  const bytes = Buffer.concat([Buffer.alloc(before + LENGTH_BYTES), topicBytes, body]);
  bytes.writeUInt32BE(topicBytes.length, before);
  return bytes;
}

/**
 * The body has memory of its own. Who else can write to the store may have put anything there: what is no entry is told to nobody, with an
 * empty topic.
 */
export function decodeEntry(bytes: Uint8Array, before = 0): { readonly topic: string; readonly body: Uint8Array } {
  const start = before + LENGTH_BYTES;
  const end = bytes.length < start ? Infinity : start + new DataView(bytes.buffer, bytes.byteOffset).getUint32(before);
  if (end > bytes.length) return { topic: "", body: new Uint8Array() };
  return { topic: Buffer.from(bytes.subarray(start, end)).toString(), body: Uint8Array.from(bytes.subarray(end)) };
}
