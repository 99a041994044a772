/** What simulated programs write to stdout and stderr. */

import { type SimulatedPlace, simulatedPlace } from "../../sim.ts";

type Write = (text: string) => void;

/** Told of each text that is written, with what writes it. `place` is undefined for what no simulated program writes. */
type Taker = (text: string, place: SimulatedPlace | undefined, write: Write) => void;

/** Nothing is written: for a hunt, in which the same program runs a thousand times. */
export function holdAllBack(): () => void {
  return take(() => undefined);
}

/** Nothing of what simulated programs write is shown: for commands that run a program more than once. */
export function holdProgramsBack(): () => void {
  return take((text, place, write) => {
    if (place === undefined) write(text);
  });
}

/** Each line of simulated programs is shown, with the virtual time and the name of the host before it. */
export function showPrograms(): () => void {
  /** The line that a host has begun and not ended, of each stream. */
  const begun = new Map<Write, Map<string, string>>();
  const restore = take((text, place, write) => {
    if (place === undefined) return write(text);
    const ofHosts = begun.get(write) ?? new Map<string, string>();
    begun.set(write, ofHosts);
    const lines = `${ofHosts.get(place.host) ?? prefix(place)}${text}`.split("\n");
    const rest = lines.pop() ?? "";
    for (const [index, line] of lines.entries()) write(`${index === 0 ? "" : prefix(place)}${line}\n`);
    if (rest !== "") ofHosts.set(place.host, lines.length === 0 ? rest : prefix(place) + rest);
    else ofHosts.delete(place.host);
  });
  return () => {
    restore();
    for (const [write, ofHosts] of begun) for (const rest of ofHosts.values()) write(`${rest}\n`);
  };
}

function prefix({ host, atMs }: SimulatedPlace): string {
  return `[${atMs.toFixed(3)} ms ${host}] `;
}

/** Takes everything that is written from now on; the answer gives it back. */
function take(taker: Taker): () => void {
  const restores = [process.stdout, process.stderr].map((stream) => {
    const original = stream.write.bind(stream);
    const write: Write = (text) => void original(text);
    const taking = (chunk: string | Uint8Array, ...others: readonly unknown[]): boolean => {
      const encoding = others.find((one) => typeof one === "string") as BufferEncoding | undefined;
      taker(
        typeof chunk === "string" ? Buffer.from(chunk, encoding).toString() : Buffer.from(chunk).toString(),
        simulatedPlace(),
        write,
      );
      const done = others.find((one) => typeof one === "function");
      if (done !== undefined) process.nextTick(done);
      return true;
    };
    stream.write = taking;
    return () => {
      stream.write = original;
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}
