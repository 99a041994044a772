/** Whether several sockets can share a port with the kernel spreading the work (SO_REUSEPORT). */

/** The option came with libuv 1.49: Node 22.12 and 23.1. Older ones would ignore it in silence. */
export function hasReusePort(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (process.platform === "win32" || process.platform === "darwin") return false;
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
