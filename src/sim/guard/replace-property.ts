/** Properties of the runtime that are other ones while a world runs. */

/** Reads a property as it was before it was replaced. */
export type Read = (self: unknown) => unknown;

/**
 * Replaces `owner[name]` by what `replacementOf` makes of it; the answer puts it back. One that is inherited is replaced on
 * `owner` alone. One that is not there, or must not change so, stays as it is.
 */
export function replaceProperty(
  owner: object,
  name: PropertyKey,
  replacementOf: (read: Read) => PropertyDescriptor,
): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const property = own ?? inherited(owner, name);
  if (property === undefined) return () => undefined;
  const { enumerable = true } = property;
  const read: Read = (self) => (property.get === undefined ? property.value : property.get.call(self));
  const replacement: PropertyDescriptor = { enumerable, configurable: true, ...replacementOf(read) };
  if (own?.configurable === false) {
    // Writable, as some are in Bun: only the value may change.
    if (own.writable !== true || replacement.get !== undefined) return () => undefined;
    replacement.configurable = false;
  }
  Object.defineProperty(owner, name, replacement);
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}

function inherited(owner: object, name: PropertyKey): PropertyDescriptor | undefined {
  const parent = Object.getPrototypeOf(owner) as object | null;
  if (parent === null) return undefined;
  return Object.getOwnPropertyDescriptor(parent, name) ?? inherited(parent, name);
}
