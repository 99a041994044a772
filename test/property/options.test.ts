/**
 * Options that a program without types may pass, of every call that opens something: with any value each of them opens what
 * works, or is a typed error of that call. Nothing ends the process, and nothing is rejected that nobody awaits (the runner
 * fails a test for that). One that is undefined is one that is left out; one that there is not is refused.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OptionRule, OptionRules } from "../../src/core/options/check-options.ts";
import {
  bind,
  connect,
  listen,
  pair,
  serve,
  serveDatagrams,
  type StreamSocket,
  type TlsOptions,
  ZocaloError,
} from "../../src/index.ts";
import { BIND_RULES } from "../../src/io/datagram/settings.ts";
import { CONNECT_RULES } from "../../src/io/stream/connect.ts";
import { CONNECTION_RULES } from "../../src/io/stream/settings.ts";
import { LISTEN_RULES } from "../../src/io/listener/listen.ts";
import { OPEN_SESSION_RULES } from "../../src/io/session/client/options.ts";
import { STATELESS_CLIENT_RULES, SERVE_STATELESS_RULES } from "../../src/io/stateless/settings.ts";
import { SERVE_RULES } from "../../src/io/listener/serve.ts";
import { SERVE_DATAGRAMS_RULES } from "../../src/io/datagram/server.ts";
import { SERVE_SESSIONS_RULES } from "../../src/io/session/server/options.ts";
import { NETWORK_RULES } from "../../src/api/call-options.ts";
import { SERVER_RULES } from "../../src/api/close-on-signals.ts";
import { call, contract, connectSession, serveSessions, serveStateless, connectStateless } from "../../src/protocol.ts";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";
import { anything, holes } from "./anything.ts";

const { authority, server: identity } = await testCertificates();
const LISTENER = "tls://127.0.0.1:0";
const BOX = "udp://127.0.0.1:0";
const ca = authority.cert;
const room = contract("room", "1.0.0", { server: { who: call(undefined, undefined, { idempotent: true }) } });
const handlers = { who: () => undefined };

/** One for all clients, with the options that they have by default. */
const talker = await serve(LISTENER, async (peer) => await peer.write("hola"), { tls: identity });
const sessions = await serveSessions(room, LISTENER, { handlers, tls: identity });
const answers = await serveStateless(room, BOX, { handlers });
test.after(
  async () =>
    void (await Promise.all([
      talker.close({ timeoutMs: 0 }),
      sessions.close({ timeoutMs: 0 }),
      answers.close({ timeoutMs: 0 }),
    ])),
);

/** What was opened: whether it works, and how it ends. */
interface Opened {
  works(): Promise<unknown>;
  close(): unknown;
}

/** A call that opens something; `options` are what it needs, with others put over them. */
interface Subject {
  readonly op: string;
  readonly rules: OptionRules;
  readonly needs: Readonly<Record<string, unknown>>;
  readonly open: (options: never) => Promise<Opened>;
}

/** An ordinary client of a server with TLS. */
async function reaches(address: Parameters<typeof connect>[0]): Promise<StreamSocket> {
  return await connect(address, { tls: { ca, cert: identity.cert, key: identity.key }, timeoutMs: 10_000 });
}

const subjects: readonly Subject[] = [
  {
    op: "connect",
    rules: { ...CONNECT_RULES, ...NETWORK_RULES },
    needs: { tls: { ca } },
    open: async (options) => {
      const socket = await connect(talker.localAddress, options);
      return { works: () => socket.readExactly(4), close: () => socket.abort() };
    },
  },
  {
    op: "listen",
    rules: { ...LISTEN_RULES, ...NETWORK_RULES },
    needs: { tls: identity },
    open: async (options) => {
      const listener = await listen(LISTENER, options);
      const works = async (): Promise<void> => {
        const [client, peer] = await Promise.all([reaches(listener.localAddress), listener.accept()]);
        client.abort();
        peer.abort();
      };
      return { works, close: () => listener.close() };
    },
  },
  {
    op: "serve",
    rules: { ...SERVE_RULES, ...SERVER_RULES },
    needs: { tls: identity },
    open: async (options) => {
      const server = await serve(LISTENER, async (peer) => await peer.write("hola"), options);
      const works = async (): Promise<void> => {
        const client = await reaches(server.localAddress);
        await client.readExactly(4);
        client.abort();
      };
      return { works, close: () => server.close({ timeoutMs: 0 }) };
    },
  },
  {
    op: "pair",
    rules: { ...CONNECTION_RULES, ...NETWORK_RULES },
    needs: {},
    open: async (options) => {
      const [left, right] = await Promise.resolve(pair(options));
      const works = async (): Promise<void> => void (await Promise.all([left.write("x"), right.readExactly(1)]));
      return { works, close: () => left.abort() };
    },
  },
  {
    op: "bind",
    rules: { ...BIND_RULES, ...NETWORK_RULES },
    needs: {},
    open: async (options) => {
      const box = await bind(BOX, options);
      return {
        works: async () => await Promise.all([box.send("x", box.localAddress), box.receive()]),
        close: () => box.close(),
      };
    },
  },
  {
    op: "serveDatagrams",
    rules: { ...SERVE_DATAGRAMS_RULES, ...SERVER_RULES },
    needs: {},
    open: async (options) => {
      const server = await serveDatagrams(BOX, ({ data }) => data, options);
      const works = async (): Promise<void> => {
        await using box = await bind(BOX, { remote: server.localAddress });
        await Promise.all([box.send("x"), box.receive()]);
      };
      return { works, close: () => server.close({ timeoutMs: 0 }) };
    },
  },
  {
    op: "connectSession",
    rules: { ...OPEN_SESSION_RULES, ...NETWORK_RULES },
    needs: { tls: { ca } },
    open: async (options) => {
      const session = await connectSession(room, sessions.localAddress, options);
      return { works: () => session.remote.who(), close: () => session.abort() };
    },
  },
  {
    op: "serveSessions",
    rules: { ...SERVE_SESSIONS_RULES, ...SERVER_RULES },
    needs: { handlers, tls: identity },
    open: async (options) => {
      const server = await serveSessions(room, LISTENER, options);
      const works = async (): Promise<void> => {
        const session = await connectSession(room, server.localAddress, { tls: { ca } });
        await session.remote.who();
        session.abort();
      };
      return { works, close: () => server.close({ timeoutMs: 0 }) };
    },
  },
  {
    op: "serveStateless",
    rules: { ...SERVE_STATELESS_RULES, ...SERVER_RULES },
    needs: { handlers },
    open: async (options) => {
      const server = await serveStateless(room, BOX, options);
      const works = async (): Promise<void> => {
        await using client = await connectStateless(room, server.localAddress);
        await client.remote.who();
      };
      return { works, close: () => server.close({ timeoutMs: 0 }) };
    },
  },
  {
    op: "connectStateless",
    rules: { ...STATELESS_CLIENT_RULES, ...NETWORK_RULES },
    needs: {},
    open: async (options) => {
      const client = await connectStateless(room, answers.localAddress, options);
      return { works: () => client.remote.who(), close: () => client.close({ timeoutMs: 0 }) };
    },
  },
];

/** The options with their paths: `tls.alpn`. */
function pathsOf(rules: OptionRules): readonly (readonly [path: readonly string[], rule: OptionRule])[] {
  return Object.entries(rules).flatMap(([name, rule]) => [
    [[name], rule] as const,
    ...pathsOf(rule.within ?? {}).map(([path, inner]) => [[name, ...path], inner] as const),
  ]);
}

/** Puts a value where a path leads, over what is there. */
function put(over: object, [name = "", ...rest]: readonly string[], value: unknown): object {
  const there: unknown = Object.hasOwn(over, name) ? (over as Record<string, unknown>)[name] : undefined;
  const inner = typeof there === "object" && there !== null ? there : {};
  return { ...over, [name]: rest.length === 0 ? value : put(inner, rest, value) };
}

/**
 * Descriptors of the process that runs the tests are not for trying out; of what may be an address, only what is none is tried,
 * since a name would be looked up.
 */
function fits(name: string, value: unknown): boolean {
  if (name === "fd") return typeof value !== "number" || !Number.isInteger(value) || value < 0;
  if (name === "remote" || name === "localAddress") return typeof value !== "string" || value === "";
  return true;
}

for (const { op, rules, needs, open } of subjects) {
  const paths = pathsOf(rules);
  test(`${op}: any value of any option opens something, or is a typed error`, async () => {
    const change = fc
      .tuple(fc.constantFrom(...paths), anything)
      .filter(([[path], value]) => fits(path[0] ?? "", value));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
        let options: object = needs;
        for (const [[path], value] of changes) options = put(options, path, value);
        const opening = open(options as never);
        const opened = await opening.catch((error: unknown) => {
          // A signal's reason is told as it is.
          if (error !== "enough") assert.ok(error instanceof ZocaloError, `${op} ${String(error)}`);
          return undefined;
        });
        await opened?.close();
      }),
      { numRuns: 300 },
    );
  });

  test(`${op}: an option that is undefined is one that is left out`, async () => {
    let options: object = {};
    for (const [path, rule] of paths) if (rule.within === undefined) options = put(options, path, undefined);
    // A group that is given may have options that it needs.
    for (const name of ["retry", "proxyProtocol"])
      if (Object.hasOwn(rules, name)) options = put(options, [name], undefined);
    for (const [name, value] of Object.entries(needs)) {
      const inner = (options as Record<string, unknown>)[name];
      options = put(options, [name], typeof inner === "object" ? { ...inner, ...(value as object) } : value);
    }
    const opened = await open(options as never);
    await opened.works();
    await opened.close();
  });

  test(`${op}: a name with a mistake in it is refused, whatever its value`, async () => {
    const mistake = fc.constantFrom(...paths).chain(([path]) => {
      const name = path.at(-1) ?? "";
      const at = fc.nat(name.length - 1);
      return fc.tuple(
        fc.constant(path),
        fc.oneof(
          at.map((index) => name.slice(0, index) + name.slice(index + 1)),
          at.map((index) => `${name.slice(0, index)}${name[index]}${name.slice(index)}`),
          at.map((index) => name.slice(0, index) + name.slice(index, index + 1).toUpperCase() + name.slice(index + 1)),
          fc.constant(name.replace(/Ms$/, "").replace(/Bytes$/, "")),
          fc.constant(name.toLowerCase()),
        ),
      );
    });
    await fc.assert(
      fc.asyncProperty(mistake, anything, async ([path, wrong], value) => {
        const level = path.slice(0, -1);
        let known = rules;
        for (const name of level) known = known[name]?.within ?? {};
        fc.pre(!Object.hasOwn(known, wrong));
        // What its group needs beside it is looked at later.
        const error: unknown = await open(put(needs, [...level, wrong], value) as never).then(
          (opened) => opened.close(),
          (reason: unknown) => reason,
        );
        assert.ok(
          error instanceof ZocaloError && error.code === "OPTION_INVALID",
          `${[...level, wrong].join(".")}: ${String(error)}`,
        );
        const shown = JSON.stringify([...level, wrong].join("."));
        assert.ok(error.detail.startsWith(`there is no option ${shown}; `), error.detail);
        if (wrong.length >= 6) assert.match(error.detail, /did you mean "/);
      }),
      { numRuns: 200 },
    );
  });
}

test("TLS settings that a server accepts make no handshake fail for everybody", async () => {
  const shop = await makeIdentity(authority, { name: "shop", dns: ["shop.example"] });
  const material = fc.constantFrom<unknown>(
    identity.cert,
    shop.key,
    ca,
    [ca],
    "",
    "x",
    undefined,
    Buffer.alloc(0),
    [""],
    [],
  );
  const entry = fc.constantFrom("shop.example", "Shop.Example.", "*.Example", "127.0.0.1", "", "*");
  const fields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    cert: material,
    key: material,
    ca: fc.constantFrom<unknown>(ca, [ca], "", "x", undefined, Buffer.alloc(0), [""], []),
    crl: material,
    alpn: fc.oneof(
      fc.array(fc.string({ maxLength: 260 }), { maxLength: 3 }),
      fc.constantFrom<unknown>(["h2"], [""], holes),
    ),
    sni: fc.dictionary(entry, fc.constantFrom<unknown>(shop, identity, { cert: ca }, null), { maxKeys: 2 }),
    clientCertificate: fc.constantFrom<unknown>("none", "ask", "require", ""),
    passphrase: fc.constantFrom<unknown>("", "open", 5),
    minVersion: fc.constantFrom<unknown>("TLSv1.2", "TLSv1.3", "TLSv1.1"),
    ciphers: fc.constantFrom<unknown>("TLS_AES_256_GCM_SHA384", "NONSENSE", ""),
  };
  const change = fc
    .constantFrom(...Object.keys(fields))
    .chain((name) => fc.tuple(fc.constant(name), fc.oneof(fields[name] as fc.Arbitrary<unknown>, anything)));
  let accepted = 0;
  const refused = (error: unknown): void =>
    assert.ok(error instanceof ZocaloError && error.side === "local", String(error));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 3 }), fc.boolean(), async (changes, renewed) => {
      const tls = { ...identity, ...Object.fromEntries(changes) } as TlsOptions;
      const server = await serve(LISTENER, async (peer) => await peer.write("hola"), {
        tls: renewed ? identity : tls,
      }).catch(refused);
      try {
        if (renewed) server?.setTls(tls);
      } catch (error) {
        refused(error);
      }
      if (server === undefined) return;
      accepted += 1;
      const own = { cert: identity.cert, key: identity.key };
      const client = await connect(server.localAddress, { tls: { ca, ...own }, timeoutMs: 10_000 });
      assert.equal(String(await client.readExactly(4)), "hola");
      client.abort();
      await server.close({ timeoutMs: 0 });
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 50, `${accepted} settings were accepted`);
});
