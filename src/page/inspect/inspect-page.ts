/** The whole page: the view that its address names. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { placeFrom } from "./place.ts";
import { ServersView } from "./servers-view.ts";
import { SessionView } from "./session-view.ts";
import { SessionsView } from "./sessions-view.ts";

/** The page of the inspector. */
export function InspectPage(): VNode {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const place = placeFrom(hash);
  if (place.view === "servers") return html`<${ServersView} />`;
  if (place.view === "session") return html`<${SessionView} key=${place.id} id=${place.id} />`;
  return html`<${SessionsView} place=${place} />`;
}
