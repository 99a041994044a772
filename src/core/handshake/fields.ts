/** Reading the fields of a JSON object that a stranger sent. */

import type { ProtocolError } from "../errors.ts";
import { peerError } from "../peer-error.ts";

/** A JSON object whose fields are read one by one; every field that is not what it must be is `HANDSHAKE_INVALID`. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  /** @param path - Names the object in errors. */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, "must be an object");
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  /** Whether the field is there. */
  has(name: string): boolean {
    return Object.hasOwn(this.#object, name) && this.#object[name] !== null;
  }

  /** Any value; undefined when it is not there. */
  any(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  /** A text. */
  text(name: string, maxLength: number): string {
    const value = this.any(name);
    if (typeof value === "string" && value.length <= maxLength) return value;
    throw this.invalid(name, `must be a text of at most ${maxLength} characters`);
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, min: number, max: number): number {
    const value = this.any(name);
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    throw this.invalid(name, `must be a whole number from ${min} to ${max}`);
  }

  /** A list of different texts. */
  texts(name: string, maxCount: number, maxLength: number): readonly string[] {
    const value = this.any(name);
    const isText = (text: unknown): boolean => typeof text === "string" && text.length <= maxLength;
    const fits = Array.isArray(value) && value.length <= maxCount && value.every(isText);
    if (fits && new Set(value).size === value.length) return value as readonly string[];
    const problem = `must be a list of at most ${maxCount} different texts of at most ${maxLength} characters`;
    throw this.invalid(name, problem);
  }

  /** An object. */
  object(name: string): Fields {
    return new Fields(this.any(name), `${this.#path}.${name}`);
  }

  /** Says that a field is wrong. */
  invalid(name: string, problem: string): ProtocolError {
    return invalid(`${this.#path}.${name}`, problem);
  }
}

function invalid(path: string, problem: string): ProtocolError {
  return peerError("HANDSHAKE_INVALID", { op: "handshake", detail: `${path} ${problem}` });
}
