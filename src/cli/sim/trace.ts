/** `zocalo sim trace`: everything that happens in a run, as text or as packets. */

import type { Command } from "commander";
import { explore, type TraceRecord } from "../../sim.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, leaveSignals, running } from "../terminal/run-command.ts";
import { holdProgramsBack } from "./program-output.ts";
import { simFailure, writeResult } from "./report.ts";
import { addSeedFlags, loadSimulation, newSimCommand, replayLine, runOf, type SimFlags } from "./sim-flags.ts";

interface TraceFlags extends SimFlags {
  readonly json?: boolean;
  readonly pcapng?: string;
}

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "show what happens in a run",
      paragraphs: [
        "Runs one seed and prints what happens, a line for each packet, fault and life of a host: the virtual time in " +
          "milliseconds, the host, the connection, the event, and how many bytes. Flags of TCP are S(YN), F(IN), R(ST) and . " +
          "for ACK, with the sequence and acknowledgement numbers behind them.",
        "With --pcapng the packets go to a file that Wireshark and tshark open.",
      ],
    },
    json: "print the trace as lines of JSON, with a rolling hash",
    pcapng: "write the packets to a file, and print nothing",
  },
  es: {
    help: {
      summary: "enseña lo que ocurre en una ejecución",
      paragraphs: [
        "Ejecuta una semilla y escribe lo que ocurre, una línea por cada paquete, fallo y vida de una máquina: el tiempo " +
          "virtual en milisegundos, la máquina, la conexión, el suceso y cuántos bytes. Las marcas de TCP son S(YN), F(IN), " +
          "R(ST) y . para ACK, con los números de secuencia y de acuse de recibo detrás.",
        "Con --pcapng los paquetes van a un archivo que abren Wireshark y tshark.",
      ],
    },
    json: "escribe la traza como líneas de JSON, con un resumen que avanza",
    pcapng: "escribe los paquetes en un archivo, y nada más",
  },
});
/** Lines are written in pieces of so many characters. */
const PIECE_CHARACTERS = 65_536;

/** The command. */
export function simTraceCommand(): Command {
  const examples = [
    "zocalo sim trace orders.mjs --seed 17 | less",
    "zocalo sim trace orders.mjs --seed 17 --pcapng orders.pcapng",
  ];
  const command = newSimCommand("trace", { ...TEXTS.help, examples })
    .option("--json", TEXTS.json)
    .option("--pcapng <file>", TEXTS.pcapng);
  return addSeedFlags(command).action(running(trace, {}));
}

async function trace(file: string, flags: TraceFlags, { stdout, output }: CommandContext): Promise<number> {
  leaveSignals();
  const simulation = loadSimulation(file, flags.export);
  const lines: string[] = [];
  const packets: Uint8Array[] = [];
  const wanted =
    flags.pcapng === undefined
      ? { trace: (line: string) => void lines.push(line) }
      : { capture: (bytes: Uint8Array) => void packets.push(bytes) };
  holdProgramsBack();
  const { failure, seed } = await explore(simulation, { ...runOf(flags), ...wanted });
  if (flags.pcapng === undefined) await printLines(flags.json === true ? lines : lines.map(textOf), stdout);
  else {
    await writeResult("--pcapng", flags.pcapng, packets);
    output.say({ event: "written", file: flags.pcapng }, `packets are in ${flags.pcapng}`);
  }
  if (failure !== undefined) throw simFailure(failure.identity, replayLine(file, flags, seed));
  return EXIT.done;
}

/** A line of the trace for people. The header stays as it is. */
function textOf(line: string, index: number): string {
  if (index === 0) return `# ${line}`;
  const { t, host, flow, event, length } = JSON.parse(line) as TraceRecord;
  const bytes = length > 0 ? `  ${length} bytes` : "";
  const where = flow === "" ? "" : `  ${flow}`;
  return `${(t / 1000).toFixed(3).padStart(12)}  ${host.padEnd(10)}${where}  ${event}${bytes}\n`;
}

async function printLines(lines: readonly string[], stdout: CommandContext["stdout"]): Promise<void> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) continue;
    await stdout.write(piece);
    piece = "";
  }
  await stdout.write(piece);
}
