/** One end of a simulated TCP connection: segments, calls and deadlines go in, segments and notices come out (RFC 9293). */

import { ReceiveBuffer } from "./receive-buffer.ts";
import { NO_DATA, type Segment, segment, sequenceLength, type TcpFailure } from "./packet.ts";
import type { SimTcpSettings } from "./tcp-settings.ts";
import { nextState, type TcpEvent, type TcpState } from "./tcp-state.ts";
import { TcpSender } from "./tcp-sender.ts";

/**
 * What a connection tells its user. `readable`: bytes or the peer's FIN can be read. `writable`: the peer has acknowledged something.
 * `failed`: see `failure`.
 */
export type TcpNotice = "connected" | "readable" | "writable" | "failed";

interface KeepAlive {
  readonly idleUs: number;
  readonly intervalUs: number;
  readonly mostProbes: number;
  atUs: number;
  probes: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const MICROSECONDS = 1000;
const NO_SEGMENTS: readonly Segment[] = [];
/** Between keepalive probes, and how many: what Node asks for when a program says how long a peer may be idle. */
const PROBE_INTERVAL_MS = 1000;
const MOST_PROBES = 10;
/** A window that has grown by so many segments is told to the peer. */
const WINDOW_UPDATE_SEGMENTS = 2;

/** One end of a connection. After every call, `output` and `nextNotice` are to be taken, and `deadlineUs` may be another one. */
export class TcpConnection {
  state: TcpState;
  /** Why it was lost. */
  failure: TcpFailure | undefined;
  readonly #settings: SimTcpSettings;
  #output: Segment[] = [];
  #notices: TcpNotice[] = [];
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
  private constructor(state: TcpState, settings: SimTcpSettings, initial: number, mss: number) {
    this.state = state;
    this.#settings = settings;
    this.#ownMss = mss;
    this.#sender = new TcpSender(initial, settings);
    this.#sender.mss = mss;
    this.#receiver = new ReceiveBuffer(0, settings.receiveBufferBytes);
  }

  /** Calls a peer: sends the SYN. */
  static open(settings: SimTcpSettings, initial: number, mss: number, nowUs: number): TcpConnection {
    const connection = new TcpConnection("SYN-SENT", settings, initial, mss);
    connection.#sender.synchronize(nowUs);
    return connection;
  }

  /** Answers a SYN. */
  static answer(settings: SimTcpSettings, initial: number, mss: number, syn: Segment, nowUs: number): TcpConnection {
    const connection = new TcpConnection("SYN-RECEIVED", settings, initial, mss);
    connection.#learn(syn);
    connection.#sender.synchronize(nowUs);
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

  /** Takes the segments that are to be sent now. */
  output(nowUs: number): readonly Segment[] {
    this.#sender.fill(nowUs);
    this.#takePieces();
    if (this.#output.length === 0) return NO_SEGMENTS;
    const taken = this.#output;
    this.#output = [];
    return taken;
  }

  /** Takes the next thing that the user is to know; undefined when there is none. */
  nextNotice(): TcpNotice | undefined {
    return this.#notices.shift();
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
    if (this.state !== before) this.#sender.finish();
  }

  /** The program lets go. What it has not read is answered with a reset (RFC 2525 section 2.17). */
  close(nowUs: number): void {
    this.#orphan = true;
    this.#keepAlive = undefined;
    if (this.state === "SYN-SENT") this.#drop();
    else if (this.#receiver.readableBytes > 0) this.abort();
    else {
      this.finish();
      this.#waitForPeer(nowUs);
    }
  }

  /** Resets. What was not sent is lost. */
  abort(): void {
    const synchronized = !["SYN-SENT", "TIME-WAIT", "CLOSED"].includes(this.state);
    if (synchronized) this.#output.push(segment({ rst: true, seq: this.#sender.next, ack: this.#receiver.next }));
    this.#receiver.clear();
    this.#drop();
  }

  /** Probes an idle peer; `idleMs` 0 leaves all to the settings. */
  setKeepAlive(on: boolean, idleMs: number, nowUs: number): void {
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
  onDeadline(nowUs: number): void {
    if (this.#waitUntilUs <= nowUs) return this.#drop();
    if (this.#sender.deadlineUs <= nowUs && !this.#sender.onDeadline(nowUs, this.#retries)) {
      this.#fail("timed out");
      return;
    }
    if (this.#keepAlive !== undefined && this.#keepAlive.atUs <= nowUs) this.#onKeepAlive(this.#keepAlive, nowUs);
  }

  /** A segment arrived. */
  receive(received: Segment, nowUs: number): void {
    this.#heardAtUs = nowUs;
    if (this.#keepAlive !== undefined) this.#keepAlive.probes = 0;
    if (this.state === "SYN-SENT") this.#receiveSynSent(received, nowUs);
    else if (this.state !== "CLOSED") this.#receiveSynchronized(received, nowUs);
  }

  /** RFC 9293 section 3.10.7.3. */
  #receiveSynSent(received: Segment, nowUs: number): void {
    const { ack, syn, rst } = received;
    const acceptable = ack === this.#sender.next;
    if (ack !== undefined && !acceptable) {
      if (!rst) this.#output.push(segment({ rst: true, seq: ack }));
    } else if (rst) {
      if (acceptable) this.#fail("refused");
    } else if (syn) {
      this.#learn(received);
      if (acceptable) {
        this.#onAck(received, nowUs);
        this.#move("synchronized");
        this.#sendAck();
        this.#notices.push("connected");
      } else {
        this.#move("syn");
        this.#sendAck();
      }
    }
  }

  /** RFC 9293 section 3.10.7.4, with the answers of RFC 5961 to segments that may be forged. */
  #receiveSynchronized(received: Segment, nowUs: number): void {
    const { next, window } = this.#receiver;
    const { seq, ack, rst, syn } = received;
    const length = sequenceLength(received);
    const acceptable = seq <= next + window && (length === 0 ? seq >= next : seq + length > next);
    if (!acceptable) {
      if (this.state === "TIME-WAIT" && received.fin) this.#waitUntilUs = this.#timeWaitEnd(nowUs);
      if (!rst) this.#sendAck();
    } else if (rst) {
      if (seq === next) this.#fail("reset");
      else this.#sendAck();
    } else if (syn) this.#sendAck();
    else if (ack === undefined || ack > this.#sender.next) this.#sendAck();
    else this.#receiveAcceptable(received, nowUs);
  }

  #receiveAcceptable(received: Segment, nowUs: number): void {
    if (this.state === "SYN-RECEIVED") {
      if ((received.ack ?? 0) < this.#sender.next) return;
      this.#move("synchronized");
      this.#onAck(received, nowUs);
      this.#notices.push("connected");
    } else this.#onAck(received, nowUs);
    if (received.data.length > 0 || received.fin) this.#onData(received, nowUs);
  }

  #onAck({ ack, window, sacks }: Segment, nowUs: number): void {
    const sender = this.#sender;
    const before = sender.una;
    sender.acknowledged(ack ?? 0, window, sacks, nowUs);
    if (sender.finished) {
      this.#move("finished");
      this.#waitForPeer(nowUs);
    }
    if (sender.una > before) this.#notices.push("writable");
    this.#takePieces();
  }

  #onData({ seq, data, fin }: Segment, nowUs: number): void {
    const receiver = this.#receiver;
    if (this.#orphan && data.length > 0 && seq + data.length > receiver.next) {
      // Nobody will read it: the peer must know (RFC 1122 section 4.2.2.13).
      this.abort();
      return;
    }
    if (fin) receiver.finAt ??= seq + data.length;
    const wasFinished = receiver.finished;
    const fresh = receiver.insert(seq, data);
    const ends = receiver.finished && !wasFinished;
    if (ends) {
      this.#move("fin");
      this.#waitForPeer(nowUs);
    }
    this.#sendAck();
    if (ends || fresh > 0) this.#notices.push("readable");
  }

  /** What the first segment of the peer tells: its first sequence number, its window, its largest segment. */
  #learn({ seq, mss }: Segment): void {
    this.#receiver = new ReceiveBuffer(seq + 1, this.#settings.receiveBufferBytes);
    this.#sender.mss = Math.min(this.#ownMss, mss);
  }

  /** What the sender sends becomes segments. */
  #takePieces(): void {
    for (const { seq, data, syn, fin } of this.#sender.output()) {
      this.#transmit(seq, this.state === "SYN-SENT" ? undefined : this.#receiver.next, data, syn, fin);
    }
  }

  #sendAck(): void {
    this.#transmit(this.#sender.next, this.#receiver.next, NO_DATA, false, false);
  }

  #transmit(seq: number, ack: number | undefined, data: Buffer, syn: boolean, fin: boolean): void {
    const { next, window } = this.#receiver;
    this.#toldWindowEnd = next + window;
    const sacks = this.#receiver.sacks();
    const mss = syn ? this.#ownMss : 0;
    this.#output.push({ seq, ack, syn, fin, rst: false, window, data, sacks, mss });
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
      this.#sender.probe();
    }
  }

  get #retries(): number {
    const { synRetries, synAckRetries, retries } = this.#settings;
    return this.state === "SYN-SENT" ? synRetries : this.state === "SYN-RECEIVED" ? synAckRetries : retries;
  }

  #waitForPeer(nowUs: number): void {
    if (this.state === "TIME-WAIT") this.#waitUntilUs = this.#timeWaitEnd(nowUs);
    else if (this.state === "FIN-WAIT-2" && this.#orphan) {
      this.#waitUntilUs = nowUs + this.#settings.finTimeoutMs * MICROSECONDS;
    }
  }

  #timeWaitEnd(nowUs: number): number {
    return nowUs + this.#settings.timeWaitMs * MICROSECONDS;
  }

  #move(event: TcpEvent): void {
    this.state = nextState(this.state, event);
  }

  /** The end at once; what arrived before stays readable. */
  #drop(): void {
    this.#sender.clear();
    this.#waitUntilUs = NEVER;
    this.#keepAlive = undefined;
    this.#move("drop");
  }

  #fail(failure: TcpFailure): void {
    this.failure = failure;
    this.#drop();
    this.#notices.push("failed");
  }
}
