/** One property of the runtime that simulated programs must not use, and how the lists of them are written. */

/** The two kinds of leak: out of the simulated network, or out of virtual time and seeded randomness. */
export type LeakCode = "SIM_LEAK" | "SIM_CLOCK_LEAK";

/** How a guarded function is used. */
export interface Use {
  readonly args: readonly unknown[];
  /** `this`; undefined with `new`. */
  readonly self: unknown;
  readonly isNew: boolean;
}

/** What the lists may say beside the names. */
export interface GuardOptions {
  /** The call answers with a promise, so it rejects instead of throwing. */
  readonly rejects?: boolean;
  /** Whether a use is no leak; `new Date(0)` is none. */
  readonly harmless?: (use: Use) => boolean;
  /**
   * What is guarded: to `call` the function (the default), to `read` the property, or to call the function that a getter
   * gives.
   */
  readonly what?: "call" | "read" | "call what is read";
  /** Where the guard stands, though the property is inherited from elsewhere. */
  readonly owner?: object;
}

/** One property that is guarded. */
export interface GuardedCall extends GuardOptions {
  readonly owner: object;
  readonly name: PropertyKey;
  /** As a user writes it: `net.connect`. */
  readonly label: string;
  readonly code: LeakCode;
}

/** Some properties of one object: what a user calls it, the object, their names, and what else is to be said. */
export type Leak = readonly [label: string, object: unknown, names: readonly PropertyKey[], options?: GuardOptions];

/** Each property on the object that has it: the named one, or one it inherits from. */
export function guard(code: LeakCode, leaks: readonly Leak[]): GuardedCall[] {
  return leaks.flatMap(([label, object, names, options = {}]) =>
    names.flatMap((name) => {
      const owner = options.owner ?? ownerOf(object, name);
      return owner === undefined ? [] : [{ ...options, owner, name, label: `${label}.${String(name)}`, code }];
    }),
  );
}

/** The prototype of a class; undefined when the runtime does not have the class. */
export function prototypeOf(constructor: unknown): object | undefined {
  return (constructor as { readonly prototype: object } | undefined)?.prototype;
}

/** The names of functions of `object` that fit. */
export function namesOf(object: object, pattern: RegExp): string[] {
  return Object.getOwnPropertyNames(object).filter(
    (name) => pattern.test(name) && typeof (object as Record<string, unknown>)[name] === "function",
  );
}

function ownerOf(object: unknown, name: PropertyKey): object | undefined {
  for (let owner = object; typeof owner === "object" || typeof owner === "function"; ) {
    if (owner === null) return undefined;
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property !== undefined) return property.configurable === true || property.writable === true ? owner : undefined;
    owner = Object.getPrototypeOf(owner) as unknown;
  }
  return undefined;
}
