/** Bytes that count how often they are looked at. */

/** How many bytes were looked at. */
export interface LookCount {
  looks: number;
}

/** Methods written in the engine, which look at bytes where a proxy cannot see it; counted as a look at every byte. */
const NATIVE: ReadonlySet<PropertyKey> = new Set<keyof Buffer>([
  "compare",
  "copy",
  "equals",
  "fill",
  "includes",
  "indexOf",
  "join",
  "lastIndexOf",
  "set",
  "slice",
  "subarray",
  "toString",
]);

/**
 * The same bytes, except that `count.looks` grows with each byte that is read by index or by a method of `Buffer`. What is
 * read through `buffer`, the memory beneath, is not seen.
 */
export function countedBytes(bytes: Buffer, count: LookCount): Buffer {
  return new Proxy(bytes, {
    get(target, key, receiver: Buffer): unknown {
      if (typeof key === "string" && /^\d/.test(key)) count.looks += 1;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const method = value as (...input: unknown[]) => unknown;
      // The others are written in JavaScript, and read by index from the proxy.
      if (!NATIVE.has(key)) return method.bind(receiver);
      return (...input: unknown[]): unknown => {
        count.looks += target.length;
        return method.apply(target, input);
      };
    },
  });
}
