/** The receive buffer of a UDP server: what it asks for, and what the kernel gave. */

/** What servers ask for, in bytes (`udp.receiveBufferBytes`). */
export const WANTED_BYTES = 4_194_304;

/** What came of asking for {@link WANTED_BYTES}. */
export interface ReceiveBuffer {
  readonly givenBytes: number;
  /** The kernel gave less, because nobody may have more. */
  readonly isCapped: boolean;
}

/**
 * Judges what a server has.
 *
 * @param reportedBytes - The size that the kernel reports. Linux reports twice what it gave (socket(7)).
 * @param mostBytes - net.core.rmem_max of Linux; undefined where it cannot be read, as in some containers.
 */
export function receiveBuffer(reportedBytes: number, mostBytes: number | undefined, platform: string): ReceiveBuffer {
  const givenBytes = platform === "linux" ? reportedBytes / 2 : reportedBytes;
  return { givenBytes, isCapped: givenBytes < WANTED_BYTES && (mostBytes ?? 0) < WANTED_BYTES };
}
