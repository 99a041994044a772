/** How many datagrams Linux has dropped at one socket: a column of its tables of sockets (/proc/net/udp and udp6). */

import { promises, readlinkSync } from "node:fs";

/** The columns of a line, from 0: the number of the socket, and its drops. */
const INODE = 9;
const DROPS = 12;

/** The kernel's number of a socket; undefined where there is no /proc. */
export function inodeOf(descriptor: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

/** The drops of one socket; undefined where the kernel has no table, or the socket is gone. */
export async function kernelDropsOf(inode: string, family: 4 | 6): Promise<number | undefined> {
  const path = family === 6 ? "/proc/self/net/udp6" : "/proc/self/net/udp";
  const table = await promises.readFile(path, "latin1").catch(() => "");
  return dropsIn(table, inode);
}

/** Finds a socket in a table. An address would not do: sockets that share a port have the same one. */
export function dropsIn(table: string, inode: string): number | undefined {
  for (const line of table.split("\n")) {
    if (!line.includes(` ${inode} `)) continue;
    const columns = line.trim().split(/\s+/);
    const drops = columns[DROPS];
    if (columns[INODE] === inode && drops !== undefined) return Number(drops);
  }
  return undefined;
}
