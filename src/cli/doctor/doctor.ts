/** `zocalo doctor`: what this machine offers to programs with sockets. */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { bind, listen, type ListenOptions, ZocaloError } from "../../index.ts";
import { canSelfSign, HOW_TO_INSTALL } from "../sockets/tls-flags.ts";
import { type Colours, coloursFor } from "../terminal/output.ts";
import { newCommand } from "../terminal/command.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";

const DESCRIPTION = [
  "Tries out what this machine offers and prints it as a table. `ok`: as it should be; `no`: missing; `low`: a " +
    "limit that a busy server may reach.",
  "Fails only when something is missing that every program here needs: a new enough Node, and IPv4 on loopback.",
];

/** The command. */
export function doctorCommand(): Command {
  return newCommand("doctor", "show what this machine offers", DESCRIPTION, [
    "zocalo doctor",
    'zocalo doctor --json | grep \'"name":"reusePort"\'',
  ])
    .option("--json", "print one line of JSON for each line of the table, on stdout")
    .action(running(doctor, {}));
}

async function doctor({ json }: { readonly json?: boolean }, { stdout }: CommandContext): Promise<number> {
  const findings = await lookAtMachine();
  const colours = coloursFor(process.stdout);
  const lines = json === true ? findings.map((finding) => JSON.stringify(finding)) : tableOf(findings, colours);
  await stdout.write(`${lines.join("\n")}\n`);
  return findings.some((finding) => finding.needed && finding.state !== "ok") ? EXIT.failed : EXIT.done;
}

function tableOf(findings: readonly Finding[], colours: Colours): readonly string[] {
  const width = (text: (finding: Finding) => string): number => Math.max(...findings.map((one) => text(one).length));
  const titleWidth = width((finding) => finding.title);
  const valueWidth = width((finding) => finding.value);
  return findings.map(({ state, title, value, note }) => {
    const mark = { ok: colours.green, no: colours.yellow, low: colours.yellow }[state](state.padEnd(3));
    return `${mark}  ${title.padEnd(titleWidth)}  ${colours.bold(value.padEnd(valueWidth))}  ${note}`.trimEnd();
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

const OLDEST_NODE: readonly [major: number, minor: number] = [20, 19];
/** A server with a thousand clients needs more than the 1024 of old. */
const ENOUGH_FILES = 4096;
/** The backlog that `listen` asks for by default. */
const ENOUGH_BACKLOG = 511;
/** Some hundred milliseconds of a busy sender. */
const ENOUGH_BUFFER_BYTES = 1_048_576;

/** Everything, in the order of the table. */
async function lookAtMachine(): Promise<readonly Finding[]> {
  return [
    node(),
    { name: "platform", title: "Platform", state: "ok", value: `${process.platform} ${process.arch}`, note: release() },
    { name: "ipv4", title: "IPv4 loopback", ...(await tryToListen("tcp://127.0.0.1:0", "127.0.0.1")), needed: true },
    { name: "ipv6", title: "IPv6 loopback", ...(await tryToListen("tcp://[::1]:0", "::1")) },
    ...(await Promise.all([unix(), abstractUnix(), reusePort()])),
    openFiles(),
    backlog(),
    await datagramBuffers(),
    { name: "tls", title: "TLS", state: "ok", value: `OpenSSL ${process.versions.openssl}`, note: "" },
    await selfSignedCertificates(),
    { name: "streams", title: "Backend of streams", state: "ok", value: "node:net", note: "TCP, TLS, Unix sockets" },
    { name: "datagrams", title: "Backend of datagrams", state: "ok", value: "node:dgram", note: "UDP" },
  ];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const ok = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const note = `zocalo needs ${oldestMajor}.${oldestMinor} or newer`;
  return { name: "node", title: "Node", state: ok ? "ok" : "no", value: process.version, note, needed: true };
}

async function unix(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), "zocalo-doctor-"));
  const found = await tryToListen({ path: join(folder, "listener.sock") }, "yes");
  await rm(folder, { recursive: true, force: true });
  return { name: "unix", title: "Unix sockets", ...found };
}

async function abstractUnix(): Promise<Finding> {
  const found = await tryToListen({ path: `\0zocalo-doctor-${process.pid}` }, "yes");
  return { name: "abstractUnix", title: "Abstract Unix names", ...found, note: found.note || "unix:@name, Linux only" };
}

async function reusePort(): Promise<Finding> {
  const found = await tryToListen("tcp://127.0.0.1:0", "yes", { tcp: { reusePort: true } });
  const note = found.state === "ok" ? "several processes on one port" : "needs Linux and Node 22.12 or newer";
  return { name: "reusePort", title: "SO_REUSEPORT", ...found, note };
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
    return { state: "no", value: "no", note: error instanceof ZocaloError ? error.detail : String(error) };
  }
}

/** Node raises its soft limit to the hard one when it starts, so that there is one number. */
function openFiles(): Finding {
  const base = { name: "openFiles", title: "Open files" };
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readText("/proc/self/limits") ?? "")?.[1] ?? reportedFiles();
  if (limit === undefined) return { ...base, state: "ok", value: "unknown", note: "each connection is one" };
  const low = limit !== "unlimited" && Number(limit) < ENOUGH_FILES;
  const note = low ? `each connection is one; raise it with ulimit -n` : "each connection is one";
  return { ...base, state: low ? "low" : "ok", value: limit, note };
}

/** What Node's own report says, where there is no /proc. */
function reportedFiles(): string | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: Record<string, { soft: number | string }> };
  return userLimits?.["open_files"]?.soft.toString();
}

function backlog(): Finding {
  const base = { name: "backlog", title: "Longest backlog" };
  const limit = readText("/proc/sys/net/core/somaxconn")?.trim();
  if (limit === undefined)
    return { ...base, state: "ok", value: "unknown", note: "connections that wait for a server" };
  const low = Number(limit) < ENOUGH_BACKLOG;
  const note = low ? "raise it with sysctl net.core.somaxconn" : "connections that wait for a server (somaxconn)";
  return { ...base, state: low ? "low" : "ok", value: limit, note };
}

async function datagramBuffers(): Promise<Finding> {
  const base = { name: "datagramBuffers", title: "UDP buffers" };
  try {
    const box = await bind("udp://127.0.0.1:0");
    const { receiveBytes, sendBytes } = box.udp.bufferSizes();
    await box.close();
    const most = readText("/proc/sys/net/core/rmem_max")?.trim();
    const low = most !== undefined && Number(most) < ENOUGH_BUFFER_BYTES;
    const limit = most === undefined ? "" : `; at most ${kib(Number(most))} on request`;
    const note = `to receive, ${kib(sendBytes)} to send${limit}${low ? " (sysctl net.core.rmem_max)" : ""}`;
    return { ...base, state: low ? "low" : "ok", value: kib(receiveBytes), note };
  } catch (error) {
    return { ...base, state: "no", value: "no", note: error instanceof ZocaloError ? error.detail : String(error) };
  }
}

async function selfSignedCertificates(): Promise<Finding> {
  const base = { name: "selfSigned", title: "Self-signed keys" };
  return (await canSelfSign())
    ? { ...base, state: "ok", value: "yes", note: "zocalo listen tls://... --self-signed" }
    : { ...base, state: "no", value: "no", note: HOW_TO_INSTALL };
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
