/** Another program that does the same work as ours, from a module that the user names: what the cluster demo compares with. */

import { listen } from "../../index.ts";
import { CommandFailure } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { loadModule } from "../terminal/load-module.ts";
import type { Member, MemberOwner } from "./plaza.ts";

const TEXTS = inLanguage({
  en: { unusable: (path: string) => `${path} does not export serve and open, which --beside needs` },
  es: { unusable: (path) => `${path} no exporta serve y open, que --beside necesita` },
});

/** What runs on the servers, and how a client is opened. */
export interface ClusterProgram {
  readonly role: "node" | "otherNode";
  /** Where a new server is to listen. */
  address(): Promise<string>;
  /** What a process of the role is asked, so that it serves there; it answers the address. */
  serve(address: string): unknown;
  open(addresses: readonly string[], group: string, owner: MemberOwner): Promise<Member>;
}

/** What such a module exports. `bench/peers/socket.io-cluster.mjs` in the repository of Zócalo is one. */
export interface OtherModule {
  /** Serves at a port of 127.0.0.1, and keeps what it keeps in the Redis of this URL. Answers what it can be asked. */
  readonly serve: (place: {
    readonly port: number;
    readonly place: string;
  }) => Promise<{ figures(): { readonly sessions: number } }>;
  /** Opens a client of the servers at these ports, which hears what is said to a group. */
  readonly open: (
    place: { readonly ports: readonly number[]; readonly group: string },
    owner: MemberOwner,
  ) => Promise<Member>;
}

/** What a server process of it is asked. */
export interface OtherQuestion {
  readonly module: string;
  readonly address: string;
  readonly place: string;
}

/** Loads one, by its path. Throws what is wrong with it. */
export function loadOther(path: string): OtherModule {
  const { serve, open } = loadModule(path, "cluster demo") as Partial<OtherModule>;
  if (serve === undefined || open === undefined) throw new CommandFailure("DEMO_FAILED", TEXTS.unusable(path));
  return { serve, open };
}

/** An address on this machine that nobody uses now. */
export async function freeAddress(): Promise<string> {
  const listener = await listen("tcp://127.0.0.1:0");
  const address = String(listener.localAddress);
  await listener.close();
  return address;
}

/** The program of a module, with a Redis at this URL. */
export function otherProgram(module: string, { open }: OtherModule, place: string): ClusterProgram {
  return {
    role: "otherNode",
    address: freeAddress,
    serve: (address): OtherQuestion => ({ module, address, place }),
    open: (addresses, group, owner) => open({ ports: addresses.map(portOf), group }, owner),
  };
}

/** The port of an address of TCP. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
