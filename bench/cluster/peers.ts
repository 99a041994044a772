/** The ways of talking by their names. */

import type { ClusterPeer } from "./peer.ts";

/** Loaded when it is used: each needs packages of its own. */
export async function clusterPeer(kind: string): Promise<ClusterPeer> {
  if (kind === "zocalo") return await import("./zocalo.ts");
  // Other people's is plain JavaScript with a package file of its own.
  const file = new URL(`../../../bench/peers/${kind}-cluster.mjs`, import.meta.url);
  return (await import(file.href)) as ClusterPeer;
}
