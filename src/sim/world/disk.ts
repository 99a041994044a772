/** What a host keeps when it crashes. */

/**
 * The disk of a simulated host: files by name. It outlives crashes; a write is there at once and whole.
 *
 * @example
 * ```ts
 * import { simulate } from "zocalo/sim";
 * await simulate({ seed: 1 }, async (world) => {
 *   const host = world.host("plaza", (_network, disk) => {
 *     disk.write("starts", Buffer.from([(disk.read("starts")?.[0] ?? 0) + 1]));
 *   });
 *   host.crash();
 *   host.restart();
 *   console.log(host.disk.read("starts")?.[0]); // 2
 * });
 * ```
 */
export class Disk {
  readonly #files = new Map<string, Buffer>();

  /** A copy of a file's bytes; undefined when there is none. */
  read(name: string): Buffer | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : Buffer.from(file);
  }

  /** Replaces a file. */
  write(name: string, bytes: Uint8Array): void {
    this.#files.set(name, Buffer.from(bytes));
  }

  /** Removes a file; harmless when there is none. */
  remove(name: string): void {
    this.#files.delete(name);
  }

  /** The names of all files, sorted. */
  list(): readonly string[] {
    return [...this.#files.keys()].sort();
  }
}
