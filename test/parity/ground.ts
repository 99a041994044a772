import type { StreamEnd, ZocaloError } from "../../src/index.ts";
import {
  bind,
  type BindOptions,
  connect,
  type ConnectOptions,
  type DatagramSocket,
  listen,
  type Listener,
  type ListenOptions,
  type Network,
  type StreamSocket,
} from "../../src/index.ts";

/** Where a scenario takes place: one machine twice, or two. */
export interface Ground {
  readonly name: string;
  readonly server: Network;
  readonly client: Network;
  /** The address of the server and that of the client, as they stand in an address. */
  readonly serverHost: string;
  readonly clientHost: string;
}

/** What a scenario came to: the same on every ground. */
export type Outcome = readonly unknown[];

/** One scenario. */
export interface Scenario {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<Outcome>;
  readonly outcome: Outcome;
  /** It counts on a port being free that it has just left. */
  readonly freePorts?: boolean;
  /** Needs a machine for itself: broadcast and groups on its loopback interface. */
  readonly oneMachine?: true;
}

/** One scenario: what it is called, what it comes to, and how it goes. */
export function scenario(
  name: string,
  outcome: Outcome,
  run: Scenario["run"],
  needs: Pick<Scenario, "freePorts" | "oneMachine"> = {},
): Scenario {
  return { name, outcome, run, ...needs };
}

/** A listener with a call through it. */
export interface Joined {
  readonly listener: Listener;
  /** The client's end, and the server's. */
  readonly call: StreamSocket;
  readonly peer: StreamSocket;
}

const POLL_MS = 1;

/** Opens sockets on a ground, and closes what it opened. */
export class Scene {
  readonly ground: Ground;
  readonly #opened: (() => unknown)[] = [];

  constructor(ground: Ground) {
    this.ground = ground;
  }

  async listen(options: ListenOptions = {}, port: number | string = 0): Promise<Listener> {
    const { server, serverHost } = this.ground;
    const listener = await listen(`tcp://${serverHost}:${port}`, { network: server, ...options });
    this.#opened.push(() => listener.close());
    return listener;
  }

  async connect(port: number, options: ConnectOptions = {}): Promise<StreamSocket> {
    const { client, serverHost } = this.ground;
    const call = await connect(`tcp://${serverHost}:${port}`, { network: client, ...options });
    this.#opened.push(() => call.abort());
    return call;
  }

  async joined(options: { listen?: ListenOptions; connect?: ConnectOptions } = {}): Promise<Joined> {
    const listener = await this.listen(options.listen);
    const [call, peer] = await Promise.all([
      this.connect(listener.localAddress.port, options.connect),
      listener.accept(),
    ]);
    this.#opened.push(() => peer.abort());
    return { listener, call, peer };
  }

  /** A datagram socket of the server. */
  bind(options: BindOptions = {}, port: number | string = 0): Promise<DatagramSocket> {
    return this.#bind(this.ground.server, this.ground.serverHost, port, options);
  }

  /** A datagram socket of the client. */
  bindClient(options: BindOptions = {}, port: number | string = 0): Promise<DatagramSocket> {
    return this.#bind(this.ground.client, this.ground.clientHost, port, options);
  }

  /** A port of the server that nobody stands on. */
  async freePort(transport: "tcp" | "udp"): Promise<number> {
    const standing = transport === "tcp" ? await this.listen() : await this.bind();
    const { port } = standing.localAddress;
    await standing.close();
    return port;
  }

  /** Waits until something holds; the time-out of the test bounds it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.pause();
  }

  /** Lets a moment pass; nothing depends on how long it is. */
  pause(durationMs: number = POLL_MS): Promise<void> {
    return new Promise((resolve) => void this.ground.client.clock.setTimer(resolve, durationMs));
  }

  async close(): Promise<void> {
    for (const close of this.#opened.reverse()) await close();
  }

  async #bind(network: Network, host: string, port: number | string, options: BindOptions): Promise<DatagramSocket> {
    const box = await bind(`udp://${host}:${port}`, { network, ...options });
    this.#opened.push(() => box.close({ lingerMs: 0 }));
    return box;
  }
}

/** The code with which a call fails; `none` when it does not, and the text of a reason that is no error of Zócalo. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "none",
    (error: unknown) => (error as Partial<ZocaloError>).code ?? String(error),
  );
}

/** Code and outcome of a failed call: what is known about its bytes. */
export function failureOf(call: Promise<unknown>): Promise<readonly unknown[]> {
  return call.then(
    () => ["none"],
    (error: unknown) => [(error as ZocaloError).code, (error as ZocaloError).outcome],
  );
}

/** How a connection ended, and with which code. */
export async function endOf(socket: StreamSocket): Promise<readonly unknown[]> {
  const { how, error }: StreamEnd = await socket.closed;
  return error === undefined ? [how] : [how, (error as Partial<ZocaloError>).code ?? String(error)];
}

/** All that is left to read, as text, and how the reading ends: `end`, or a code. */
export async function rest(socket: StreamSocket): Promise<readonly string[]> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of socket) pieces.push(piece);
  } catch (error) {
    return [Buffer.concat(pieces).toString(), (error as ZocaloError).code];
  }
  return [Buffer.concat(pieces).toString(), "end"];
}

/** Writes until a write fails, and answers its code. */
export async function firstFailedWrite(socket: StreamSocket): Promise<string> {
  for (;;) {
    const code = await codeOf(socket.write(Buffer.alloc(16_384)));
    if (code !== "none") return code;
  }
}

/** Keeps the outcome of a call that is awaited later, so that an early failure is not an unhandled one. */
export function pending<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined);
  return call;
}
