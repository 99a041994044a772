/** Workers of node:cluster: what they share with each other belongs to the primary process. */

import cluster from "node:cluster";

/** Whether this process is a worker. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** Leaves the primary, as a worker does that wants to end: the channel to it would keep the process alive. Resolves when it has left. */
export async function leaveCluster(): Promise<void> {
  const { worker } = cluster;
  if (worker?.isConnected() !== true) return;
  await new Promise((resolve) => worker.once("disconnect", resolve).disconnect());
}
