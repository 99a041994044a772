/** What the server does, on any network: the real one, or the simulated one of a test. */

import { type NetworkOption, type ServeOptions, type Server, type SignalOptions, serve } from "zocalo";
import { lines } from "zocalo/framing";

/** Greets everybody who sends a line with a name. */
export function openGreeter(
  address: string,
  options: ServeOptions & SignalOptions & NetworkOption = {},
): Promise<Server> {
  return serve(
    address,
    async (peer) => {
      const talk = peer.framed(lines());
      for await (const name of talk) await talk.send(`good day, ${name}`);
    },
    options,
  );
}
