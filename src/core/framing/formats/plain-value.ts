/** Which values arrive as they were sent, whatever the format. */

import { isEncodable } from "../../bytes/utf8.ts";
import { InvalidContent } from "../frame-error.ts";
import { MAX_VALUE_DEPTH, tooManyValues } from "./value-limits.ts";

/** What one format can carry beside the values that all can. */
export interface FormatKinds {
  /** Whether NaN and the infinities have a form. */
  readonly allNumbers: boolean;
  /**
   * Asked for an object that is neither plain nor an array: `FINE` when the format carries it, else what is wrong with it;
   * undefined when it is not of a kind of this format.
   */
  readonly problemOf?: ((value: object) => string | undefined) | undefined;
}

/** The answer of {@link FormatKinds.problemOf} for a value that the format carries. */
export const FINE = "";

const LONGEST_SHOWN_KEY = 40;

/**
 * Looks at a value before it is encoded. All parts of it must have exactly one form that comes out as it went in: null,
 * booleans, finite numbers, text, arrays without holes, plain objects, and what the format has beside these; at most 64 deep,
 * and not too many. Encoders would leave out, or change, what is not: a `Map` would arrive as `{}`.
 *
 * Not looked at: members that are not enumerable, and those that an array has beside its elements.
 */
export class PlainValue {
  /** Whether one of the numbers is -0, which encoders write as 0. */
  hasNegativeZero = false;
  readonly #kinds: FormatKinds;
  readonly #maxValues: number;
  #values = 0;
  /** Where the part stands that is wrong, from the inside to the outside. */
  readonly #path: (string | number)[] = [];

  constructor(kinds: FormatKinds, maxValues: number) {
    this.#kinds = kinds;
    this.#maxValues = maxValues;
  }

  /** What is wrong with the value, and where; undefined when it can be sent. */
  problemOf(value: unknown): InvalidContent | undefined {
    const problem = this.#part(value, 0);
    if (problem === undefined) return undefined;
    if (this.#values > this.#maxValues) return tooManyValues(this.#maxValues);
    return new InvalidContent(`a part of the message ${problem} (${this.#place()})`);
  }

  #part(value: unknown, depth: number): string | undefined {
    this.#values += 1;
    if (this.#values > this.#maxValues) return "is one too many";
    switch (typeof value) {
      case "string":
        return isEncodable(value) ? undefined : "has half of a surrogate pair, which has no UTF-8";
      case "number":
        if (value === 0 && 1 / value < 0) this.hasNegativeZero = true;
        return this.#kinds.allNumbers || Number.isFinite(value) ? undefined : `is ${value}, which has no form`;
      case "boolean":
        return undefined;
      case "object":
        return value === null ? undefined : this.#object(value, depth);
      default:
        return `is of type ${typeof value}, which has no form`;
    }
  }

  #object(value: object, depth: number): string | undefined {
    const prototype: unknown = Object.getPrototypeOf(value);
    const isArray = Array.isArray(value);
    if (isArray ? prototype !== Array.prototype : prototype !== Object.prototype && prototype !== null) {
      const problem = this.#kinds.problemOf?.(value);
      return problem === FINE ? undefined : (problem ?? `is ${classOf(value)}; send plain objects and arrays`);
    }
    if (depth >= MAX_VALUE_DEPTH) return `is nested deeper than ${MAX_VALUE_DEPTH}, or in itself`;
    // It would be called instead of what is sent.
    if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function")
      return "has a toJSON; send what it answers";
    return isArray ? this.#array(value, depth) : this.#record(value as Readonly<Record<string, unknown>>, depth);
  }

  #array(value: readonly unknown[], depth: number): string | undefined {
    // By index, so that a hole is seen as undefined.
    for (let index = 0; index < value.length; index += 1) {
      const problem = this.#part(value[index], depth + 1);
      if (problem === undefined) continue;
      this.#path.push(index);
      return problem;
    }
    return undefined;
  }

  #record(value: Readonly<Record<string, unknown>>, depth: number): string | undefined {
    for (const key of Object.keys(value)) {
      const keyProblem = problemOfKey(key);
      if (keyProblem !== undefined) return keyProblem;
      const problem = this.#part(value[key], depth + 1);
      if (problem === undefined) continue;
      this.#path.push(key);
      return problem;
    }
    return Object.getOwnPropertySymbols(value).length === 0 ? undefined : "has a symbol as a key, which has no form";
  }

  /** The place of the part that is wrong, such as `value.users[3].name`. */
  #place(): string {
    const steps = this.#path.toReversed().map((step) => {
      if (typeof step === "number") return `[${step}]`;
      if (/^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(step) && step.length <= LONGEST_SHOWN_KEY) return `.${step}`;
      return `[${JSON.stringify(step.slice(0, LONGEST_SHOWN_KEY))}]`;
    });
    return `value${steps.join("")}`;
  }
}

function problemOfKey(key: string): string | undefined {
  if (key === "__proto__") return "has a key that no object can have by assignment, so it cannot be received";
  return isEncodable(key) ? undefined : "has a key with half of a surrogate pair, which has no UTF-8";
}

function classOf(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== ""
    ? `of class ${constructor.name}`
    : "of some class";
}
