/** The schedule as bars: what is played, what was recorded, and what can be made of both. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { PlayRow, ScheduleRow } from "../../proxy/page/wire.ts";
import { addressOf, ask } from "../shell/ask.ts";
import { bytesText, timeText } from "../shell/bytes.ts";
import { inLanguage, language } from "../shell/language.ts";
import { Panel } from "../shell/shell.ts";
import { shellScript, toxiproxyCalls } from "./copy-as-test.ts";
import { faultText, KINDS } from "./faults.ts";
import type { Kind } from "./kind-name.ts";
import type { PageState } from "./state.ts";

const TEXTS = inLanguage({
  en: {
    title: "Schedule",
    none: "Record what you do by hand, or open a schedule, such as one that zocalo sim shrink has written.",
    record: "Record",
    stop: "Stop recording",
    replay: "Play the recording",
    halt: "Stop playing",
    open: "Open a schedule…",
    saveSchedule: "Save the schedule",
    savePcapng: "Save pcapng",
    command: "Copy as test: zocalo",
    calls: "Copy as test: Toxiproxy",
    copied: "copied",
    recording: (time: string, bytes: string) => `recording for ${time}, ${bytes} captured`,
    lost: (count: number) => `${count} packets found no place in the capture`,
    promise:
      "A replay has the same faults at the same points of each connection. The programs are real, so the run need not be the same.",
    played: "being played",
    recorded: "recorded",
    all: "all proxies",
  },
  es: {
    title: "Guion",
    none: "Graba lo que haces a mano, o abre un guion, como los que escribe zocalo sim shrink.",
    record: "Grabar",
    stop: "Dejar de grabar",
    replay: "Repetir lo grabado",
    halt: "Parar el guion",
    open: "Abrir un guion…",
    saveSchedule: "Guardar el guion",
    savePcapng: "Guardar pcapng",
    command: "Copiar como prueba: zocalo",
    calls: "Copiar como prueba: Toxiproxy",
    copied: "copiado",
    recording: (time, bytes) => `grabando desde hace ${time}, ${bytes} capturados`,
    lost: (count) => `${count} paquetes no cupieron en la captura`,
    promise:
      "Una repetición tiene los mismos fallos en los mismos puntos de cada conexión. Los programas son de verdad, así que no tiene por qué salir igual.",
    played: "en marcha",
    recorded: "grabado",
    all: "todos los proxies",
  },
});

/** What the panel needs. */
export interface ScheduleProps {
  readonly state: PageState;
  /** Does what may be refused, and shows what the server says then. */
  readonly attempt: (action: () => Promise<unknown>) => Promise<void>;
}

/** The panel. */
export function Schedule({ state, attempt }: ScheduleProps): VNode {
  const texts = TEXTS();
  const { recording, captured, plays, proxies, seed, nowMs } = state;
  const [copied, setCopied] = useState("");
  const isOn = recording.state === "on";
  const has = recording.state !== "none";
  const copy = (name: string, text: string): void => {
    void attempt(async () => {
      await navigator.clipboard.writeText(text);
      setCopied(name);
    });
  };
  const open = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) await attempt(async () => ask("POST", "/plays", JSON.parse(await file.text())));
  };
  return html`<${Panel} name="schedule" title=${texts.title}>
    <div class="buttons">
      ${
        isOn
          ? html`<button class="main" onClick=${() => attempt(() => ask("DELETE", "/recording"))}>■ ${texts.stop}</button>`
          : html`<button class="main" onClick=${() => attempt(() => ask("POST", "/recording", { epochMs: Date.now() }))}>● ${texts.record}</button>`
      }
      <button disabled=${recording.state !== "stopped"} onClick=${() => attempt(() => ask("POST", "/plays"))}>▶ ${texts.replay}</button>
      ${plays.length > 0 ? html`<button onClick=${() => attempt(() => ask("DELETE", "/plays"))}>■ ${texts.halt}</button>` : ""}
      <label class="file">${texts.open}
        <input type="file" accept=".json,application/json" onChange=${({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => open(currentTarget.files?.[0])} />
      </label>
      <${Download} is=${has} path="/schedule.json" text=${texts.saveSchedule} />
      <${Download} is=${has} path="/capture.pcapng" text=${texts.savePcapng} />
      <button onClick=${() => copy("command", shellScript(seed, proxies, recording.schedule))}>${texts.command}</button>
      <button onClick=${() => copy("calls", toxiproxyCalls(proxies))}>${texts.calls}</button>
      <span class="quiet-text" role="status">${copied === "" ? "" : texts.copied}</span>
    </div>
    ${isOn ? html`<p>${texts.recording(timeText(nowMs - recording.beganAtMs, language()), bytesText(captured.bytes, language()))}</p>` : ""}
    ${captured.lost > 0 ? html`<p class="error">${texts.lost(captured.lost)}</p>` : ""}
    ${plays.map((play) => html`<${Bars} key=${play.beganAtMs} name=${texts.played} schedule=${play.schedule} atMs=${nowMs - play.beganAtMs} />`)}
    ${recording.schedule === undefined ? "" : html`<${Bars} name=${texts.recorded} schedule=${recording.schedule} atMs=${undefined} />`}
    <p class="quiet-text">${has || plays.length > 0 ? texts.promise : texts.none}</p>
  <//>`;
}

function Download({ is, path, text }: { readonly is: boolean; readonly path: string; readonly text: string }): VNode {
  if (!is) return html`<button disabled>${text}</button>`;
  return html`<a class="button" href=${addressOf(path)} download>${text}</a>`;
}

interface BarsProps {
  readonly name: string;
  readonly schedule: PlayRow["schedule"];
  /** Where it is now; undefined when it is not played. */
  readonly atMs: number | undefined;
}

/** The most bars of a schedule. */
const MOST_BARS = 100;

/** A bar for each fault, over the time of the schedule. */
function Bars({ name, schedule, atMs }: BarsProps): VNode {
  const { faults } = schedule;
  const endMs = lastMsOf(schedule);
  const share = (ms: number): string => `${Math.min(100, (ms / endMs) * 100)}%`;
  return html`<figure class="bars">
    <figcaption>${name} · ${timeText(endMs, language())}</figcaption>
    ${faults.slice(0, MOST_BARS).map(({ atMs: beganMs, lastsMs, proxy, ...fault }) => {
      const text = faultText(fault, language());
      const sort = Object.hasOwn(KINDS, fault.kind) ? KINDS[fault.kind as Kind].sort : "delay";
      const label = `${text}, ${proxy ?? TEXTS().all}: ${timeText(beganMs, language())} + ${timeText(lastsMs, language())}`;
      const width = `max(3px, ${share(Math.min(lastsMs, endMs - beganMs))})`;
      return html`<div class="row" title=${label}><span class="stretch acting ${sort}" style=${{ left: share(beganMs), width }}></span><span class="name" style=${{ left: share(Math.min(beganMs, endMs * 0.7)) }}>${text}</span></div>`;
    })}
    ${atMs === undefined ? "" : html`<i class="now" style=${{ left: share(atMs) }}></i>`}
  </figure>`;
}

function lastMsOf({ chaosMs = Number.POSITIVE_INFINITY, faults }: ScheduleRow): number {
  const ends = faults.map(({ atMs, lastsMs }) => atMs + lastsMs);
  return Math.max(1, Math.min(chaosMs, Math.max(0, ...ends)));
}
