/** The closed list of error codes: whose fault each is, and what happened. */

/**
 * Every code that an error of Zócalo can carry. The list is closed: a new code is a new minor version.
 */
export type ErrorCode =
  // The call itself is wrong: fix the program or the command.
  | "ADDRESS_INVALID"
  | "OPTION_INVALID"
  | "UNSUPPORTED"
  | "READER_TAKEN"
  | "FILE_UNSUPPORTED"
  // This machine does not give what was asked.
  | "ADDRESS_IN_USE"
  | "ADDRESS_NOT_AVAILABLE"
  | "PERMISSION_DENIED"
  | "PATH_NOT_FOUND"
  | "TOO_MANY_OPEN_FILES"
  | "NO_BUFFER_SPACE"
  | "SYSTEM_ERROR"
  // No connection was made, or a datagram had nowhere to go.
  | "NAME_NOT_FOUND"
  | "NAME_LOOKUP_FAILED"
  | "CONNECTION_REFUSED"
  | "HOST_UNREACHABLE"
  | "NETWORK_UNREACHABLE"
  | "TLS_FAILED"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_NOT_YET_VALID"
  | "CERTIFICATE_UNTRUSTED"
  | "CERTIFICATE_NAME_MISMATCH"
  | "CERTIFICATE_REVOKED"
  | "CERTIFICATE_REQUIRED"
  | "CERTIFICATE_INVALID"
  // The connection or the socket is gone.
  | "CONNECTION_RESET"
  | "CONNECTION_TIMED_OUT"
  | "CONNECTION_ABORTED"
  | "IDLE_TIMEOUT"
  | "WRITE_STALLED"
  | "LIFETIME_EXCEEDED"
  | "CLOSED"
  // This one call ended without what it asked for; the socket goes on.
  | "TIMEOUT"
  | "END_OF_STREAM"
  | "DELIMITER_NOT_FOUND"
  | "QUEUE_FULL"
  | "DATAGRAM_TOO_LARGE"
  // The peer broke the agreement.
  | "PROXY_HEADER_INVALID"
  | "FRAME_TRUNCATED"
  | "FRAME_TOO_LONG"
  | "FRAME_INVALID"
  | "PROTOCOL_MISMATCH"
  | "HANDSHAKE_INVALID"
  | "LIMIT_EXCEEDED"
  // The server did not take the client.
  | "CONTRACT_UNKNOWN"
  | "VERSION_UNSUPPORTED"
  | "CODEC_UNSUPPORTED"
  | "UNAUTHENTICATED"
  | "SERVER_BUSY"
  // The session, or one message of it.
  | "METHOD_UNKNOWN"
  | "REPLAY_OVERFLOW"
  | "SESSION_AWAY"
  | "SESSION_LOST"
  | "SESSION_TAKEN_OVER"
  | "SESSION_MOVED"
  // The journal that keeps sessions outside of their server.
  | "JOURNAL_RECORD_INVALID"
  | "JOURNAL_STALE"
  | "JOURNAL_UNAVAILABLE"
  | "JOURNAL_UNKNOWN"
  // A simulated program left its world, or its run came to no end.
  | "SIM_LEAK"
  | "SIM_CLOCK_LEAK"
  | "SIM_DEADLOCK"
  | "SIM_LIVELOCK"
  | "SIM_DIVERGED"
  | "SIM_INVARIANT";

/** Whose fault an error is: this program, the peer, or the machines and networks between. */
export type ErrorSide = "local" | "remote" | "system";

/** Whose fault each code usually is, and its sentence. */
export const CODES: Readonly<Record<ErrorCode, readonly [side: ErrorSide, detail: string]>> = {
  ADDRESS_INVALID: ["local", "the address is not valid"],
  OPTION_INVALID: ["local", "an option is not valid"],
  UNSUPPORTED: ["local", "this platform does not offer that"],
  READER_TAKEN: ["local", "a framed reader owns the bytes of this socket; read through it, or call its detach() first"],
  FILE_UNSUPPORTED: ["local", "this kind of file cannot be loaded here"],
  ADDRESS_IN_USE: [
    "system",
    "another program uses that address, or this one does; stop it, or choose another port (0 picks a free one)",
  ],
  ADDRESS_NOT_AVAILABLE: ["system", "this machine has no such address; use one of its own, or 0.0.0.0 for all"],
  PERMISSION_DENIED: ["system", "the operating system does not permit it; check the rights of this program"],
  PATH_NOT_FOUND: ["system", "there is no such path; start the server first, or check the folder"],
  TOO_MANY_OPEN_FILES: ["system", "the limit of open files is reached; raise it (ulimit -n) or close some sockets"],
  NO_BUFFER_SPACE: ["system", "the kernel has no buffer space left; do less at once, or try again later"],
  SYSTEM_ERROR: ["system", "the operating system reported an error"],
  NAME_NOT_FOUND: ["system", "no such host name; check the spelling"],
  NAME_LOOKUP_FAILED: ["system", "the name service did not answer; try again later"],
  CONNECTION_REFUSED: ["remote", "nothing listens there; start the server first, or check the address and the port"],
  HOST_UNREACHABLE: ["system", "no way to that host; check the address and the network"],
  NETWORK_UNREACHABLE: ["system", "no way to that network; check the address and the network"],
  TLS_FAILED: ["remote", "the TLS handshake failed; check that both sides speak TLS and share a version"],
  CERTIFICATE_EXPIRED: ["remote", "the certificate has expired; renew it"],
  CERTIFICATE_NOT_YET_VALID: ["remote", "the certificate is not valid yet; check the clocks"],
  CERTIFICATE_UNTRUSTED: ["remote", "no trusted authority signed the certificate; give its authority as `ca`"],
  CERTIFICATE_NAME_MISMATCH: ["remote", "the certificate is for another name; connect by a name that it holds"],
  CERTIFICATE_REVOKED: ["remote", "the certificate was revoked; it must be replaced"],
  CERTIFICATE_REQUIRED: ["remote", "the server asks for a client certificate; give `cert` and `key`"],
  CERTIFICATE_INVALID: ["remote", "the certificate cannot be used; check the file and its key"],
  CONNECTION_RESET: ["remote", "the peer reset the connection; what was not answered may or may not have arrived"],
  CONNECTION_TIMED_OUT: ["system", "the peer stopped answering and the kernel gave up"],
  CONNECTION_ABORTED: ["local", "this program aborted the connection"],
  IDLE_TIMEOUT: ["remote", "nothing moved on the connection for timeouts.idleMs"],
  WRITE_STALLED: ["remote", "the peer took no bytes for timeouts.writeStallMs"],
  LIFETIME_EXCEEDED: ["local", "the connection reached timeouts.lifetimeMs"],
  CLOSED: ["local", "this program closed the socket"],
  TIMEOUT: ["system", "the operation did not finish within timeoutMs; give it more time or try again"],
  END_OF_STREAM: ["remote", "the peer ended the stream before all the bytes came"],
  DELIMITER_NOT_FOUND: ["remote", "the delimiter did not come within maxBytes; raise it, or drop the peer"],
  QUEUE_FULL: ["local", "too much waits in the queue; await each call, or raise the limit"],
  DATAGRAM_TOO_LARGE: ["local", "the datagram is larger than the limit; send less at once"],
  PROXY_HEADER_INVALID: ["remote", "the peer did not send a valid PROXY protocol header"],
  FRAME_TRUNCATED: ["remote", "the stream ended in the middle of a message"],
  FRAME_TOO_LONG: ["remote", "a message is longer than the limit"],
  FRAME_INVALID: ["remote", "the bytes are not a valid message"],
  PROTOCOL_MISMATCH: ["remote", "the peer speaks another protocol; check the address and the port"],
  HANDSHAKE_INVALID: ["remote", "the peer did not keep the rules of the handshake; check which version it is"],
  LIMIT_EXCEEDED: ["remote", "the peer sent more than it was allowed to"],
  CONTRACT_UNKNOWN: [
    "remote",
    "the server does not offer that contract; check the address and the name of the contract",
  ],
  VERSION_UNSUPPORTED: ["remote", "the two sides speak incompatible versions; upgrade the older one"],
  CODEC_UNSUPPORTED: ["remote", "the two sides have no codec in common; configure the same one on both"],
  UNAUTHENTICATED: ["remote", "the server does not accept the credentials of the client; check `auth`"],
  SERVER_BUSY: [
    "remote",
    "the server takes no new clients now; retry after `retryAfterMs` of its refusal, as `retry` does",
  ],
  METHOD_UNKNOWN: ["remote", "the peer does not offer that method; it has another version of the contract"],
  REPLAY_OVERFLOW: [
    "system",
    "messages waited for the peer for longer than resume.maxReplayAgeMs; the session is over",
  ],
  SESSION_AWAY: [
    "system",
    "there is no connection to the other side now, and nothing was sent; try again later, or let the call wait (`whileAway`)",
  ],
  SESSION_LOST: ["system", "the session is lost; what was not acknowledged may or may not have arrived"],
  SESSION_TAKEN_OVER: ["remote", "a newer connection of the same session has taken its place"],
  SESSION_MOVED: ["system", "another server has the session now; streams do not move with it, open them again"],
  JOURNAL_RECORD_INVALID: [
    "system",
    "the record for the journal cannot be read (another version, cut short, not of this program) or is too long to be written; the session is lost",
  ],
  JOURNAL_STALE: ["system", "another server has written the record since; the session is that server's now"],
  JOURNAL_UNAVAILABLE: ["system", "the store of the journal cannot be reached, or refuses; nothing was written"],
  JOURNAL_UNKNOWN: [
    "system",
    "the store of the journal did not answer: it was written, or it was not; read the record",
  ],
  SIM_LEAK: ["local", "a simulated program must not reach the real network; use the network of its host"],
  SIM_CLOCK_LEAK: ["local", "a simulated program must take time and randomness from the network of its host"],
  SIM_DEADLOCK: ["local", "the program waits, and no event that could wake it is left in this world"],
  SIM_LIVELOCK: ["local", "the program never waits, so virtual time stands still; await a timer or a socket"],
  SIM_DIVERGED: ["local", "two runs with one seed differ; look for state or order that the seed does not decide"],
  SIM_INVARIANT: ["local", "a condition that must always hold in this world did not; replay the seed"],
};

/**
 * All codes, in the order of their documentation.
 *
 * @example
 * ```ts
 * import { describeCode, errorCodes } from "zocalo";
 * for (const code of errorCodes) console.log(`${code}: ${describeCode(code).detail}`);
 * ```
 */
export const errorCodes: readonly ErrorCode[] = Object.keys(CODES) as ErrorCode[];

/**
 * The sentence that belongs to a code, and whose fault it usually is. The errors of one call may say it more exactly.
 *
 * @example
 * ```ts
 * import { describeCode } from "zocalo";
 * console.log(describeCode("CONNECTION_REFUSED").side); // remote
 * ```
 */
export function describeCode(code: ErrorCode): { readonly side: ErrorSide; readonly detail: string } {
  const [side, detail] = CODES[code];
  return { side, detail };
}
