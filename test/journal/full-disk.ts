/** Writes records to a journal in a file on a disk without room for the long ones, and prints what became of each. `full-disk.js PATH`. */

import { fileJournal } from "zocalo/journal-file";

const journal = fileJournal({ path: process.argv[2] ?? "" });
await journal.open({ keptMs: 600_000 });
for (const [index, name] of ["small", "long", "small", "long", "small"].entries()) {
  const bytes = Buffer.alloc(name === "long" ? 2_000_000 : 10);
  const outcome = await journal.commit(`record ${index}`, 0, bytes).then(
    () => "written",
    (error: { readonly code: string }) => error.code,
  );
  process.stdout.write(`${name}: ${outcome}\n`);
}
await journal.close();
