/** What can be asked of TLS, and what a handshake agreed on. The same for the kernel's network and a simulated one. */

/** PEM, as text or as bytes. */
export type TlsMaterial = string | Uint8Array;

/** A certificate chain with its private key. */
export interface TlsIdentity {
  /** The chain in PEM, the own certificate first. */
  readonly cert: TlsMaterial;
  /** The private key in PEM. */
  readonly key: TlsMaterial;
  /** Opens an encrypted `key`. */
  readonly passphrase?: string | undefined;
}

/** TLS settings of one connection or one listener. Only TLS 1.2 and 1.3 are spoken. */
export interface TlsOptions {
  /** The own certificate, with `key`: needed by a server, and by a client whose server asks for one (mutual TLS). */
  readonly cert?: TlsMaterial | undefined;
  /** The private key of `cert`, in PEM. */
  readonly key?: TlsMaterial | undefined;
  /** Opens an encrypted `key`. */
  readonly passphrase?: string | undefined;
  /** The authorities to trust instead of the well-known ones, in PEM; each piece holds a certificate at least. */
  readonly ca?: TlsMaterial | readonly TlsMaterial[] | undefined;
  /** Revocation lists in PEM. `UNSUPPORTED` on Bun and Deno, which look at none. */
  readonly crl?: TlsMaterial | readonly TlsMaterial[] | undefined;
  /**
   * Client: the name to ask for (SNI, RFC 6066 section 3) and to find in the certificate. Default: the host that was
   * connected to. Where none was, as in `startTls` on a connection that was accepted, it is required, unless `insecure`.
   */
  readonly servername?: string | undefined;
  /** Protocol names to offer or accept, best first, of 1 to 255 bytes each (RFC 7301 section 3.1). Default: none. */
  readonly alpn?: readonly string[] | undefined;
  /** Client: accept any certificate. For tests only: whoever can reach the network can then read everything. */
  readonly insecure?: boolean | undefined;
  /**
   * Server: whether clients show a certificate. `require` refuses a client without one of an authority in `ca`, which it
   * needs; `ask` lets the program decide by `socket.tls.authorized`. Default `none`. A client whose certificate is refused
   * sees `CONNECTION_RESET`, with TLS 1.3 at its first read: the platform cannot send it the alert that would say why.
   */
  readonly clientCertificate?: "none" | "ask" | "require" | undefined;
  /** Server: identities by the name that the client asks for, in any case; `*.example.org` covers one label. */
  readonly sni?: Readonly<Record<string, TlsIdentity>> | undefined;
  /** Default `TLSv1.2` (RFC 8996 retires the older ones). */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** OpenSSL cipher list; default: the platform's. `UNSUPPORTED` on Deno, and on Bun for those of TLS 1.3. */
  readonly ciphers?: string | undefined;
}

/** A certificate that a peer showed. */
export interface PeerCertificate {
  /** The common name of the subject. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** The names and addresses it holds, such as `DNS:example.org`. */
  readonly subjectAltNames: readonly string[];
  /** From when on it counts, as the certificate says it. */
  readonly validFrom: string;
  /** Until when it counts. */
  readonly validTo: string;
  /** SHA-256 of the DER form, in hexadecimal with colons. */
  readonly fingerprint256: string;
  /** The certificate in DER. */
  readonly raw: Uint8Array;
}

/** What a TLS handshake agreed on. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** The name of the cipher suite. */
  readonly cipher: string;
  /** The agreed ALPN protocol; undefined when none was. */
  readonly alpn: string | undefined;
  /** The name that the client asked for. */
  readonly servername: string | undefined;
  /** Whether the peer's certificate was checked and trusted. */
  readonly authorized: boolean;
  /** The code that says why it was not. */
  readonly authorizationError: string | undefined;
  /** The peer's certificate; undefined when it showed none. */
  readonly peerCertificate: PeerCertificate | undefined;
}
