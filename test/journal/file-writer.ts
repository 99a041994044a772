/**
 * Writes to a journal in a file until it is killed, and prints what was acknowledged: `commit NUMBER` and `append NUMBER`, each after
 * its promise. `file-writer.js PATH FROM`, where FROM is the first number.
 */

import { fileJournal } from "zocalo/journal-file";
import { appendOne } from "../../src/testing/journal/scene.ts";

const [path = "", from = "0"] = process.argv.slice(2);

const journal = fileJournal({ path });
await journal.open({ keptMs: 600_000 });
let { version } = (await journal.read("counter")) ?? { version: 0 };
for (let number = Number(from); ; number += 1) {
  const body = Buffer.from(String(number));
  version = await journal.commit("counter", version, body);
  process.stdout.write(`commit ${number}\n`);
  await appendOne(journal, "numbers", `key ${number}`, body);
  process.stdout.write(`append ${number}\n`);
}
