/** The whole page, put together. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { PageMessage } from "../../proxy/page/wire.ts";
import { addressOf, ask, Refused } from "../shell/ask.ts";
import { type LinkState, listen } from "../shell/listen.ts";
import { inLanguage } from "../shell/language.ts";
import { useVisible } from "../shell/visible.ts";
import { Frame } from "../shell/shell.ts";
import { ServerClock } from "./clock.ts";
import { Connections, type Selected } from "./connections.ts";
import { Diagram } from "./diagram.ts";
import { type Edited, FaultForm } from "./fault-form.ts";
import { FlowStore } from "./flow-store.ts";
import { Lanes } from "./lanes.ts";
import { Schedule } from "./schedule.ts";
import { NOTHING, type PageState, reduced } from "./state.ts";

const TEXTS = inLanguage({
  en: { title: "fault proxy", seed: "seed" },
  es: { title: "proxy de fallos", seed: "semilla" },
});

/** The page of the fault proxy. */
export function ProxyPage(): VNode {
  const texts = TEXTS();
  const flow = useMemo(() => new FlowStore(), []);
  const clock = useMemo(() => new ServerClock(() => performance.now()), []);
  const [selected, setSelected] = useState<Selected>();
  const [edited, setEdited] = useState<Edited>();
  const [error, setError] = useState("");
  const { state, link } = useMessages(flow, clock, selected);

  const select = (next: Selected | undefined): void => {
    if (next?.proxy === selected?.proxy && next?.number === selected?.number) return;
    flow.clear();
    setSelected(next);
  };
  const attempt = async (action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
      setError("");
    } catch (problem) {
      setError(problem instanceof Refused ? problem.message : String(problem));
    }
  };
  const actions = {
    begin: (proxy: Edited["proxy"]) => setEdited({ proxy, id: undefined, fault: undefined }),
    edit: (proxy: Edited["proxy"], { id, fault }: { readonly id: number; readonly fault: Edited["fault"] }) =>
      setEdited({ proxy, id, fault }),
    turn: ({ name, enabled }: Edited["proxy"]) =>
      attempt(() => ask("POST", `/proxies/${encodeURIComponent(name)}`, { enabled: !enabled })),
  };
  return html`<${Frame} title=${texts.title} link=${link} tools=${html`<span class="quiet-text">${texts.seed} ${state.seed}</span>`}>
    <p class="error" role="alert">${error}</p>
    <${Lanes} state=${state} actions=${actions} />
    <div class="columns">
      <${Diagram} flow=${flow} clock=${clock} selected=${selected} />
      <${Connections} rows=${state.connections} more=${state.more} nowMs=${state.nowMs} selected=${selected} select=${select} />
    </div>
    <${Schedule} state=${state} attempt=${attempt} />
    ${edited === undefined ? "" : html`<${FaultForm} edited=${edited} close=${() => setEdited(undefined)} />`}
  <//>`;
}

/** What the server tells, while somebody sees the page. Rows of the selected connection go to the diagram, which draws them by itself. */
function useMessages(
  flow: FlowStore,
  clock: ServerClock,
  selected: Selected | undefined,
): { readonly state: PageState; readonly link: LinkState } {
  const [state, setState] = useState(NOTHING);
  const [link, setLink] = useState<LinkState>("lost");
  const { proxy, number } = selected ?? {};
  const isVisible = useVisible();
  useEffect(() => {
    if (!isVisible) return undefined;
    const query = proxy === undefined ? undefined : { proxy, connection: String(number) };
    return listen<PageMessage>(addressOf("/events", query), {
      rows: (messages) => {
        for (const message of messages) {
          if (message.type === "flow") flow.add(message);
          if (message.type !== "pulse") continue;
          clock.heard(message.nowMs);
          flow.heardAt(message.nowMs);
        }
        if (messages.some(({ type }) => type !== "flow")) setState((before) => messages.reduce(reduced, before));
      },
      state: setLink,
    });
  }, [proxy, number, isVisible]);
  return { state, link };
}
