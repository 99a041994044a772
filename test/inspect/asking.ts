/** Asks an inspector, with any method and header. */

import assert from "node:assert/strict";
import { request } from "node:http";

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** How to ask. */
export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, or what becomes JSON. Default: none. */
  readonly body?: unknown;
  /** Instead of the one in the address; null for none. */
  readonly token?: string | null;
}

/** Asks for a path. */
export function ask(
  url: string,
  path: string,
  { method = "GET", headers = {}, token, body }: Question = {},
): Promise<Answered> {
  const place = url.startsWith("unix:") ? undefined : new URL(url);
  const known = token === undefined ? (place?.searchParams.get("token") ?? null) : token;
  const mark = path.includes("?") ? "&" : "?";
  const target =
    place === undefined
      ? { socketPath: url.slice("unix:".length), headers: { host: "localhost", ...headers } }
      : { host: place.hostname, port: place.port, headers };
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...target, path: known === null ? path : `${path}${mark}token=${known}`, method, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
          // This one ends only when nobody listens any more.
          if (response.headers["content-type"]?.startsWith("text/event-stream") === true) end(text);
        });
        response.on("error", reject);
        const end = (all: string): void => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: all });
          response.destroy();
        };
        response.on("end", () => end(text));
      },
    );
    asked.on("error", reject);
    asked.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
}

/** What a path answers. */
export async function rowsOf(url: string, path: string): Promise<Record<string, unknown>> {
  const { status, text } = await ask(url, path);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Record<string, unknown>;
}

/** One list of it. */
export async function listOf(url: string, path: string, name: string): Promise<Record<string, unknown>[]> {
  return (await rowsOf(url, path))[name] as Record<string, unknown>[];
}

/** All methods that a client of HTTP can send. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/** Every path that there is, for each thing that is there. */
export async function everyPath(url: string): Promise<readonly string[]> {
  const { routes } = await rowsOf(url, "/");
  const paths: string[] = [];
  for (const path of new Set((routes as string[]).map((route) => route.split(" ")[1] as string))) {
    const list = path.split("/")[1] as string;
    const ids = path.includes(":id") ? (await listOf(url, `/${list}`, list)).map(({ id }) => String(id)) : [""];
    paths.push(...ids.map((id) => path.replace(":id", id)));
  }
  return paths;
}
