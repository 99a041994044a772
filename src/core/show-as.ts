/** What `console.log` and `util.inspect` show of an object: what a program asks it for, not what it is made of. */

type Inspect = (value: unknown, options: object) => string;

/** Where Node, Bun and Deno look for a method that shows an object. */
const SHOW: symbol = Symbol.for("nodejs.util.inspect.custom");

/** The objects of a class are shown as `name` and some of their properties. */
export function showAs<Shown extends object>(
  shownClass: { readonly prototype: Shown },
  name: string,
  propertiesOf: (shown: Shown) => object,
): void {
  const show = function (this: Shown, depth: number, options: object, inspect: Inspect): string {
    return depth < 0 ? `[${name}]` : `${name} ${inspect(propertiesOf(this), options)}`;
  };
  define(shownClass.prototype, show);
}

/** The objects of a class are shown as `name` and a text. */
export function showAsText<Shown extends object>(
  shownClass: { readonly prototype: Shown },
  name: string,
  textOf: (shown: Shown) => string,
): void {
  const show = function (this: Shown): string {
    return `${name} <${textOf(this)}>`;
  };
  define(shownClass.prototype, show);
}

function define(prototype: object, show: (...args: never) => string): void {
  Object.defineProperty(prototype, SHOW, { value: show, configurable: true, writable: true });
}

/**
 * Node prints the enumerable properties of an error behind its message and its stack, and the cause in any case. Those called
 * `names`, whose text the message has, are made none, and those that are undefined.
 */
export function keepOffScreen(error: Error, ...names: readonly string[]): void {
  for (const [name, value] of Object.entries(error)) {
    if (value === undefined || names.includes(name)) Object.defineProperty(error, name, { enumerable: false });
  }
}
