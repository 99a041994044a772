/** What every page of the package has: a head with its name, the state of its link and the language, and places below it. */

import { type ComponentChildren, type FunctionComponent, render, type VNode } from "preact";
import { html } from "htm/preact";
import type { LinkState } from "./listen.ts";
import { inLanguage, language } from "./language.ts";

const TEXTS = inLanguage({
  en: {
    other: "Español",
    links: {
      open: "live",
      lost: "connecting again…",
      full: "too many pages are open: close one",
      over: "the program has ended",
    },
  },
  es: {
    other: "English",
    links: {
      open: "en vivo",
      lost: "conectando otra vez…",
      full: "hay demasiadas páginas abiertas: cierra una",
      over: "el programa ha terminado",
    },
  },
});

/** What the frame of a page needs. */
export interface FrameProps {
  /** What the page is about, beside the name of the package. */
  readonly title: string;
  readonly link: LinkState;
  /** What stands in the head before the language. */
  readonly tools?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** How the state of a link is said. */
export function linkText(link: LinkState): string {
  return TEXTS().links[link];
}

/** The frame around a page. Everything that belongs to the page stands in it. */
export function Frame({ title, link, tools, children }: FrameProps): VNode {
  const texts = TEXTS();
  return html`<header class="head">
      <h1><span class="mark" aria-hidden="true"></span>Zócalo <small>${title}</small></h1>
      <span class="dot link ${link}" role="status">${linkText(link)}</span>
      <div class="tools">
        ${tools}
        <button class="quiet" lang=${language() === "es" ? "en" : "es"} onClick=${switchLanguage}>${texts.other}</button>
      </div>
    </header>
    <main>${children}</main>`;
}

/** A part of a page with a heading. */
export function Panel(props: {
  readonly name: string;
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children?: ComponentChildren;
}): VNode {
  const { name, title, tools, children } = props;
  return html`<section class="panel ${name}" aria-labelledby="title-${name}">
    <div class="bar"><h2 id="title-${name}">${title}</h2>${tools}</div>
    ${children}
  </section>`;
}

/** Shows a page, and shows it anew when the language becomes another. */
export function show(Page: FunctionComponent): void {
  const place = document.querySelector("#page");
  if (place === null) throw new TypeError("the document has no place for a page");
  const draw = (): void => render(html`<${Page} key=${language()} />`, place);
  document.addEventListener("languagechange", draw);
  draw();
}

function switchLanguage(): void {
  const next = language() === "es" ? "en" : "es";
  document.documentElement.lang = next;
  // Loaded again, the page stays in it.
  const address = new URL(location.href);
  address.searchParams.set("lang", next);
  history.replaceState(undefined, "", address);
  document.dispatchEvent(new Event("languagechange"));
}
