/** TLS over a connection of the kernel, in either role (RFC 8446, RFC 5246). */

import net from "node:net";
import tls from "node:tls";
import { ConnectError, ConnectionError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import type { PeerCertificate, TlsInfo, TlsOptions } from "../io/network/tls.ts";
import { systemError } from "./errno.ts";
import { tellTlsErrors } from "./native-handle.ts";
import { KernelStream, type StartTlsOptions } from "./stream-transport.ts";
import { contextOf, namedContextOf } from "./tls-context.ts";

/** Runs the handshake over `socket`; rejects with a typed error and has then released the socket. */
export function startTls(socket: net.Socket, options: StartTlsOptions, plain: KernelStream): Promise<KernelStream> {
  return new Promise((resolve, reject) => {
    const context = { op: "startTls", local: plain.localAddress.toString(), remote: plain.remoteAddress.toString() };
    let secure: tls.TLSSocket | undefined;
    let settled = false;
    const fail = (cause: unknown): void => {
      settled = true;
      // A client that was told nothing, not even an alert, must not take the end for an empty answer.
      if (options.role === "server" && socket.bytesWritten === 0) plain.reset();
      secure?.destroy();
      socket.destroy();
      reject(isHangUp(cause) ? hungUp(context) : systemError(cause, context));
    };
    const lost = (): void => fail(undefined);
    try {
      secure = options.role === "client" ? clientSide(socket, options) : serverSide(socket, options);
    } catch (error) {
      fail(error);
      return;
    }
    const engine = secure;
    const finished = (): void => {
      // The server learns of a client certificate here, the client of the server's before `secureConnect`.
      const rejection = options.role === "server" ? clientRejection(engine, options) : undefined;
      const stream = secureStream(engine, socket, options, plain);
      if (options.role === "server") tellTlsErrors(engine);
      engine.off("end", lost);
      // This event comes from inside OpenSSL, which does not survive it when a listener destroys the engine.
      setImmediate(() => {
        if (settled) return;
        engine.off("error", fail).off("close", lost);
        socket.off("error", fail).on("error", ignore);
        if (rejection === undefined) resolve(stream);
        else {
          stream.reset();
          fail(rejection);
        }
      });
    };
    socket.on("error", fail);
    engine.once("error", fail);
    engine.once("close", lost);
    engine.once("end", lost);
    engine.once(options.role === "client" ? "secureConnect" : "secure", finished);
  });
}

/** The transport over an engine whose handshake is finished; it listens from now on, since the peer may end at once. */
function secureStream(
  engine: tls.TLSSocket,
  socket: net.Socket,
  options: StartTlsOptions,
  plain: KernelStream,
): KernelStream {
  const info = tlsInfo(engine, options);
  engine.pause();
  const kind = { reads: "events", beneath: socket, tls: info, startTls } as const;
  return new KernelStream(engine, plain.localAddress, plain.remoteAddress, kind);
}

/** The engine reports what happens to the socket beneath it. */
const ignore = (): void => undefined;

/** Whether the peer ended in good order before the handshake was finished: Node invents a reset then. */
function isHangUp(cause: unknown): boolean {
  if (cause === undefined) return true;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  return code === "ECONNRESET" && syscall === undefined;
}

/** The cause tells it from what TLS itself has said: a proxy ends so as well whose server is not up yet. */
function hungUp(context: OperationContext): ConnectError {
  const detail = "the peer closed the connection during the TLS handshake; check that it speaks TLS";
  return new ConnectError("TLS_FAILED", { ...context, detail, cause: new ConnectionError("END_OF_STREAM", context) });
}

function clientSide(socket: net.Socket, options: StartTlsOptions): tls.TLSSocket {
  const { servername, alpn = [], insecure } = options;
  return tls.connect({
    socket,
    secureContext: contextOf(options),
    rejectUnauthorized: insecure !== true,
    // RFC 6066 section 3: literal addresses are not sent as a server name; the certificate is still checked for them.
    ...(servername !== undefined && net.isIP(servername) === 0 ? { servername } : {}),
    // Without a name Node would look for "localhost".
    ...(servername === undefined ? { checkServerIdentity: nameUnknown } : { host: servername }),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  });
}

/** Whoever accepts any certificate may not say whose: then no name was checked. */
function nameUnknown(): Error {
  return Object.assign(new Error("there is no name to check the certificate against"), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
}

function serverSide(socket: net.Socket, options: StartTlsOptions): tls.TLSSocket {
  const { alpn = [], clientCertificate = "none", sni } = options;
  return new tls.TLSSocket(socket, {
    isServer: true,
    secureContext: contextOf(options),
    requestCert: clientCertificate !== "none",
    // OpenSSL refuses a client without a certificate (with an alert); one that it shows is judged in clientRejection.
    rejectUnauthorized: clientCertificate === "require",
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    ...(sni === undefined ? {} : { SNICallback: (name, answer) => answerName(name, answer, sni, options) }),
  });
}

/** Answers inside a callback of OpenSSL, where an exception would end the process. */
function answerName(
  name: string,
  answer: (error: Error | null, context?: tls.SecureContext) => void,
  sni: NonNullable<TlsOptions["sni"]>,
  base: TlsOptions,
): void {
  try {
    answer(null, contextFor(name, sni, base));
  } catch (error) {
    answer(error as Error);
  }
}

/** The identity for the name that the client asks for: the exact one, else a wildcard for one label (RFC 9525). */
function contextFor(name: string, sni: NonNullable<TlsOptions["sni"]>, base: TlsOptions): tls.SecureContext {
  // RFC 6066 section 3 wants no dot at the end; some send one all the same.
  const asked = name.toLowerCase().replace(/\.$/, "");
  const entry = [asked, `*${asked.slice(asked.indexOf("."))}`].find((candidate) => Object.hasOwn(sni, candidate));
  return entry === undefined ? contextOf(base) : namedContextOf(base, entry);
}

interface Engine extends tls.TLSSocket {
  ssl?: { verifyError?: () => unknown };
}

/** Why the client's certificate does not do; undefined when it does, or when none is required. */
function clientRejection(engine: Engine, options: StartTlsOptions): unknown {
  const { clientCertificate = "none" } = options;
  if (clientCertificate === "none") return undefined;
  const shown = Object.keys(engine.getPeerCertificate() ?? {}).length > 0;
  const problem = verificationProblem(engine);
  engine.authorized = shown && problem === undefined;
  if (problem !== undefined) engine.authorizationError = problem.code as unknown as Error;
  if (clientCertificate === "ask" || engine.authorized) return undefined;
  return shown ? problem : { code: "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", message: "no client certificate" };
}

/** What OpenSSL found wrong with the client's certificate; an engine that does not say is not trusted. */
function verificationProblem(engine: Engine): { readonly code?: string; readonly message: string } | undefined {
  if (typeof engine.ssl?.verifyError !== "function") return { code: "CERT_REJECTED", message: "it was not checked" };
  const found = engine.ssl.verifyError();
  // Deno answers the name of the problem, and an empty text for none.
  if (typeof found === "string") return found === "" ? undefined : { code: found, message: found };
  return (found as Error | null | undefined) ?? undefined;
}

function tlsInfo(engine: tls.TLSSocket, options: StartTlsOptions): TlsInfo {
  const asked: unknown = (engine as { servername?: unknown }).servername;
  const error: unknown = engine.authorizationError;
  return {
    protocol: engine.getProtocol() ?? "",
    cipher: engine.getCipher().standardName,
    alpn: typeof engine.alpnProtocol === "string" ? engine.alpnProtocol : undefined,
    servername: typeof asked === "string" ? asked : options.role === "client" ? options.servername : undefined,
    authorized: engine.authorized,
    authorizationError: error === null || error === undefined ? undefined : errorCode(error),
    peerCertificate: peerCertificate(engine),
  };
}

function errorCode(error: unknown): string {
  return error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error);
}

function peerCertificate(engine: tls.TLSSocket): PeerCertificate | undefined {
  const shown = engine.getPeerCertificate();
  if (shown?.raw === undefined) return undefined;
  return {
    subject: String(shown.subject?.CN ?? ""),
    issuer: String(shown.issuer?.CN ?? ""),
    subjectAltNames: shown.subjectaltname?.split(", ") ?? [],
    validFrom: shown.valid_from,
    validTo: shown.valid_to,
    fingerprint256: shown.fingerprint256,
    raw: shown.raw,
  };
}
