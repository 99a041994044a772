/**
 * A journal of sessions in a file, on the package `lmdb`.
 *
 * @packageDocumentation
 */

export type { FileJournalOptions } from "./journal/file/journal.ts";
export { fileJournal } from "./api/journal-file.ts";
