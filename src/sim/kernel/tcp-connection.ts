/** One end of a simulated TCP connection: segments, calls and deadlines go in, segments and notices come out (RFC 9293). */

import { ReceiveBuffer } from "./receive-buffer.ts";
import { NO_DATA, type Segment, segment, sequenceLength } from "./segment.ts";
import type { TcpSettings } from "./tcp-settings.ts";
import { nextState, type TcpEvent, type TcpState } from "./tcp-state.ts";
import { type SenderOutput, type SentPiece, TcpSender } from "./tcp-sender.ts";

/** Why a connection was lost, or never came to be. */
export type TcpFailure = "refused" | "reset" | "timed out" | "host unreachable" | "network unreachable";

/** Whoever uses a connection. Told at once, in the middle of what the kernel does, so it only takes a note. */
export interface TcpUser {
  connected(): void;
  /** Bytes or the peer's FIN can be read. */
  readable(): void;
  /** There is room in the send buffer, or all of it is acknowledged. */
  writable(): void;
  failed(failure: TcpFailure): void;
}

/** What a connection needs of its kernel. */
export interface TcpEnvironment {
  nowUs(): number;
  transmit(segment: Segment): void;
  /** The connection is forgotten. */
  released(): void;
}

interface KeepAlive {
  readonly idleUs: number;
  readonly intervalUs: number;
  readonly mostProbes: number;
  atUs: number;
  probes: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const MICROSECONDS = 1000;
/** Between keepalive probes, and how many: what Node asks for when a program says how long a peer may be idle. */
const PROBE_INTERVAL_MS = 1000;
const MOST_PROBES = 10;
/** A window that has grown by so many segments is told to the peer. */
const WINDOW_UPDATE_SEGMENTS = 2;

/** One end of a connection. */
export class TcpConnection implements SenderOutput {
  state: TcpState;
  user: TcpUser | undefined;
  readonly #settings: TcpSettings;
  readonly #environment: TcpEnvironment;
  readonly #sender: TcpSender;
  #receiver: ReceiveBuffer;
  /** The program has closed: nobody will read. */
  #orphan = false;
  #toldWindowEnd = 0;
  readonly #ownMss: number;
  /** End of TIME-WAIT, or of the wait for the FIN of an orphan's peer. */
  #waitUntilUs: number = NEVER;
  #keepAlive: KeepAlive | undefined;
  #heardAtUs = 0;

  /** `mss` is the largest payload that the way to the peer takes; `initial` our first sequence number. */
  private constructor(
    state: TcpState,
    settings: TcpSettings,
    environment: TcpEnvironment,
    initial: number,
    mss: number,
  ) {
    this.state = state;
    this.#settings = settings;
    this.#environment = environment;
    this.#ownMss = mss;
    this.#sender = new TcpSender(initial, settings, this);
    this.#sender.mss = mss;
    this.#receiver = new ReceiveBuffer(0, settings.receiveBufferBytes);
  }

  /** Calls a peer: sends the SYN. */
  static open(settings: TcpSettings, environment: TcpEnvironment, initial: number, mss: number): TcpConnection {
    const connection = new TcpConnection("SYN-SENT", settings, environment, initial, mss);
    connection.#sender.synchronize(environment.nowUs());
    return connection;
  }

  /** Answers a SYN. */
  static answer(
    settings: TcpSettings,
    environment: TcpEnvironment,
    initial: number,
    mss: number,
    syn: Segment,
  ): TcpConnection {
    const connection = new TcpConnection("SYN-RECEIVED", settings, environment, initial, mss);
    connection.#learn(syn);
    connection.#sender.synchronize(environment.nowUs());
    return connection;
  }

  /** Bytes that may be written now. */
  get room(): number {
    return this.state === "CLOSED" ? 0 : this.#sender.room;
  }
  get readableBytes(): number {
    return this.#receiver.readableBytes;
  }
  /** Bytes that the peer has not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#sender.unacknowledgedBytes;
  }
  /** Everything that the peer sent was read, and its FIN has come. */
  get ended(): boolean {
    return this.#receiver.finished && this.#receiver.readableBytes === 0;
  }

  /** When `onDeadline` is to be called; `Infinity` when nothing waits. */
  get deadlineUs(): number {
    return Math.min(this.#sender.deadlineUs, this.#waitUntilUs, this.#keepAlive?.atUs ?? NEVER);
  }

  /** Takes bytes for the peer; there must be room for all of them. */
  write(bytes: Uint8Array): void {
    this.#sender.write(bytes);
  }

  /** Sends what was written, as far as the window allows. */
  push(): void {
    if (this.state !== "SYN-SENT" && this.state !== "SYN-RECEIVED") this.#sender.output(this.#environment.nowUs());
  }

  /** Takes bytes of the peer. */
  read(maxBytes: number): Buffer | undefined {
    const bytes = this.#receiver.read(maxBytes);
    if (bytes === undefined || this.state === "CLOSED") return bytes;
    const grown = this.#receiver.next + this.#receiver.window - this.#toldWindowEnd;
    const worth = Math.min(this.#settings.receiveBufferBytes >> 1, WINDOW_UPDATE_SEGMENTS * this.#ownMss);
    if (grown >= worth && !this.#receiver.finished) this.#sendAck();
    return bytes;
  }

  /** Sends FIN behind everything written. */
  finish(): void {
    const before = this.state;
    this.#move("finish");
    if (this.state === before) return;
    this.#sender.finish();
    this.#sender.output(this.#environment.nowUs());
  }

  /** The program lets go. What it has not read is answered with a reset (RFC 2525 section 2.17). */
  close(): void {
    this.user = undefined;
    this.#orphan = true;
    this.#keepAlive = undefined;
    if (this.state === "SYN-SENT") this.#drop();
    else if (this.#receiver.readableBytes > 0) this.abort();
    else {
      this.finish();
      this.#waitForPeer();
    }
  }

  /** Resets. What was not sent is lost. */
  abort(): void {
    this.user = undefined;
    const synchronized = !["SYN-SENT", "TIME-WAIT", "CLOSED"].includes(this.state);
    if (synchronized) {
      const { next } = this.#receiver;
      this.#environment.transmit(segment({ rst: true, seq: this.#sender.next, ack: next }));
    }
    this.#receiver.clear();
    this.#drop();
  }

  /** Probes an idle peer; `idleMs` 0 leaves all to the settings. */
  setKeepAlive(on: boolean, idleMs: number): void {
    const nowUs = this.#environment.nowUs();
    this.#heardAtUs = nowUs;
    this.#keepAlive = undefined;
    if (!on || this.state === "CLOSED") return;
    const { keepAliveIdleMs, keepAliveIntervalMs, keepAliveProbes } = this.#settings;
    const asked = idleMs > 0;
    const idleUs = (asked ? idleMs : keepAliveIdleMs) * MICROSECONDS;
    const intervalUs = (asked ? PROBE_INTERVAL_MS : keepAliveIntervalMs) * MICROSECONDS;
    const mostProbes = asked ? MOST_PROBES : keepAliveProbes;
    this.#keepAlive = { idleUs, intervalUs, mostProbes, atUs: nowUs + idleUs, probes: 0 };
  }

  /** The network says that there is no way. Only an attempt to connect ends of it (RFC 1122 section 4.2.3.9). */
  unreachable(failure: TcpFailure): void {
    if (this.state === "SYN-SENT") this.#fail(failure);
  }

  /** The deadline has come. */
  onDeadline(): void {
    const nowUs = this.#environment.nowUs();
    if (this.#waitUntilUs <= nowUs) {
      this.#drop();
      return;
    }
    if (this.#sender.deadlineUs <= nowUs && !this.#sender.onDeadline(nowUs, this.#retries)) {
      this.#fail("timed out");
      return;
    }
    if (this.#keepAlive !== undefined && this.#keepAlive.atUs <= nowUs) this.#onKeepAlive(this.#keepAlive, nowUs);
  }

  /** A segment arrived. */
  receive(received: Segment): void {
    this.#heardAtUs = this.#environment.nowUs();
    if (this.#keepAlive !== undefined) this.#keepAlive.probes = 0;
    if (this.state === "SYN-SENT") this.#receiveSynSent(received);
    else if (this.state !== "CLOSED") this.#receiveSynchronized(received);
  }

  /** RFC 9293 section 3.10.7.3. */
  #receiveSynSent(received: Segment): void {
    const { ack, syn, rst } = received;
    const acceptable = ack === this.#sender.next;
    if (ack !== undefined && !acceptable) {
      if (!rst) this.#environment.transmit(segment({ rst: true, seq: ack }));
    } else if (rst) {
      if (acceptable) this.#fail("refused");
    } else if (syn) {
      this.#learn(received);
      if (acceptable) {
        this.#onAck(received);
        this.#move("synchronized");
        this.#sendAck();
        this.user?.connected();
      } else {
        this.#move("syn");
        this.#sendAck();
      }
    }
  }

  /** RFC 9293 section 3.10.7.4, with the answers of RFC 5961 to segments that may be forged. */
  #receiveSynchronized(received: Segment): void {
    const { next, window } = this.#receiver;
    const { seq, ack, rst, syn } = received;
    const length = sequenceLength(received);
    const acceptable = seq <= next + window && (length === 0 ? seq >= next : seq + length > next);
    if (!acceptable) {
      if (this.state === "TIME-WAIT" && received.fin) this.#waitUntilUs = this.#timeWaitEnd();
      if (!rst) this.#sendAck();
    } else if (rst) {
      if (seq === next) this.#fail("reset");
      else this.#sendAck();
    } else if (syn) this.#sendAck();
    else if (ack === undefined || ack > this.#sender.next) this.#sendAck();
    else this.#receiveAcceptable(received);
  }

  #receiveAcceptable(received: Segment): void {
    if (this.state === "SYN-RECEIVED") {
      if ((received.ack ?? 0) < this.#sender.next) return;
      this.#move("synchronized");
      this.#onAck(received);
      this.user?.connected();
    } else this.#onAck(received);
    if (received.data.length > 0 || received.fin) this.#onData(received);
    if (this.state !== "CLOSED") this.#sender.output(this.#environment.nowUs());
  }

  #onAck({ ack, window, sacks }: Segment): void {
    const sender = this.#sender;
    const before = sender.una;
    sender.acknowledged(ack ?? 0, window, sacks, this.#environment.nowUs());
    if (sender.finished) {
      this.#move("finished");
      this.#waitForPeer();
    }
    if (sender.una > before) this.user?.writable();
  }

  #onData({ seq, data, fin }: Segment): void {
    const receiver = this.#receiver;
    if (this.#orphan && data.length > 0 && seq + data.length > receiver.next) {
      // Nobody will read it: the peer must know (RFC 1122 section 4.2.2.13).
      this.abort();
      return;
    }
    if (fin) receiver.finAt ??= seq + data.length;
    const wasFinished = receiver.finished;
    const fresh = receiver.insert(seq, data);
    if (receiver.finished && !wasFinished) {
      this.#move("fin");
      this.#waitForPeer();
      this.#sendAck();
      this.user?.readable();
      return;
    }
    this.#sendAck();
    if (fresh > 0) this.user?.readable();
  }

  /** What the first segment of the peer tells: its first sequence number, its window, its largest segment. */
  #learn({ seq, mss }: Segment): void {
    this.#receiver = new ReceiveBuffer(seq + 1, this.#settings.receiveBufferBytes);
    this.#sender.mss = Math.min(this.#ownMss, mss);
  }

  /** Sends a segment of the sender's. */
  emit({ seq, data, syn, fin }: SentPiece): void {
    this.#transmit(seq, this.state === "SYN-SENT" ? undefined : this.#receiver.next, data, syn, fin);
  }

  #sendAck(): void {
    this.#transmit(this.#sender.next, this.#receiver.next, NO_DATA, false, false);
  }

  /** A segment that the peer has seen already: it must answer with what it knows. */
  probe(): void {
    this.#transmit(this.#sender.una - 1, this.#receiver.next, NO_DATA, false, false);
  }

  #transmit(seq: number, ack: number | undefined, data: Buffer, syn: boolean, fin: boolean): void {
    const { next, window } = this.#receiver;
    this.#toldWindowEnd = next + window;
    const sacks = this.#receiver.sacks();
    const mss = syn ? this.#ownMss : 0;
    this.#environment.transmit({ seq, ack, syn, fin, rst: false, window, data, sacks, mss });
  }

  #onKeepAlive(keepAlive: KeepAlive, nowUs: number): void {
    const { idleUs, intervalUs, mostProbes } = keepAlive;
    const dueUs = this.#heardAtUs + idleUs;
    // What is under way asks the peer already; while it is repeated, Linux does not probe.
    if (this.#sender.pending) keepAlive.atUs = nowUs + idleUs;
    else if (dueUs > nowUs || this.state === "SYN-SENT") keepAlive.atUs = Math.max(dueUs, nowUs + 1);
    else if (keepAlive.probes >= mostProbes) this.#fail("timed out");
    else {
      keepAlive.probes += 1;
      keepAlive.atUs = nowUs + intervalUs;
      this.probe();
    }
  }

  get #retries(): number {
    const { synRetries, synAckRetries, retries } = this.#settings;
    return this.state === "SYN-SENT" ? synRetries : this.state === "SYN-RECEIVED" ? synAckRetries : retries;
  }

  #waitForPeer(): void {
    if (this.state === "TIME-WAIT") this.#waitUntilUs = this.#timeWaitEnd();
    else if (this.state === "FIN-WAIT-2" && this.#orphan) {
      this.#waitUntilUs = this.#environment.nowUs() + this.#settings.finTimeoutMs * MICROSECONDS;
    }
  }

  #timeWaitEnd(): number {
    return this.#environment.nowUs() + this.#settings.timeWaitMs * MICROSECONDS;
  }

  #move(event: TcpEvent): void {
    const before = this.state;
    this.state = nextState(before, event);
    if (this.state === "CLOSED" && before !== "CLOSED") this.#environment.released();
  }

  /** The end at once; what arrived before stays readable. */
  #drop(): void {
    this.#sender.clear();
    this.#waitUntilUs = NEVER;
    this.#keepAlive = undefined;
    this.#move("drop");
  }

  #fail(failure: TcpFailure): void {
    const { user } = this;
    this.#drop();
    user?.failed(failure);
  }
}
