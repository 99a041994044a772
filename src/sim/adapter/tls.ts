/**
 * The stand-in for TLS in a world: the round trip of TLS 1.3, ALPN, SNI, certificates of clients, and certificate errors on
 * demand. Nothing is encrypted and no certificate is read: a certificate is trusted unless its host says otherwise.
 */

import { parseIpv4, parseIpv6 } from "../../core/address/ip.ts";
import { ConnectError, type ErrorCode, type ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../../io/operation/deadline.ts";
import type { StreamSink, StreamTransport } from "../../io/network/network.ts";
import type { CertificateFault } from "../../core/faults/fault.ts";
import { hashText, mix32 } from "../../core/faults/random-stream.ts";
import type { PeerCertificate, TlsInfo, TlsOptions } from "../../io/network/tls.ts";

/** The connection beneath a handshake. */
interface Carrier extends Pick<StreamTransport, "start" | "resume" | "write" | "destroy"> {
  /** No more bytes for the sink: what comes from now on is for whoever starts next. */
  stop(): void;
}

/** What a handshake came to: the agreement, and bytes that came behind it. */
interface TlsOutcome {
  readonly info: TlsInfo;
  readonly rest: Buffer;
}

interface Hello {
  readonly type: "client" | "server" | "finished" | "alert";
  readonly servername?: string | undefined;
  readonly offers?: readonly string[] | undefined;
  readonly alpn?: string | undefined;
  readonly fault?: CertificateFault | undefined;
  readonly code?: ErrorCode | undefined;
  /** Of a server: whether it wants to see a certificate of the client. */
  readonly asks?: "ask" | "require" | undefined;
  /** Of a client that finishes: it shows a certificate. */
  readonly shown?: boolean | undefined;
}

/** Before each message of the handshake: what it is, and how long. */
const MAGIC = 0x7e51;
const HEADER_BYTES = 4;

/** What a handshake starts from. */
interface TlsTerms {
  readonly carrier: Carrier;
  readonly settings: TlsOptions & { readonly role: "client" | "server" };
  /** What is wrong with the own certificate. */
  readonly fault: CertificateFault | undefined;
  readonly context: OperationContext;
}

interface HandshakeSetup extends TlsTerms {
  readonly resolve: (outcome: TlsOutcome) => void;
  readonly reject: (error: ZocaloError) => void;
}

/** Shakes hands, first with the bytes that came already. Rejects with a typed error, and has then released the connection. */
export function shakeHands(terms: TlsTerms, unread: Uint8Array): Promise<TlsOutcome> {
  const { carrier, settings } = terms;
  return new Promise((resolve, reject) => {
    const handshake = new Handshake({ ...terms, resolve, reject });
    if (settings.role === "client") {
      const { servername, alpn: offers } = settings;
      // RFC 6066 section 3: an address is no server name.
      handshake.say({ type: "client", servername: isIp(servername) ? undefined : servername, offers });
    }
    handshake.received(unread);
    if (handshake.over) return;
    carrier.start(handshake);
    carrier.resume();
  });
}

class Handshake implements StreamSink {
  over = false;
  readonly #setup: HandshakeSetup;
  #bytes: Buffer = Buffer.alloc(0);
  #servername: string | undefined;
  #alpn: string | undefined;

  constructor(setup: HandshakeSetup) {
    this.#setup = setup;
    this.#servername = setup.settings.servername;
  }

  say(hello: Hello): void {
    const body = Buffer.from(JSON.stringify(hello));
    const header = Buffer.from([MAGIC >> 8, MAGIC & 0xff, body.length >> 8, body.length & 0xff]);
    this.#setup.carrier.write([header, body], () => undefined);
  }

  received(view: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, view]);
    for (let next = this.#next(); next !== undefined && !this.over; next = this.#next()) this.#onMessage(next);
  }

  ended(): void {
    this.#fail("CONNECTION_RESET");
  }

  failed(error: unknown): void {
    this.#fail((error as ZocaloError).code);
  }

  #next(): Hello | undefined {
    if (this.over || this.#bytes.length < 2) return undefined;
    if (this.#bytes.readUInt16BE(0) !== MAGIC) {
      this.#fail("TLS_FAILED");
      return undefined;
    }
    if (this.#bytes.length < HEADER_BYTES) return undefined;
    const end = HEADER_BYTES + this.#bytes.readUInt16BE(2);
    if (this.#bytes.length < end) return undefined;
    const text = this.#bytes.toString("utf8", HEADER_BYTES, end);
    this.#bytes = this.#bytes.subarray(end);
    return JSON.parse(text) as Hello;
  }

  #onMessage(hello: Hello): void {
    const { role } = this.#setup.settings;
    if (hello.type === "alert") this.#fail(hello.code ?? "TLS_FAILED");
    else if (role === "server" && hello.type === "client") this.#answer(hello);
    else if (role === "client" && hello.type === "server") this.#judge(hello);
    else if (role === "server" && hello.type === "finished") this.#agreeWithClient(hello);
    else this.#refuse("TLS_FAILED", "TLS_FAILED");
  }

  /** The server's part: RFC 7301 section 3.2 for the choice of the protocol. */
  #answer({ servername, offers }: Hello): void {
    const { alpn: own, clientCertificate: asks } = this.#setup.settings;
    this.#servername = servername;
    this.#alpn = own?.find((name) => offers?.includes(name) === true);
    const disagree = own !== undefined && offers !== undefined && this.#alpn === undefined;
    if (disagree) this.#refuse("TLS_FAILED", "TLS_FAILED");
    else {
      this.say({
        type: "server",
        alpn: this.#alpn,
        fault: this.#setup.fault,
        asks: asks === "none" ? undefined : asks,
      });
    }
  }

  /** The client's part: is the certificate good, and is its own what the server wants? */
  #judge({ alpn, fault, asks }: Hello): void {
    this.#alpn = alpn;
    const { insecure, cert, servername } = this.#setup.settings;
    const shown = asks !== undefined && cert !== undefined;
    if (fault !== undefined && insecure !== true) this.#refuse(fault, "TLS_FAILED");
    else if (asks === "require" && !shown) this.#refuse("CERTIFICATE_REQUIRED", "CERTIFICATE_REQUIRED");
    else if (asks === "require" && this.#setup.fault !== undefined) this.#refuse(this.#setup.fault, this.#setup.fault);
    else {
      this.say({ type: "finished", shown, fault: shown ? this.#setup.fault : undefined });
      this.#agree(fault === undefined && insecure !== true, fault, standIn(servername ?? "simulated"));
    }
  }

  /** The server's part at the end: what the client has shown, if it was asked. */
  #agreeWithClient({ shown, fault }: Hello): void {
    const { clientCertificate = "none" } = this.#setup.settings;
    if (clientCertificate === "none") this.#agree(false);
    else if (shown !== true) this.#agree(false, "CERTIFICATE_REQUIRED");
    else this.#agree(fault === undefined, fault, standIn("client"));
  }

  #agree(authorized: boolean, problem?: CertificateFault, peerCertificate?: PeerCertificate): void {
    this.over = true;
    this.#setup.carrier.stop();
    const info: TlsInfo = {
      protocol: "TLSv1.3",
      cipher: "SIMULATED",
      alpn: this.#alpn,
      servername: this.#servername,
      authorized,
      authorizationError: problem,
      peerCertificate,
    };
    this.#setup.resolve({ info, rest: this.#bytes });
  }

  /** Tells the peer, and fails. */
  #refuse(code: ErrorCode, told: ErrorCode): void {
    this.say({ type: "alert", code: told });
    this.#fail(code);
  }

  #fail(code: ErrorCode): void {
    if (this.over) return;
    this.over = true;
    this.#setup.carrier.destroy();
    this.#setup.reject(new ConnectError(code, this.#setup.context));
  }
}

function isIp(name: string | undefined): boolean {
  return name !== undefined && (parseIpv4(name) ?? parseIpv6(name)) !== undefined;
}

/** What stands for a certificate: the same for one name in every world. */
function standIn(name: string): PeerCertificate {
  let hash = hashText(name);
  const print = Array.from({ length: 32 }, () => {
    hash = mix32(hash + 1);
    return (hash & 0xff).toString(16).toUpperCase().padStart(2, "0");
  });
  return {
    subject: name,
    issuer: "simulated authority",
    subjectAltNames: [isIp(name) ? `IP Address:${name}` : `DNS:${name}`],
    validFrom: "Jan  1 00:00:00 2000 GMT",
    validTo: "Jan  1 00:00:00 2100 GMT",
    fingerprint256: print.join(":"),
    raw: Buffer.from(`simulated certificate of ${name}`),
  };
}
