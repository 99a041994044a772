/** How a page asks its server: with the token that stands in its own address. */

/** What the server says when it does not do what it is asked, in its words. */
export class Refused extends Error {}

function token(): string {
  return new URLSearchParams(location.search).get("token") ?? "";
}

/** Asks, and answers the JSON of the answer; undefined where there is none. Rejects with {@link Refused}. */
export async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { "x-zocalo-token": token() };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(path, { method, headers, ...sent });
  const text = await answer.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  if (answer.ok) return json;
  throw new Refused((json as { readonly error?: string } | undefined)?.error ?? `${answer.status}`);
}

/** The address of something that the browser itself loads: a download, a stream of events. */
export function addressOf(path: string, query: Readonly<Record<string, string>> = {}): string {
  return `${path}?${new URLSearchParams({ token: token(), ...query }).toString()}`;
}
