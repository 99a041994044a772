/** All that there is, as one JSON document that can be sent to somebody else: no payloads, whatever the inspector shows. */

import type { Listed } from "./registry.ts";
import { sessionDetail } from "./session-detail.ts";
import type { Sources } from "./sources.ts";
import type { ListRows } from "./wire.ts";

/** More of one kind are not in a dump; it says so. */
const MOST_OBJECTS = 20_000;
/** So many rows at once: the program goes on between them. */
const ROWS_A_PART = 100;

/** The parts of the text. Each is made when it is asked for, so together they are no moment's picture. */
export function* dump(sources: Sources): Generator<string, void> {
  const { registry, rows, errors, about } = sources;
  yield `{"format":"zocalo-inspect","version":1,"about":${JSON.stringify(about())}`;
  yield* list("servers", rows.servers(), (one) => rows.server(one));
  const quiet = { ...sources, payloads: false };
  yield* list("sessions", registry.all("sessions"), (one) => sessionDetail(one, quiet));
  yield* list("connections", registry.all("connections"), (one) => rows.connection(one));
  yield* list("datagrams", registry.all("datagrams"), (one) => rows.datagrams(one));
  yield `,"errors":${JSON.stringify(errors.of())}}`;
}

function* list<Name extends keyof ListRows, T>(
  name: Name,
  objects: Iterable<Listed<T>>,
  rowOf: (object: Listed<T>) => ListRows[Name],
): Generator<string, void> {
  yield `,"${name}":[`;
  let count = 0;
  let part = "";
  let truncated = false;
  for (const object of objects) {
    if (count === MOST_OBJECTS) {
      truncated = true;
      break;
    }
    part += `${count === 0 ? "" : ","}${JSON.stringify(rowOf(object))}`;
    count += 1;
    if (count % ROWS_A_PART > 0) continue;
    yield part;
    part = "";
  }
  yield truncated ? `${part}],"${name}Truncated":true` : `${part}]`;
}
