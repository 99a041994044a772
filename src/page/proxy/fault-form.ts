/** The form in which a fault begins, changes and ends. What the server says of it is shown as it says it. */

import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FaultFields, ProxyRow } from "../../proxy/page/wire.ts";
import { ask, Refused } from "../shell/ask.ts";
import { inLanguage, language } from "../shell/language.ts";
import { faultFrom, type Field, firstValues, KINDS, kindsFor, type Values, valuesOf, WHEN } from "./faults.ts";
import { type Kind, kindName } from "./kind-name.ts";
import { shortName } from "./state.ts";
import { TwoNumbers } from "./typed-number.ts";

const TEXTS = inLanguage({
  en: {
    begin: (proxy: string) => `A fault in ${proxy}`,
    change: (proxy: string) => `Change a fault in ${proxy}`,
    kind: "Fault",
    way: "Direction",
    ways: { both: "both", toServer: "client → server", toClient: "server → client" },
    when: "When it acts",
    json: "The fault as JSON",
    start: "Begin",
    save: "Change",
    end: "End it",
    cancel: "Cancel",
    optional: "optional",
    two: (typed: string, readings: readonly string[]) =>
      `“${typed}” may be a thousand or a decimal: write ${readings.join(" or ")}`,
    fields: {
      latency: "delay",
      jitter: "more or less",
      chance: "probability, 0 to 1",
      enter: "probability that a burst begins",
      leave: "probability that it ends",
      rate: "bandwidth",
      middlebox: "the flipped bit arrives",
      delayMs: "delay",
      averageBytes: "size of a piece",
      variationBytes: "more or less",
      bytes: "behind so many bytes",
      afterMs: "after",
      connections: "connections, as 3, 1-2 or 5-",
      match: "when these bytes pass: a text, or 0x…",
    },
    kinds: {
      latency: "everything arrives later",
      loss: "packets are lost: on TCP that is delay, since it sends them again",
      "burst-loss": "packets are lost in bursts",
      bandwidth: "a slow link",
      corruption: "a bit is flipped: TCP finds it and sends again",
      duplication: "datagrams arrive twice; TCP leaves doubles out",
      reordering: "some are held back and overtaken; on TCP that is delay",
      slicing: "bytes arrive in small pieces",
      cut: "the connection closes behind so many bytes",
      linger: "the end of a direction arrives later",
      timeout: "what comes is lost, and the connection closes",
      reset: "the connection is reset with the next bytes",
      partition: "silence in both directions, until it ends",
      "partition-one-way": "silence in one direction, until it ends",
      isolate: "the server is cut off, until it ends",
    },
  },
  es: {
    begin: (proxy) => `Un fallo en ${proxy}`,
    change: (proxy) => `Cambiar un fallo en ${proxy}`,
    kind: "Fallo",
    way: "Sentido",
    ways: { both: "los dos", toServer: "cliente → servidor", toClient: "servidor → cliente" },
    when: "Cuándo actúa",
    json: "El fallo como JSON",
    start: "Empezar",
    save: "Cambiar",
    end: "Terminarlo",
    cancel: "Cancelar",
    optional: "opcional",
    two: (typed, readings) => `“${typed}” puede tener miles o decimales: escribe ${readings.join(" o ")}`,
    fields: {
      latency: "retraso",
      jitter: "más o menos",
      chance: "probabilidad, de 0 a 1",
      enter: "probabilidad de que empiece una racha",
      leave: "probabilidad de que termine",
      rate: "ancho de banda",
      middlebox: "el bit invertido llega",
      delayMs: "retraso",
      averageBytes: "tamaño de una pieza",
      variationBytes: "más o menos",
      bytes: "después de tantos bytes",
      afterMs: "después de",
      connections: "conexiones: 3, 1-2 o 5-",
      match: "cuando pasan estos bytes: un texto, o 0x…",
    },
    kinds: {
      latency: "todo llega más tarde",
      loss: "se pierden paquetes: en TCP eso es retraso, porque los repite",
      "burst-loss": "se pierden paquetes por rachas",
      bandwidth: "un enlace lento",
      corruption: "se invierte un bit: TCP lo nota y repite",
      duplication: "los datagramas llegan dos veces; TCP quita los repetidos",
      reordering: "algunos se retienen y otros los adelantan; en TCP eso es retraso",
      slicing: "los bytes llegan en piezas pequeñas",
      cut: "la conexión se cierra después de tantos bytes",
      linger: "el final de un sentido llega más tarde",
      timeout: "lo que viene se pierde, y la conexión se cierra",
      reset: "la conexión se corta con un reset en los siguientes bytes",
      partition: "silencio en los dos sentidos, hasta que termine",
      "partition-one-way": "silencio en un sentido, hasta que termine",
      isolate: "el servidor queda aislado, hasta que termine",
    },
  },
});

/** What the form is about. */
export interface Edited {
  readonly proxy: ProxyRow;
  /** The fault that is changed; undefined for a new one. */
  readonly id: number | undefined;
  readonly fault: FaultFields | undefined;
}

/** The form, in front of the page until it is closed. */
export function FaultForm({ edited, close }: { readonly edited: Edited; readonly close: () => void }): VNode {
  const texts = TEXTS();
  const { proxy, id, fault } = edited;
  const place = useRef<HTMLDialogElement>(null);
  const known = fault === undefined ? undefined : valuesOf(fault);
  const [kind, setKind] = useState<Kind>((fault?.kind as Kind | undefined) ?? "latency");
  const [values, setValues] = useState<Values>(known ?? firstValues(kind));
  const [json, setJson] = useState(
    fault !== undefined && known === undefined ? JSON.stringify(fault, undefined, 2) : "",
  );
  const [error, setError] = useState("");
  useEffect(() => place.current?.showModal(), []);

  const path = `/proxies/${encodeURIComponent(proxy.name)}/faults${id === undefined ? "" : `/${id}`}`;
  const send = async (method: string, body?: unknown): Promise<void> => {
    try {
      await ask(method, path, body);
      close();
    } catch (problem) {
      setError(problem instanceof Refused ? problem.message : String(problem));
    }
  };
  const save = (event: Event): void => {
    event.preventDefault();
    try {
      const wanted: unknown = json === "" ? faultFrom(kind, values) : JSON.parse(json);
      void send(id === undefined ? "POST" : "PUT", wanted);
    } catch (problem) {
      setError(problem instanceof TwoNumbers ? texts.two(problem.typed, problem.readings) : String(problem));
    }
  };
  const choose = (next: Kind): void => {
    setKind(next);
    setValues({ ...firstValues(next), way: next === "partition-one-way" ? "toServer" : (values["way"] ?? "both") });
    setError("");
  };
  const put = (name: string, value: string): void => setValues({ ...values, [name]: value });
  return html`<dialog ref=${place} class="form" aria-labelledby="form-title" onClose=${close}>
    <form onSubmit=${save} novalidate>
      <h2 id="form-title">${id === undefined ? texts.begin(shortName(proxy.name)) : texts.change(shortName(proxy.name))}</h2>
      ${
        json === ""
          ? html`<${Fields} kind=${kind} values=${values} datagrams=${proxy.datagrams} choose=${choose} put=${put} />`
          : html`<label class="wide">${texts.json}<textarea rows="8" value=${json} onInput=${({ currentTarget }: { readonly currentTarget: HTMLTextAreaElement }) => setJson(currentTarget.value)}></textarea></label>`
      }
      <p class="error" role="alert">${error}</p>
      <p class="buttons">
        <button class="main" type="submit">${id === undefined ? texts.start : texts.save}</button>
        ${id === undefined ? "" : html`<button type="button" onClick=${() => send("DELETE")}>${texts.end}</button>`}
        <button type="button" class="quiet" onClick=${close}>${texts.cancel}</button>
      </p>
    </form>
  </dialog>`;
}

interface FieldsProps {
  readonly kind: Kind;
  readonly values: Values;
  readonly datagrams: boolean;
  readonly choose: (kind: Kind) => void;
  readonly put: (name: string, value: string) => void;
}

/** What an element tells when it changes. */
interface Changed {
  readonly currentTarget: HTMLInputElement | HTMLSelectElement;
}

function Fields({ kind, values, datagrams, choose, put }: FieldsProps): VNode {
  const texts = TEXTS();
  const { fields, hasWay } = KINDS[kind];
  const hasWhen = WHEN.some(({ name }) => (values[`when.${name}`] ?? "") !== "");
  const ofWhen = WHEN.filter(({ name }) => !datagrams || (name !== "bytes" && name !== "match"));
  const own = fields.filter(({ unit }) => !datagrams || unit !== "flag");
  return html`<div class="fields">
      <label class="wide">${texts.kind}
        <select value=${kind} onChange=${({ currentTarget }: Changed) => choose(currentTarget.value as Kind)}>
          ${kindsFor(datagrams).map((one) => html`<option value=${one} selected=${one === kind}>${kindName(one, language())}</option>`)}
        </select>
      </label>
      <p class="quiet-text wide">${texts.kinds[kind]}</p>
      ${
        hasWay
          ? html`<label class="wide">${texts.way}
            <select value=${values["way"]} onChange=${({ currentTarget }: Changed) => put("way", currentTarget.value)}>
              ${Object.entries(texts.ways)
                .filter(([way]) => way !== "both" || kind !== "partition-one-way")
                .map(([way, text]) => html`<option value=${way} selected=${way === values["way"]}>${text}</option>`)}
            </select>
          </label>`
          : ""
      }
      ${own.map((field) => html`<${Input} key=${field.name} field=${field} name=${field.name} values=${values} put=${put} />`)}
    </div>
    <details open=${hasWhen}>
      <summary>${texts.when} <span class="quiet-text">(${texts.optional})</span></summary>
      <div class="fields">
        ${ofWhen.map((field) => html`<${Input} key=${field.name} field=${field} name=${`when.${field.name}`} values=${values} put=${put} />`)}
      </div>
    </details>`;
}

interface InputProps {
  readonly field: Field;
  readonly name: string;
  readonly values: Values;
  readonly put: (name: string, value: string) => void;
}

function Input({ field, name, values, put }: InputProps): VNode {
  const labels: Readonly<Record<string, string>> = TEXTS().fields;
  const label = labels[field.name] ?? field.name;
  if (field.unit === "flag") {
    const isOn = (values[name] ?? "") !== "";
    return html`<label class="flag"><input type="checkbox" checked=${isOn} onChange=${() => put(name, isOn ? "" : "on")} /> ${label}</label>`;
  }
  const unit = field.unit === "share" || field.unit === "text" ? "" : ` (${field.unit})`;
  return html`<label>${label}${unit}
    <input
      name=${name}
      autocomplete="off"
      inputmode=${field.unit === "text" ? "text" : "decimal"}
      value=${values[name] ?? ""}
      onInput=${({ currentTarget }: Changed) => put(name, currentTarget.value)}
    />
  </label>`;
}
