/**
 * Classes that know the objects of their namesakes: one process may hold two copies of this package, as when a program and a
 * library of its depend on two versions, and each copy has classes of its own.
 */

/**
 * What `instanceof` answers for a class with a mark. Objects of another copy count by their mark, and by their name where the
 * class is not the one that has the mark itself.
 *
 * @param kind - The class behind `instanceof`, which may be one that a program has derived.
 * @param marked - The class whose prototype was marked.
 */
export function hasInstance(kind: NamedClass, marked: NamedClass, mark: symbol, value: unknown): boolean {
  if (Function.prototype[Symbol.hasInstance].call(kind, value)) return true;
  if (typeof value !== "object" || value === null || !(mark in value)) return false;
  return kind === marked || (value as { readonly name?: unknown }).name === kind.name;
}

/** A class. */
interface NamedClass {
  readonly name: string;
  readonly prototype: object;
}

/** Marks the objects of a class. @param mark - From `Symbol.for`, so that all copies have the same. */
export function markClass(kind: NamedClass, mark: symbol): void {
  Object.defineProperty(kind.prototype, mark, { value: true });
}
