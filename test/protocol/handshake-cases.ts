/** What the tests of the handshake share. */

import assert from "node:assert/strict";
import { contract } from "../../src/core/contract/contract.ts";
import { call, event } from "../../src/core/contract/method.ts";
import type { ZocaloError } from "../../src/core/errors.ts";
import {
  ClientHandshake,
  type ClientHandshakeEvent,
  type ClientHandshakeOptions,
} from "../../src/core/handshake/client-handshake.ts";
import type { Hello, ResumeRequest, Welcome } from "../../src/core/handshake/hello.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import type { Capabilities } from "../../src/core/handshake/negotiate.ts";
import { ServerHandshake } from "../../src/core/handshake/server-handshake.ts";

/** What the server brings. */
export const server: Capabilities = {
  contract: contract("chat", "2.1.0", { server: { say: event(), join: call() }, client: { said: event() } }),
  codecs: ["msgpack", "json"],
  features: ["a", "b"],
  limits: DEFAULT_LIMITS,
};
/** What the client brings. */
export const client: Capabilities = {
  contract: contract("chat", "2.0.0", { server: { say: event() }, client: { said: event() } }),
  codecs: ["json"],
  features: ["b", "c"],
  limits: { ...DEFAULT_LIMITS, maxCalls: 3 },
};
/** A request to continue a session. */
export const resume: ResumeRequest = {
  session: "s1",
  token: "t1",
  server: "i1",
  attempt: 2,
  received: 5,
  acknowledged: 7,
  sent: 9,
};
/** The fields of a welcome that name the session. */
export const identity = { session: "s1", token: "t2", server: "i1", epoch: 1, keptMs: 60_000 };

/** All of an output as one piece. */
export const bytesOf = (chunks: readonly Uint8Array[]): Buffer => Buffer.concat(chunks);

/** The hello that a client sends, as the server reads it. */
export function helloOf(capabilities: Capabilities, options: ClientHandshakeOptions = {}): Hello {
  const machine = new ServerHandshake(0);
  const bytes = bytesOf(new ClientHandshake(capabilities, 0, options).output());
  machine.receive(bytes, 0, bytes.length);
  const happened = machine.nextEvent();
  assert.equal(happened?.type, "hello");
  return happened.hello;
}

/** What the client says to a welcome with these fields. */
export function answer(
  fields: Partial<Welcome>,
  options: ClientHandshakeOptions = {},
): ClientHandshakeEvent | undefined {
  const listener = new ServerHandshake(0);
  const caller = new ClientHandshake(client, 0, options);
  const hello = bytesOf(caller.output());
  listener.receive(hello, 0, hello.length);
  const welcome: Welcome = {
    version: "2.1.0",
    offers: ["join", "say"],
    codec: "json",
    features: ["b"],
    limits: DEFAULT_LIMITS,
    ...identity,
    ...fields,
  };
  listener.welcome(welcome);
  const bytes = bytesOf([...listener.output(), Buffer.from("rest")]);
  caller.receive(bytes, 0, bytes.length);
  return caller.nextEvent();
}

export function codeOf(
  happened: { readonly type: string; readonly error?: ZocaloError } | undefined,
): string | undefined {
  return happened?.type === "welcome" ? "welcome" : happened?.error?.code;
}
