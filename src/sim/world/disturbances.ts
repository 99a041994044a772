/** Faults of links that come and go: what they change is put over what the program has set, and taken away again. */

import { type LinkConditions, type LinkTable, linkTable } from "../../core/faults/conditions.ts";
import type { Link } from "../../core/faults/link.ts";

interface Disturbed {
  /** What the program has set. */
  base: LinkTable;
  readonly changes: Set<{ readonly conditions: LinkConditions }>;
}

/** The disturbed links of one world. */
export class Disturbances {
  readonly #links: Map<Link, Disturbed> = new Map();

  /** Changes the conditions that a link has without its faults. */
  set(link: Link, conditions: LinkConditions): void {
    const disturbed = this.#links.get(link);
    if (disturbed === undefined) link.conditions = linkTable(conditions, link.conditions);
    else {
      disturbed.base = linkTable(conditions, disturbed.base);
      apply(link, disturbed);
    }
  }

  /** Disturbs a link until the answer is called. Of two faults of one kind the later one counts. */
  add(link: Link, conditions: LinkConditions): () => void {
    const disturbed = this.#links.get(link) ?? { base: link.conditions, changes: new Set() };
    const change = { conditions };
    disturbed.changes.add(change);
    this.#links.set(link, disturbed);
    apply(link, disturbed);
    return () => {
      if (!disturbed.changes.delete(change)) return;
      apply(link, disturbed);
      if (disturbed.changes.size === 0) this.#links.delete(link);
    };
  }
}

function apply(link: Link, { base, changes }: Disturbed): void {
  let table = base;
  for (const { conditions } of changes) table = linkTable(conditions, table);
  link.conditions = table;
}
