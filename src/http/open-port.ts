/** Listening on a port of this machine. */

import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { systemError } from "../node/errno.ts";
import { opened } from "../node/listen-transport.ts";
import type { Door } from "./access.ts";

/** An open door. */
export interface OpenDoor {
  /** Where it is, with its token if it has one. */
  readonly url: string;
  /** Ends it; requests under way are cut. Never rejects. */
  close(): Promise<void>;
}

/** Makes the server of a door, which says who may come in. */
export type MakeServer = (door: () => Door) => Server;

/** Where to listen, and for whom. */
export interface PortOptions {
  /** The call that listens, for its errors. */
  readonly op: string;
  /** An address of the loopback. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
  /** Whether it is behind a token, which then stands in its address. Without one, it may be asked for at another port. */
  readonly token: boolean;
}

const TOKEN_BYTES = 24;

/** Listens on a port. Rejects as `listen` does. */
export async function openPort(
  { op, host = "127.0.0.1", port, token: hasToken }: PortOptions,
  makeServer: MakeServer,
): Promise<OpenDoor> {
  const name = host.includes(":") ? `[${host}]` : host;
  const token = hasToken ? randomBytes(TOKEN_BYTES).toString("base64url") : undefined;
  let hosts: readonly string[] = [];
  const server = makeServer(() => ({ hosts, anyPort: !hasToken, token }));
  try {
    await opened(server, "listening", () => server.listen({ host, port, exclusive: true }));
  } catch (error) {
    server.close();
    throw systemError(error, { op, local: `tcp://${name}:${port}` });
  }
  const { port: real } = server.address() as { readonly port: number };
  hosts = [name, "localhost"].map((one) => (hasToken ? `${one}:${real}` : one));
  const url = `http://${name}:${real}`;
  return { url: token === undefined ? url : `${url}/?token=${token}`, close: () => serverClosed(server) };
}

/** Ends a server, and cuts those who are connected. */
export function serverClosed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
