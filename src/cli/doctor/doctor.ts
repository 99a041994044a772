/** `zocalo doctor`: what this machine offers to programs with sockets. */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, Help } from "commander";
import { bind, listen, type ListenOptions, serveDatagrams, ZocaloError } from "../../index.ts";
import { canSelfSign, HOW_TO_INSTALL } from "../sockets/tls-flags.ts";
import { bytesText } from "../terminal/figures.ts";
import { inLanguage } from "../terminal/language.ts";
import { type Colours, coloursFor, sentenceFor } from "../terminal/output.ts";
import { newCommand } from "../terminal/command.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { receiveBuffer, WANTED_BYTES } from "./receive-buffer.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "show what this machine offers",
      paragraphs: [
        "Tries out what this machine offers and prints it as a table. `ok`: as it should be; `no`: missing; `low`: a " +
          "limit that a busy server may reach.",
        "Fails only when something is missing that every program here needs: a new enough Node, and IPv4 on loopback.",
      ],
      examples: ["zocalo doctor", 'zocalo doctor --json | grep \'"name":"reusePort"\''],
    },
    json: "print one line of JSON for each line of the table, on stdout",
    marks: { ok: "ok", no: "no", low: "low" },
    yes: "yes",
    no: "no",
    unknown: "unknown",
    titles: {
      node: "Node",
      platform: "Platform",
      ipv4: "IPv4 loopback",
      ipv6: "IPv6 loopback",
      unix: "Unix sockets",
      abstractUnix: "Abstract Unix names",
      reusePort: "SO_REUSEPORT",
      openFiles: "Open files",
      backlog: "Longest backlog",
      datagramBuffers: "UDP buffers",
      serverBuffer: "UDP server buffer",
      tls: "TLS",
      selfSigned: "Self-signed keys",
      streams: "Backend of streams",
      datagrams: "Backend of datagrams",
    },
    needs: (version: string) => `zocalo needs ${version} or newer`,
    abstract: "unix:@name, Linux only",
    shared: "several processes on one port",
    notShared: "needs Linux and Node 22.12 or newer",
    file: "each connection is one",
    fewFiles: "each connection is one; raise it with ulimit -n",
    waiting: "connections that wait for a server (somaxconn)",
    shortBacklog: "raise it with sysctl net.core.somaxconn",
    sendBuffer: (bytes: string) => `to receive, ${bytes} to send`,
    onRequest: (bytes: string) => `; at most ${bytes} on request`,
    asked: (bytes: string) => `servers ask for ${bytes} to receive`,
    capped: (bytes: string, setting: string) => `servers ask for ${bytes}; raise it with ${setting}`,
    otherSystem: "the setting of this system for the largest socket buffer",
    transports: "TCP, TLS, Unix sockets",
  },
  es: {
    help: {
      summary: "enseña lo que ofrece esta máquina",
      paragraphs: [
        "Prueba lo que ofrece esta máquina y lo escribe como una tabla. `ok`: está como debe; `no`: falta; `bajo`: un " +
          "límite al que puede llegar un servidor con mucho trabajo.",
        "Falla solo si falta algo que necesitan todos los programas: un Node bastante nuevo, e IPv4 en el bucle local.",
      ],
      examples: ["zocalo doctor", 'zocalo doctor --json | grep \'"name":"reusePort"\''],
    },
    json: "escribe en stdout una línea de JSON por cada línea de la tabla",
    marks: { ok: "ok", no: "no", low: "bajo" },
    yes: "sí",
    no: "no",
    unknown: "no se sabe",
    titles: {
      node: "Node",
      platform: "Plataforma",
      ipv4: "Bucle local IPv4",
      ipv6: "Bucle local IPv6",
      unix: "Sockets Unix",
      abstractUnix: "Nombres abstractos",
      reusePort: "SO_REUSEPORT",
      openFiles: "Archivos abiertos",
      backlog: "Cola más larga",
      datagramBuffers: "Memorias de UDP",
      serverBuffer: "Servidores de UDP",
      tls: "TLS",
      selfSigned: "Claves propias",
      streams: "Flujos",
      datagrams: "Datagramas",
    },
    needs: (version: string) => `zocalo necesita ${version} o más nuevo`,
    abstract: "unix:@nombre, solo en Linux",
    shared: "varios procesos en un puerto",
    notShared: "necesita Linux y Node 22.12 o más nuevo",
    file: "cada conexión es uno",
    fewFiles: "cada conexión es uno; súbelo con ulimit -n",
    waiting: "conexiones que esperan (somaxconn)",
    shortBacklog: "súbelo con sysctl net.core.somaxconn",
    sendBuffer: (bytes: string) => `para recibir, ${bytes} para enviar`,
    onRequest: (bytes: string) => `; como mucho ${bytes} si se piden`,
    asked: (bytes: string) => `los servidores piden ${bytes} para recibir`,
    capped: (bytes: string, setting: string) => `los servidores piden ${bytes}; súbelo con ${setting}`,
    otherSystem: "el ajuste de este sistema para la mayor memoria de un socket",
    transports: "TCP, TLS, sockets Unix",
  },
});

/** The command. */
export function doctorCommand(): Command {
  return newCommand("doctor", TEXTS.help).option("--json", TEXTS.json).action(running(doctor, {}));
}

async function doctor({ json }: { readonly json?: boolean }, { stdout }: CommandContext): Promise<number> {
  const findings = await lookAtMachine();
  const colours = coloursFor(process.stdout);
  const lines = json === true ? findings.map((finding) => JSON.stringify(finding)) : tableOf(findings, colours);
  await stdout.write(`${lines.join("\n")}\n`);
  return findings.some((finding) => finding.needed && finding.state !== "ok") ? EXIT.failed : EXIT.done;
}

function tableOf(findings: readonly Finding[], colours: Colours): readonly string[] {
  const width = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const markWidth = width(["low", ...findings.map(({ state }) => TEXTS.marks[state])]);
  const titleWidth = width(findings.map(({ title }) => title));
  const valueWidth = width(findings.map(({ value }) => value));
  const wrapper = Object.assign(new Help(), { minWidthToWrap: 1 });
  const indent = markWidth + titleWidth + valueWidth + 6;
  return findings.map(({ state, title, value, note }) => {
    const paint = state === "ok" ? colours.green : colours.yellow;
    const mark = paint(TEXTS.marks[state].padEnd(markWidth));
    const lines = wrapper.boxWrap(note, LINE_WIDTH - indent).replaceAll("\n", `\n${" ".repeat(indent)}`);
    return `${mark}  ${title.padEnd(titleWidth)}  ${colours.bold(value.padEnd(valueWidth))}  ${lines}`.trimEnd();
  });
}

/** One thing that this machine has or lacks. */
interface Finding {
  /** For programs. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** `ok`: there; `no`: not there; `low`: there, with a limit that a busy server may reach. */
  readonly state: "ok" | "no" | "low";
  readonly value: string;
  /** What it means. */
  readonly note: string;
  /** Whether nothing works without it. */
  readonly needed?: true;
}

/** A terminal has so many columns. */
const LINE_WIDTH = 80;
const OLDEST_NODE: readonly [major: number, minor: number] = [20, 19];
/** A server with a thousand clients needs more than the 1024 of old. */
const ENOUGH_FILES = 4096;
/** The backlog that `listen` asks for by default. */
const ENOUGH_BACKLOG = 511;

/** Everything, in the order of the table. */
async function lookAtMachine(): Promise<readonly Finding[]> {
  return [
    node(),
    { ...named("platform"), state: "ok", value: `${process.platform} ${process.arch}`, note: release() },
    { ...named("ipv4"), ...(await tryToListen("tcp://127.0.0.1:0", "127.0.0.1")), needed: true },
    { ...named("ipv6"), ...(await tryToListen("tcp://[::1]:0", "::1")) },
    ...(await Promise.all([unix(), abstractUnix(), reusePort()])),
    openFiles(),
    backlog(),
    await datagramBuffers(),
    await serverBuffer(),
    { ...named("tls"), state: "ok", value: `OpenSSL ${process.versions.openssl}`, note: "" },
    await selfSignedCertificates(),
    { ...named("streams"), state: "ok", value: "node:net", note: TEXTS.transports },
    { ...named("datagrams"), state: "ok", value: "node:dgram", note: "UDP" },
  ];
}

function named(name: keyof typeof TEXTS.titles): Pick<Finding, "name" | "title"> {
  return { name, title: TEXTS.titles[name] };
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const ok = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const note = TEXTS.needs(`${oldestMajor}.${oldestMinor}`);
  return { ...named("node"), state: ok ? "ok" : "no", value: process.version, note, needed: true };
}

async function unix(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), "zocalo-doctor-"));
  const found = await tryToListen({ path: join(folder, "listener.sock") }, TEXTS.yes);
  await rm(folder, { recursive: true, force: true });
  return { ...named("unix"), ...found };
}

async function abstractUnix(): Promise<Finding> {
  const found = await tryToListen({ path: `\0zocalo-doctor-${process.pid}` }, TEXTS.yes);
  return { ...named("abstractUnix"), ...found, note: found.note || TEXTS.abstract };
}

async function reusePort(): Promise<Finding> {
  const found = await tryToListen("tcp://127.0.0.1:0", TEXTS.yes, { tcp: { reusePort: true } });
  return { ...named("reusePort"), ...found, note: found.state === "ok" ? TEXTS.shared : TEXTS.notShared };
}

type Tried = Pick<Finding, "state" | "value" | "note">;

async function tryToListen(
  address: Parameters<typeof listen>[0],
  value: string,
  options: ListenOptions = {},
): Promise<Tried> {
  try {
    const listener = await listen(address, options);
    await listener.close();
    return { state: "ok", value, note: "" };
  } catch (error) {
    return { state: "no", value: TEXTS.no, note: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof ZocaloError ? sentenceFor(error) : String(error);
}

/** Node raises its soft limit to the hard one when it starts, so that there is one number. */
function openFiles(): Finding {
  const base = named("openFiles");
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readText("/proc/self/limits") ?? "")?.[1] ?? reportedFiles();
  if (limit === undefined) return { ...base, state: "ok", value: TEXTS.unknown, note: TEXTS.file };
  const low = limit !== "unlimited" && Number(limit) < ENOUGH_FILES;
  return { ...base, state: low ? "low" : "ok", value: limit, note: low ? TEXTS.fewFiles : TEXTS.file };
}

/** What Node's own report says, where there is no /proc. */
function reportedFiles(): string | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: Record<string, { soft: number | string }> };
  return userLimits?.["open_files"]?.soft.toString();
}

function backlog(): Finding {
  const base = named("backlog");
  const limit = readText("/proc/sys/net/core/somaxconn")?.trim();
  if (limit === undefined) return { ...base, state: "ok", value: TEXTS.unknown, note: TEXTS.waiting };
  const low = Number(limit) < ENOUGH_BACKLOG;
  return { ...base, state: low ? "low" : "ok", value: limit, note: low ? TEXTS.shortBacklog : TEXTS.waiting };
}

async function datagramBuffers(): Promise<Finding> {
  const base = named("datagramBuffers");
  try {
    const box = await bind("udp://127.0.0.1:0");
    const { receiveBytes, sendBytes } = box.udp.bufferSizes();
    await box.close();
    const most = largestBuffer();
    const limit = most === undefined ? "" : TEXTS.onRequest(bytesText(most));
    return {
      ...base,
      state: "ok",
      value: bytesText(receiveBytes),
      note: `${TEXTS.sendBuffer(bytesText(sendBytes))}${limit}`,
    };
  } catch (error) {
    return { ...base, state: "no", value: TEXTS.no, note: reasonOf(error) };
  }
}

/** Opens a server, which asks for more than others. */
async function serverBuffer(): Promise<Finding> {
  const base = named("serverBuffer");
  try {
    const server = await serveDatagrams("udp://127.0.0.1:0", () => undefined);
    const { receiveBytes } = server.socket.udp.bufferSizes();
    await server.close();
    const { platform } = process;
    const { givenBytes, isCapped } = receiveBuffer(receiveBytes, largestBuffer(), platform);
    const setting = platform === "linux" ? `sysctl -w net.core.rmem_max=${WANTED_BYTES}` : TEXTS.otherSystem;
    const note = isCapped ? TEXTS.capped(bytesText(WANTED_BYTES), setting) : TEXTS.asked(bytesText(WANTED_BYTES));
    return { ...base, state: isCapped ? "low" : "ok", value: bytesText(givenBytes), note };
  } catch (error) {
    return { ...base, state: "no", value: TEXTS.no, note: reasonOf(error) };
  }
}

/** What Linux gives at most, in bytes; undefined elsewhere, and in containers that do not see it. */
function largestBuffer(): number | undefined {
  const text = readText("/proc/sys/net/core/rmem_max");
  return text === undefined ? undefined : Number(text);
}

async function selfSignedCertificates(): Promise<Finding> {
  const base = named("selfSigned");
  return (await canSelfSign())
    ? { ...base, state: "ok", value: TEXTS.yes, note: "zocalo listen tls://... --self-signed" }
    : { ...base, state: "no", value: TEXTS.no, note: HOW_TO_INSTALL };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
