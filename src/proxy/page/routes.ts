/** What the page can ask: what passes, and changes of faults, schedules and recordings. */

import { sendEvents, sendJson, sendText } from "../../http/answer.ts";
import { findRoute } from "../../http/routes.ts";
import { type Question, type ServerResponse, statusOf } from "../../http/server.ts";
import type { ProxyFault } from "../fault.ts";
import type { CaptureOptions, FaultProxies, FaultProxy } from "../public.ts";
import { formatSchedule, parseSchedule } from "../schedule.ts";
import { keyOf } from "../watch.ts";
import type { Feed } from "./feed.ts";
import type { Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";

/** What all routes need. */
export interface Served {
  readonly running: FaultProxies;
  readonly rows: Rows;
  readonly feed: Feed;
  readonly recorder: Recorder;
}

/** A request, and where its answer goes. */
interface Call {
  readonly served: Served;
  readonly question: Question;
  readonly response: ServerResponse;
  /** What stands in its path at `:name` and `:id`. */
  readonly name: string;
  readonly id: number;
}

type Route = readonly [method: string, path: string, answer: (call: Call) => unknown];

/** All of them. Every open page is told of a change at once. */
const ROUTES: readonly Route[] = [
  ["GET", "/events", watch],
  ["GET", "/capture.pcapng", capture],
  ["GET", "/schedule.json", schedule],
  ["POST", "/proxies/:name", change],
  ["POST", "/proxies/:name/faults", begin],
  ["PUT", "/proxies/:name/faults/:id", changeFault],
  ["DELETE", "/proxies/:name/faults/:id", endFault],
  ["POST", "/recording", record],
  ["DELETE", "/recording", stopRecording],
  ["POST", "/plays", play],
  ["DELETE", "/plays", stopPlays],
];

/** Answers one request. It comes from one who may ask. */
export async function answerTo(served: Served, question: Question, response: ServerResponse): Promise<void> {
  try {
    const { route, parts, allow } = findRoute(ROUTES, question.method, question.path);
    if (route !== undefined) {
      await route[2]({ served, question, response, name: parts["name"] ?? "", id: Number(parts["id"]) });
      if (question.method !== "GET") served.feed.changed();
    } else if (allow === "") refuse(response, 404, "there is no such path");
    else sendJson(response, 405, { error: `this path takes ${allow} only` }, { allow });
  } catch (error) {
    const [status, message] = failureOf(error);
    refuse(response, status, message);
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  sendJson(response, status, { error });
}

/** What is asked of something that is not there any more. */
class Gone extends Error {}

/** How it is told that something went wrong. */
function failureOf(error: unknown): readonly [status: number, message: string] {
  if (error instanceof Gone) return [404, error.message];
  if (error instanceof SyntaxError) return [400, `this is no JSON: ${error.message}`];
  return [statusOf(error), error instanceof Error ? error.message : String(error)];
}

/** `?proxy=NAME&connection=NUMBER` selects the connection whose bytes are told. */
function watch({ served: { feed }, question: { query }, response }: Call): void {
  if (feed.isFull) return refuse(response, 503, "too many pages look at these proxies already");
  const [proxy, number] = [query.get("proxy"), Number(query.get("connection"))];
  const selected = proxy === null ? undefined : keyOf({ proxy, number });
  let remove = (): void => undefined;
  remove = feed.add(
    sendEvents(response, () => remove()),
    selected,
  );
}

/** `{ "enabled": false }` lets nobody connect. */
async function change(call: Call): Promise<void> {
  await proxyOf(call).change(JSON.parse(await call.question.text()) as { readonly enabled: boolean });
  sendJson(call.response, 200, {});
}

async function begin(call: Call): Promise<void> {
  const fault = JSON.parse(await call.question.text()) as ProxyFault;
  sendJson(call.response, 201, { id: replaced(call, proxyOf(call), [], fault) });
}

/** A fault that is changed ends, and another one begins; when that is refused, it stays. */
async function changeFault(call: Call): Promise<void> {
  const next = JSON.parse(await call.question.text()) as ProxyFault;
  const [proxy, fault] = faultOf(call);
  sendJson(call.response, 200, { id: replaced(call, proxy, [fault], next) });
}

function endFault(call: Call): void {
  const [proxy, fault] = faultOf(call);
  proxy.heal(fault);
  sendJson(call.response, 200, {});
}

function replaced(
  { served: { rows } }: Call,
  proxy: FaultProxy,
  ended: readonly ProxyFault[],
  next: ProxyFault,
): number {
  const [begun] = proxy.replace(ended, [next]);
  return rows.idOf(begun as ProxyFault);
}

function proxyOf({ served, name }: Call): FaultProxy {
  const proxy = served.running.proxies.get(name);
  if (proxy === undefined) throw new Gone("there is no such proxy any more");
  return proxy;
}

function faultOf(call: Call): readonly [FaultProxy, ProxyFault] {
  const proxy = proxyOf(call);
  const fault = proxy.faults.find((one) => call.served.rows.idOf(one) === call.id);
  if (fault === undefined) throw new Gone("this fault has ended");
  return [proxy, fault];
}

/** `{ "epochMs": … }` is the time of the page, for the times of the capture. */
async function record({ served, question, response }: Call): Promise<void> {
  const options = JSON.parse(await question.text()) as CaptureOptions;
  served.recorder.begin(options);
  sendJson(response, 201, {});
}

function stopRecording({ served, response }: Call): void {
  served.recorder.stop();
  sendJson(response, 200, {});
}

function capture({ served: { recorder }, response }: Call): void {
  const { capture: bytes } = recorder;
  if (bytes.length === 0) throw new Gone("nothing was recorded");
  const name = { "content-disposition": 'attachment; filename="zocalo.pcapng"' };
  sendText(response, 200, "application/x-pcapng", bytes, name);
}

function schedule({ served: { recorder }, response }: Call): void {
  const noted = recorder.schedule;
  if (noted === undefined) throw new Gone("nothing was recorded");
  const name = { "content-disposition": 'attachment; filename="faults.json"' };
  sendText(response, 200, "application/json", formatSchedule(noted), name);
}

/** Plays the schedule in the body; without one, what was recorded. */
async function play({ served: { running, recorder }, question, response }: Call): Promise<void> {
  const text = await question.text();
  const wanted = text === "" ? recorder.schedule : parseSchedule(text);
  if (wanted === undefined) throw new Gone("nothing was recorded");
  running.play(wanted);
  sendJson(response, 201, {});
}

function stopPlays({ served: { running }, response }: Call): void {
  for (const one of running.plays) one.stop();
  sendJson(response, 200, {});
}
