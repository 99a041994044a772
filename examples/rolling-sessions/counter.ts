/** A program for primary.ts whose sessions go on in the next worker. ADDRESS: where it serves; JOURNAL: its file, on a disk of this machine. */

import { fileJournal } from "zocalo/journal-file";
import { serveSessions } from "zocalo/protocol";
import { counter } from "./contract.ts";

const { ADDRESS = "tcp://127.0.0.1:7000", JOURNAL = "sessions.db" } = process.env;
await serveSessions(counter, ADDRESS, {
  journal: fileJournal({ path: JOURNAL }),
  data: () => ({ counted: 0 }),
  handlers: { count: (_nothing, { session }) => (session.data.counted += 1) },
  closeOn: ["SIGTERM"],
});
process.send?.("ready");
