/** Reads what the body of a call says of a proxy. */

import { badBody, checkName, missingField } from "./api-error.ts";

/** The fields of a body. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(body: unknown): Fields {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw badBody("an object is expected");
  return body as Fields;
}

/** @param place - Behind the name of a field that is missing. */
export function readProxy(
  fields: Fields,
  place = "",
): { readonly name: string; readonly listen?: string; readonly upstream: string; readonly enabled?: boolean } {
  const { name } = textOf(fields, "name");
  const { upstream } = textOf(fields, "upstream");
  if (name === undefined) throw missingField(`name${place}`);
  if (upstream === undefined) throw missingField(`upstream${place}`);
  checkName(name);
  return { name, upstream, ...textOf(fields, "listen"), ...enabledOf(fields) };
}

/** A field with a text that is not empty, or nothing. */
export function textOf<Name extends string>(fields: Fields, name: Name): { readonly [Key in Name]?: string } {
  const value = fields[name];
  if (value === undefined || value === null || value === "") return {};
  if (typeof value !== "string") throw badBody(`${name} must be a text`);
  return { [name]: value } as { readonly [Key in Name]?: string };
}

export function enabledOf({ enabled }: Fields): { readonly enabled?: boolean } {
  if (enabled === undefined || enabled === null) return {};
  if (typeof enabled !== "boolean") throw badBody("enabled must be true or false");
  return { enabled };
}
