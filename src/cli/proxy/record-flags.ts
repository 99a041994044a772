/** What the command writes to files: the faults as a schedule, and what has passed as a capture. */

import { closeSync, openSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { type FaultProxies, formatSchedule, type ProxyRecording } from "../../proxy.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import type { Output } from "../terminal/output.ts";
import { CaptureFile } from "./capture-file.ts";

const TEXTS = inLanguage({
  en: {
    save: "write the faults of this run to a file at the end, but those of --config, as a list for --faults",
    capture: "write what passes through to a file, for Wireshark and tshark",
    unwritable: (file: string, why: string) => `cannot write ${file}: ${why}`,
    saved: (file: string, faults: number) => `${file}: ${faults === 1 ? "1 fault" : `${faults} faults`}`,
    dropped: (faults: number) => `the list is full; ${faults} faults more are not in it`,
  },
  es: {
    save: "escribe al final los fallos de esta ejecución en un archivo, menos los de --config, como lista para --faults",
    capture: "escribe lo que pasa en un archivo, para Wireshark y tshark",
    unwritable: (file, why) => `no se puede escribir ${file}: ${why}`,
    saved: (file, faults) => `${file}: ${faults === 1 ? "1 fallo" : `${faults} fallos`}`,
    dropped: (faults) => `la lista está llena; otros ${faults} fallos no están en ella`,
  },
});

/** The flags of what is written. */
export interface RecordFlags {
  readonly save?: string;
  readonly capture?: string;
}

/** Adds them. */
export function addRecordFlags(command: Command): void {
  command.option("--save <file>", TEXTS.save).option("--capture <file>", TEXTS.capture);
}

/** Begins to write what the flags ask for. The answer writes what is left, and closes the files. */
export function beginRecords({ save, capture }: RecordFlags, running: FaultProxies, output: Output): () => void {
  const ends: (() => void)[] = [];
  const failure = (file: string, { message }: Error): Error =>
    new CommandFailure("FILE", TEXTS.unwritable(file, message));
  if (save !== undefined) {
    const fd = open(save);
    const recording = running.record();
    ends.push(() => {
      try {
        saveList(fd, recording, save, output);
      } catch (error) {
        output.warning(failure(save, error as Error));
      } finally {
        closeSync(fd);
      }
    });
  }
  if (capture !== undefined) {
    const file = new CaptureFile(open(capture), (error) => output.warning(failure(capture, error)));
    const stop = running.capture((block) => file.write(block), { epochMs: Date.now() });
    ends.push(() => {
      stop();
      file.close();
    });
  }
  return () => {
    for (const end of ends) end();
  };
}

function saveList(fd: number, recording: ProxyRecording, file: string, output: Output): void {
  const schedule = recording.stop();
  writeFileSync(fd, formatSchedule(schedule));
  const faults = schedule.faults.length;
  output.say({ event: "saved", file, faults }, TEXTS.saved(file, faults));
  if (recording.dropped > 0) output.warning(new CommandFailure("FILE", TEXTS.dropped(recording.dropped)));
}

function open(file: string): number {
  try {
    return openSync(file, "w");
  } catch (error) {
    throw wrongUsage(TEXTS.unwritable(file, (error as Error).message));
  }
}
