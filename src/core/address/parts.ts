/**
 * What an address consists of, before it becomes an object: the plain data that the parser, the formatter and the
 * classifier share.
 */

/** How the bytes travel: TCP, TLS over TCP, a Unix socket, or UDP. */
export type Transport = "tcp" | "tls" | "unix" | "udp";

/** What the host of an address is: an IPv4 address, an IPv6 address, a host name, or nothing because it is a path. */
export type AddressFamily = 4 | 6 | "name" | "unix";

/** Options that an address carries after its `?`, by name. */
export type AddressParams = Readonly<Record<string, string>>;

/** The plain data of one address, checked and in canonical form. */
export interface AddressParts {
  readonly transport: Transport;
  readonly family: AddressFamily;
  /** IP text or host name, without brackets and without zone; "" for Unix. */
  readonly host: string;
  /** IPv6 zone id (RFC 4007); "" if there is none. */
  readonly zone: string;
  /** 0 to 65535; 0 for Unix. */
  readonly port: number;
  /** File path, or "\0" and a name in the abstract namespace; "" unless Unix. */
  readonly path: string;
  readonly params: AddressParams;
}

/** The parameters of every address that has none: one frozen object, so that a received datagram makes no new one. */
export const NO_PARAMS: AddressParams = Object.freeze({});

/** Every transport, in the order in which messages list them. */
export const TRANSPORTS: readonly Transport[] = ["tcp", "tls", "udp", "unix"];
