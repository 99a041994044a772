/** What the option `journal` must look like. */

import type { OptionRule } from "../../core/options/check-options.ts";
import type { SessionJournal } from "./journal.ts";

const FUNCTIONS = ["open", "read", "commit", "remove", "append", "follow", "publish", "close"] as const;

/** An object with the functions of a {@link SessionJournal}, and a name. */
export const JOURNAL: OptionRule = {
  wanted: "a journal, such as memoryJournal()",
  holds: (value) => {
    const journal = value as Partial<SessionJournal> | null | undefined;
    return typeof journal?.name === "string" && FUNCTIONS.every((name) => typeof journal[name] === "function");
  },
};
