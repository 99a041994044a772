/** `zocalo listen --exec`: a command of the person answers, one child process for each connection or each datagram. */

import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Address, StreamSocket } from "../../index.ts";
import type { Output } from "../terminal/output.ts";
import { quantity } from "../terminal/visible-text.ts";
import type { StreamReply } from "./replies.ts";

/** A child that does not end when it is asked to (SIGTERM) is killed after this. */
const KILL_AFTER_MS = 1000;

/** A child that answers a datagram may take so long. */
const DATAGRAM_EXEC_MS = 10_000;

/** Who talks to whom; the child's environment tells it. */
export interface ExecNames {
  readonly local: Address;
  readonly remote: Address;
}

interface Child {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the child has ended, at the latest a second after its stdout has. */
  readonly ended: Promise<void>;
  /** Asks the command and its own children to end, and kills them when they do not. */
  readonly end: () => void;
}

/**
 * Serves a connection with a child of its own: the socket is its stdin and its stdout. The end of the peer is the end of
 * its stdin; when it ends its stdout, the connection is closed; when the connection is lost or the server stops, the child
 * and its children are ended.
 */
export function execStream(command: string, output: Output): StreamReply {
  return async (socket, stop) => {
    const child = start(command, { local: socket.localAddress, remote: socket.remoteAddress }, output);
    stop.addEventListener("abort", child.end, { once: true });
    socket.signal.addEventListener("abort", child.end, { once: true });
    try {
      void feed(socket, child.stdin);
      for await (const bytes of child.stdout) await socket.write(bytes as Buffer);
      // Most children end with their stdout: hear how, before they are asked to.
      await child.ended;
    } finally {
      stop.removeEventListener("abort", child.end);
      socket.signal.removeEventListener("abort", child.end);
      child.end();
    }
  };
}

/**
 * Answers a datagram by a child of its own: the datagram is all of its stdin, and all of its stdout is one datagram.
 * Undefined when it says nothing, says more than `maxBytes`, or takes more than ten seconds.
 */
export async function execDatagram(
  command: string,
  question: Buffer,
  names: ExecNames,
  maxBytes: number,
  output: Output,
): Promise<Buffer | undefined> {
  const child = start(command, names, output);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.end();
  }, DATAGRAM_EXEC_MS);
  const answer: Buffer[] = [];
  let size = 0;
  child.stdin.end(question);
  for await (const bytes of child.stdout) {
    size += (bytes as Buffer).length;
    if (size > maxBytes) child.end();
    else answer.push(bytes as Buffer);
  }
  clearTimeout(timer);
  child.end();
  if (size > maxBytes || late) {
    const reason = late ? `took more than ${DATAGRAM_EXEC_MS} ms` : `has more than ${quantity(maxBytes, "byte")}`;
    output.detail({ event: "exec", remote: String(names.remote), reason }, `exec: not answered: the answer ${reason}`);
    return undefined;
  }
  return size === 0 ? undefined : Buffer.concat(answer);
}

/** Starts the command in a shell and in a process group of its own, so that all of it can be ended. */
function start(command: string, names: ExecNames, output: Output): Child {
  const remote = String(names.remote);
  const child = spawn(command, {
    shell: true,
    stdio: ["pipe", "pipe", "inherit"],
    detached: process.platform !== "win32",
    env: { ...process.env, ZOCALO_LOCAL: String(names.local), ZOCALO_REMOTE: remote },
  });
  const { stdin, stdout, pid } = child;
  let state: "running" | "ending" | "gone" = "running";
  const signalGroup = (name: NodeJS.Signals): void => {
    try {
      if (pid === undefined || process.platform === "win32") child.kill(name);
      else process.kill(-pid, name);
    } catch {
      // It is gone already.
    }
  };
  // A child that does not read gives EPIPE here; one that could not be started ends its stdout at once.
  stdin.on("error", () => undefined);
  child.on("error", (error) =>
    output.detail({ event: "exec", remote, error: error.message }, `exec: ${error.message}`),
  );
  child.on("exit", (code, signal) => {
    output.detail({ event: "exec", remote, code, signal }, `exec: ended with ${signal ?? `exit code ${code}`}`);
  });
  // After `exit`, children of the shell may still hold the pipes; after `close` nobody does.
  child.on("close", () => {
    state = "gone";
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    stdout.once("close", () => {
      const patience = setTimeout(resolve, KILL_AFTER_MS);
      child.once("close", () => clearTimeout(patience));
    });
  });
  const end = (): void => {
    if (state !== "running") return;
    state = "ending";
    signalGroup("SIGTERM");
    const timer = setTimeout(() => signalGroup("SIGKILL"), KILL_AFTER_MS);
    child.once("close", () => clearTimeout(timer));
  };
  return { stdin, stdout, ended, end };
}

/** From the socket to the child's stdin, with backpressure. */
async function feed(socket: StreamSocket, stdin: Writable): Promise<void> {
  try {
    for await (const bytes of socket) {
      if (stdin.destroyed) return;
      await new Promise<void>((resolve) => {
        stdin.write(bytes, () => resolve());
      });
    }
  } catch {
    // The connection is lost: the child is ended elsewhere.
  } finally {
    stdin.end();
  }
}
