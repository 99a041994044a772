/** The frame of all views, with the way from one to another. */

import { html } from "htm/preact";
import type { ComponentChildren, VNode } from "preact";
import type { LinkState } from "../shell/listen.ts";
import { Frame } from "../shell/shell.ts";
import { hashOf, type Place } from "./place.ts";
import { texts } from "./texts.ts";

const PLACES: readonly Place[] = [{ view: "servers" }, { view: "sessions", sort: "held" }];

/** What the frame needs. */
export interface PageFrameProps {
  readonly view: Place["view"];
  readonly link: LinkState;
  readonly children?: ComponentChildren;
}

/** The frame around a view. */
export function PageFrame({ view, link, children }: PageFrameProps): VNode {
  const { title, views } = texts();
  const tabs = PLACES.map((place) => {
    const isHere = place.view === view || (place.view === "sessions" && view === "session");
    return html`<a href=${hashOf(place)} aria-current=${isHere ? "page" : undefined}>${views[place.view]}</a>`;
  });
  return html`<${Frame} title=${title} link=${link} tools=${html`<nav class="tabs">${tabs}</nav>`}>${children}<//>`;
}
