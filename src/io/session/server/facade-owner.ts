/** What a program asks of one session of a server. */

import { abortError, type SessionEnd, type SessionStatus } from "../end.ts";
import { type FacadeOwner, partsOf } from "../endpoint/session.ts";

/** How the program ends one session of a server. */
export const FACADE_OWNER: FacadeOwner = {
  statusOf: (facade): SessionStatus => partsOf(facade).endpoint.status,
  async close(facade, message, time) {
    const { endpoint } = partsOf(facade);
    await endpoint.ending.close(message, time);
    return endpoint.end as SessionEnd;
  },
  // The server keeps the process alive, or does not.
  refer: () => undefined,
  abort: (facade, reason) => partsOf(facade).endpoint.abort(abortError(reason)),
};
