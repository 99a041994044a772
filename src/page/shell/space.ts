/** The space bar: it stops and goes on with what moves on a page. */

import { useLayoutEffect } from "preact/hooks";

/** Where a space is pressed or written. */
const FIELDS = "button, input, select, textarea, a, summary, dialog";

/** Calls `pressed` for the space bar, except where that means something else. */
export function useSpace(pressed: () => void): void {
  // Anew for each picture and at once: what is called knows what is shown, however soon the next press comes.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      if (event.key !== " " || (target instanceof Element && target.closest(FIELDS) !== null)) return;
      event.preventDefault();
      pressed();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}
