/** What every program in bench/cluster.ts can do: the same work, whatever stands beneath. */

import type { Member, MemberOwner } from "../../src/cli/demo/plaza.ts";
import type { Role } from "../harness/processes.ts";

/** Where a node listens, and what it keeps its sessions in. */
export interface NodePlace {
  readonly port: number;
  /** `nats`, `redis` or `file`. */
  readonly store: string;
  /** The address of the store, or its path. */
  readonly place: string;
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
