/** What every program in bench/cluster.ts can do: the same work, whatever stands beneath. */

import type { Role } from "../harness/processes.ts";

/** What a member says to its group. */
export interface Said {
  /** Which member. */
  readonly from: number;
  /** Its messages are numbered from 1 on. */
  readonly number: number;
  /** When, on the clock of the process that has all members. */
  readonly atMs: number;
}

/** Where a node listens, and what it keeps its sessions in. */
export interface NodePlace {
  readonly port: number;
  /** `nats`, `redis` or `file`. */
  readonly store: string;
  /** The address of the store, or its path. */
  readonly place: string;
}

/** How a member is told. */
export interface MemberOwner {
  heard(said: Said): void;
  /** The connection is lost. */
  away(): void;
  /** It goes on with what it was. `fresh`: it is a new session, which knows nothing. */
  back(fresh: boolean): void;
}

/** One client. */
export interface Member {
  /** Says something to the group, and waits for no answer. */
  say(said: Said): Promise<unknown> | void;
  /** Says it, and answers how often this member has asked so. */
  count(said: Said): Promise<number>;
  /** Comes back when all that was said before has been heard. */
  settle(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** How members are opened. */
export interface MemberPlace {
  readonly ports: readonly number[];
  readonly group: string;
  /** When a silent server is given up, about. Undefined: as the library has it. */
  readonly heartbeatMs: number | undefined;
}

/** A way of talking. */
export interface ClusterPeer {
  /** A node in a process of its own; answers what it can be asked beside `serve`. */
  serve(place: NodePlace): Promise<Role>;
  open(place: MemberPlace, owner: MemberOwner): Promise<Member>;
}
