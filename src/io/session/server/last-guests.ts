/** Who is at the door when a server leaves whose address others share. */

import type { Clock } from "../../network/network.ts";
import type { GracefulClose } from "../../operation/graceful-close.ts";

/** So long a client that has connected already may take to introduce itself to a server that leaves. */
const LAST_GUESTS_MS = 1000;

/** Stops accepting, and waits until who has connected is taken in: nobody else would. */
export async function lastGuests(
  reception: { readonly isQuiet: boolean; onAnswered: (() => void) | undefined },
  listener: { readonly handshakes: number; shut(): Promise<void> },
  clock: Clock,
  closing: Pick<GracefulClose<unknown>, "look" | "untilIdle">,
): Promise<void> {
  void listener.shut();
  reception.onAnswered = () => closing.look();
  let late = (): void => undefined;
  const time = new Promise<void>((resolve) => {
    late = resolve;
  });
  const timer = clock.setTimer(late, LAST_GUESTS_MS);
  await Promise.race([time, closing.untilIdle(() => reception.isQuiet && listener.handshakes === 0)]);
  timer.cancel();
}
