/** The servers that are attacked, all with the limits of the defaults unless an attack is against smaller ones. */

import { setTimeout as sleep } from "node:timers/promises";
import { bind, connect, serve, serveDatagrams } from "zocalo";
import { chain, cobs, type Codec, json, lengthPrefix, lines, msgpack } from "zocalo/framing";
import {
  call,
  contract,
  event,
  connectSession,
  serveSessions,
  serveStateless,
  connectStateless,
  stream,
  typeOnly,
} from "zocalo/protocol";
import { generate } from "selfsigned";
import type { Place } from "./attack.ts";

const HOST = "127.0.0.1";

/** What the sessions and the datagrams are about. */
export const target = contract("target", "1.0.0", {
  server: {
    echo: call(typeOnly<unknown>(), typeOnly<unknown>()),
    hold: stream({ receives: typeOnly<unknown>() }),
    note: event(typeOnly<unknown>()),
    read: stream({ receives: typeOnly<unknown>() }),
    wait: call(typeOnly<unknown>(), typeOnly<unknown>()),
  },
  client: { tick: event(typeOnly<number>()) },
});
/** The places of its methods: in the order of their names. */
export const METHODS = { echo: 0, hold: 1, note: 2, read: 3, wait: 4 } as const;

/** What goes over datagrams. */
export const readings = contract("readings", "1.0.0", {
  server: {
    echo: call(typeOnly<unknown>(), typeOnly<unknown>(), { idempotent: true }),
    note: event(typeOnly<number>()),
  },
});

/** A running server. */
export interface Target extends Place {
  /** Makes the server begin what a forged datagram would make it begin. */
  provoke?(): unknown;
  close(): Promise<unknown>;
}

/** A client that keeps the rules. */
export interface Good {
  /** One question and its answer. */
  ask(): Promise<unknown>;
  close(): unknown;
}

/** A kind of server, and of clients that it is meant for. */
export interface Kind {
  serve(): Promise<Target>;
  open(place: Place): Promise<Good>;
}

async function identity(): Promise<{ readonly cert: string; readonly key: string }> {
  const { cert, private: key } = await generate([{ name: "commonName", value: HOST }], { keyType: "ec" });
  return { cert, key };
}

const forever = (): Promise<never> => new Promise(() => undefined);

const handlers = {
  echo: (value: unknown) => value,
  hold: forever,
  note: () => undefined,
  read: async (_question: unknown, items: AsyncIterable<unknown>) => {
    for await (const item of items) void item;
  },
  wait: forever,
};

/** A server of sessions; `ticks` events a second are broadcast. */
function sessions(options: object = {}, ticks = 0, scheme: "tcp" | "tls" = "tcp"): Kind {
  return {
    async serve() {
      const tls = scheme === "tls" ? await identity() : undefined;
      const server = await serveSessions(target, `${scheme}://${HOST}:0`, { handlers, tls, ...options });
      const ticking = ticks > 0 ? setInterval(() => server.remote.tick(1), 1000 / ticks) : undefined;
      const close = async (): Promise<void> => {
        clearInterval(ticking);
        await server.close({ timeoutMs: 0 });
      };
      return { host: HOST, port: server.localAddress.port, close };
    },
    async open({ host, port }) {
      const tls = scheme === "tls" ? { insecure: true } : undefined;
      const session = await connectSession(target, `${scheme}://${host}:${port}`, {
        handlers: { tick: () => undefined },
        timeoutMs: 5000,
        tls,
      });
      return { ask: () => session.remote.echo(1, { timeoutMs: 10_000 }), close: () => session.abort() };
    },
  };
}

/** A server that sends every message of a codec back, one after the other. */
function framed<Message>(codec: Codec<Message>, message: Message): Kind {
  return {
    async serve() {
      const server = await serve(`tcp://${HOST}:0`, async (peer) => {
        const messages = peer.framed(codec);
        for await (const one of messages) await messages.send(one);
      });
      return { host: HOST, port: server.localAddress.port, close: () => server.close({ timeoutMs: 0 }) };
    },
    async open({ host, port }) {
      const messages = (await connect(`tcp://${host}:${port}`, { timeoutMs: 5000 })).framed(codec);
      const ask = async (): Promise<void> => {
        await messages.send(message);
        if ((await messages.receive({ timeoutMs: 10_000 })) === null) throw new Error("the server has ended");
      };
      return { ask, close: () => messages.socket.abort() };
    },
  };
}

/** Two services that anybody may use, beside each other. */
const guarded: Kind = {
  async serve() {
    const echo = (): ReturnType<typeof serveDatagrams> =>
      serveDatagrams(`udp://${HOST}:0`, ({ data }) => data, { replies: "guarded" });
    const [one, other] = await Promise.all([echo(), echo()]);
    const { port } = one.localAddress;
    // What a forged datagram with the address of the other one would bring about.
    const provoke = (): Promise<void> => other.socket.send("again", one.localAddress);
    return {
      host: HOST,
      port,
      provoke,
      close: () => Promise.all([one.close({ timeoutMs: 0 }), other.close({ timeoutMs: 0 })]),
    };
  },
  async open({ host, port }) {
    const box = await bind(`udp://${host}:0`, { remote: `udp://${host}:${port}` });
    const ask = async (): Promise<void> => {
      await box.send("hola");
      await box.receive({ timeoutMs: 10_000 });
    };
    return { ask, close: () => box.close() };
  },
};

const datagrams: Kind = {
  async serve() {
    const server = await serveStateless(readings, `udp://${HOST}:0`, {
      handlers: { echo: (value) => value, note: () => undefined },
    });
    return { host: HOST, port: server.localAddress.port, close: () => server.close({ timeoutMs: 0 }) };
  },
  async open({ host, port }) {
    const client = await connectStateless(readings, `udp://${host}:${port}`);
    return { ask: () => client.remote.echo(1, { timeoutMs: 10_000 }), close: () => client.close({ timeoutMs: 0 }) };
  },
};

const resynchronise = (): undefined => undefined;
let strangers = 0;
/** Whoever says a name has it; the others are somebody else each. */
const authenticate = ({ auth }: { readonly auth: unknown }): string => {
  if (typeof auth === "string") return auth;
  strangers += 1;
  return `stranger ${strangers}`;
};
const slowly = async (): Promise<string> => {
  await sleep(300);
  return authenticate({ auth: undefined });
};

/** By name. */
export const kinds = {
  sessions: sessions(),
  broadcasting: sessions({}, 1000),
  deciding: sessions({ authenticate: slowly }),
  secure: sessions({}, 0, "tls"),
  few: sessions({ limits: { maxSessions: 100, maxUnauthenticated: 100 } }),
  principals: sessions({
    authenticate,
    limits: { maxHeldBytesPerPrincipal: 65_536, maxSessionsPerAddress: 20_000 },
    resume: { resumeTimeoutMs: 600_000 },
  }),
  jsonLines: framed(chain(lines({ resynchronise }), json<object>()), { n: 1 }),
  crlfLines: framed(lines({ ending: "crlf", resynchronise }), "hola"),
  lines: framed(lines(), "hola"),
  blocks: framed(cobs({ resynchronise }), Buffer.from("hola") as Uint8Array),
  maps: framed(chain(lengthPrefix(), msgpack<object>()), { n: 1 }),
  guarded,
  datagrams,
} as const satisfies Record<string, Kind>;
