/** The whole page, put together. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PageMessage } from "../../proxy/page/wire.ts";
import { addressOf, ask, type LinkState, listen, Refused } from "../shell/ask.ts";
import { bytesText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Frame, Panel } from "../shell/shell.ts";
import { NOTHING, reduced } from "./state.ts";

const TEXTS = inLanguage({
  en: { title: "fault proxy", lanes: "Proxies", on: "let in", off: "let nobody in" },
  es: { title: "proxy de fallos", lanes: "Proxies", on: "dejar entrar", off: "no dejar entrar" },
});

/** The page of the fault proxy. */
export function ProxyPage(): VNode {
  const texts = TEXTS();
  const [link, setLink] = useState<LinkState>("lost");
  const [error, setError] = useState("");
  const [state, setState] = useState(NOTHING);
  useEffect(
    () =>
      listen<PageMessage>(addressOf("/events"), {
        rows: (messages) => setState((before) => messages.reduce(reduced, before)),
        state: setLink,
      }),
    [],
  );
  return html`<${Frame} title=${texts.title} link=${link}>
    <${Panel} name="lanes" title=${texts.lanes}>
      ${state.proxies.map(
        ({ name, listen: from, upstream, enabled }) => html`<p key=${name}>
          <b>${name}</b> <code>${from} → ${upstream}</code>
          ${state.bytes[name]?.map((bytes) => html` <span>${bytesText(bytes, language())}</span>`)}
          <button onClick=${() => turn(name, !enabled, setError)}>${enabled ? texts.off : texts.on}</button>
        </p>`,
      )}
      <p class="error" role="alert">${error}</p>
    <//>
  <//>`;
}

/** Says what the server says when it refuses. */
async function turn(name: string, enabled: boolean, tell: (error: string) => void): Promise<void> {
  try {
    await ask("POST", `/proxies/${encodeURIComponent(name)}`, { enabled });
    tell("");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  }
}
