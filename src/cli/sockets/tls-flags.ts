/** TLS on the command line. */

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type * as library from "selfsigned";
import { type Address, type TlsIdentity, type TlsOptions } from "../../index.ts";
import { CommandError, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

const TEXTS = inLanguage({
  en: {
    group: "TLS (tls:// addresses):",
    cert: "the certificate chain, in PEM",
    key: "its private key, in PEM",
    selfSigned: "make a certificate for this run; clients need --insecure",
    clientCa: "ask clients for a certificate of this authority, and refuse those without",
    accepted: "protocols to accept, best first, with commas between them",
    insecure: "accept any certificate; an attacker on the way can then read everything",
    ca: "the authority to trust, instead of the well-known ones, in PEM",
    servername: "the name to ask for and to find in the certificate",
    offered: "protocols to offer, best first, with commas between them",
    clientCert: "the certificate of this client, for a server that asks for one, in PEM",
    ownCertificate: "--self-signed makes its own certificate; leave out --cert and --key",
    noCertificate: "a tls: listener needs --cert FILE and --key FILE, or --self-signed",
    together: "--cert and --key belong together",
    onlyTls: (flag: string) => `${flag} needs a tls:// address`,
    noFile: "there is no such file",
    unreadable: (code: string | undefined) => `cannot be read (${code})`,
    install: "npm install selfsigned (with -g beside a global zocalo)",
    needsPackage: (install: string) => `--self-signed needs a package: ${install}; or give --cert and --key`,
  },
  es: {
    group: "TLS (direcciones tls://):",
    cert: "la cadena de certificados, en PEM",
    key: "su clave privada, en PEM",
    selfSigned: "hace un certificado para esta vez; los clientes necesitan --insecure",
    clientCa: "pide a los clientes un certificado de esta autoridad, y rechaza a los que no lo tienen",
    accepted: "los protocolos que acepta, el mejor delante, separados por comas",
    insecure: "acepta cualquier certificado; quien esté en el camino puede entonces leerlo todo",
    ca: "la autoridad en la que confía, en lugar de las conocidas, en PEM",
    servername: "el nombre que pide, y que tiene que estar en el certificado",
    offered: "los protocolos que ofrece, el mejor delante, separados por comas",
    clientCert: "el certificado de este cliente, para un servidor que lo pide, en PEM",
    ownCertificate: "--self-signed hace su propio certificado; quita --cert y --key",
    noCertificate: "una dirección tls: necesita --cert ARCHIVO y --key ARCHIVO, o --self-signed",
    together: "--cert y --key van juntas",
    onlyTls: (flag) => `${flag} necesita una dirección tls://`,
    noFile: "no existe ese archivo",
    unreadable: (code) => `no se puede leer (${code})`,
    install: "npm install selfsigned (con -g junto a un zocalo global)",
    needsPackage: (install) => `--self-signed necesita un paquete: ${install}; o da --cert y --key`,
  },
});

/** What both sides can be told. */
interface TlsFlags {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly alpn?: string;
}

/** What `listen` can be told. */
export interface ServerTlsFlags extends TlsFlags {
  readonly selfSigned?: boolean;
}

/** What `connect` and `send` can be told. */
export interface ClientTlsFlags extends TlsFlags {
  readonly insecure?: boolean;
  readonly servername?: string;
}

/** Adds the flags of a server. */
export function addServerTlsFlags(command: Command): Command {
  return command
    .optionsGroup(TEXTS.group)
    .option("--cert <file>", TEXTS.cert)
    .option("--key <file>", TEXTS.key)
    .option("--self-signed", TEXTS.selfSigned)
    .option("--ca <file>", TEXTS.clientCa)
    .option("--alpn <names>", TEXTS.accepted);
}

/** Adds the flags of a client. */
export function addClientTlsFlags(command: Command): Command {
  return command
    .optionsGroup(TEXTS.group)
    .option("--insecure", TEXTS.insecure)
    .option("--ca <file>", TEXTS.ca)
    .option("--servername <name>", TEXTS.servername)
    .option("--alpn <names>", TEXTS.offered)
    .option("--cert <file>", TEXTS.clientCert)
    .option("--key <file>", TEXTS.key);
}

/** The TLS settings of a listener; undefined for an address without TLS. */
export async function serverTls(address: Address, flags: ServerTlsFlags): Promise<TlsOptions | undefined> {
  if (!usesTls(address, { ...flags, selfSigned: flags.selfSigned })) return undefined;
  if (flags.selfSigned === true) {
    if (flags.cert !== undefined || flags.key !== undefined) {
      throw wrongUsage(TEXTS.ownCertificate, String(address));
    }
    return { ...(await selfSigned(address)), ...sharedTls(flags), ...clientCheck(flags) };
  }
  if (flags.cert === undefined || flags.key === undefined) {
    throw wrongUsage(TEXTS.noCertificate, String(address));
  }
  return { ...identity(flags), ...sharedTls(flags), ...clientCheck(flags) };
}

/** The TLS settings of a client; undefined for an address without TLS. */
export function clientTls(address: Address, flags: ClientTlsFlags): TlsOptions | undefined {
  const { insecure, servername } = flags;
  if (!usesTls(address, { ...flags, insecure, servername })) return undefined;
  if ((flags.cert === undefined) !== (flags.key === undefined)) {
    throw wrongUsage(TEXTS.together, String(address));
  }
  const name = servername === undefined ? {} : { servername };
  return { insecure, ...name, ...identity(flags), ...sharedTls(flags) };
}

/** Whether the address has TLS. A flag of TLS on another address is refused, because it would protect nothing. */
function usesTls(address: Address, flags: TlsFlags & Readonly<Record<string, unknown>>): boolean {
  if (address.transport === "tls") return true;
  const given = ["cert", "key", "ca", "alpn", "selfSigned", "insecure", "servername"].find(
    (name) => flags[name] !== undefined,
  );
  if (given === undefined) return false;
  const flag = given === "selfSigned" ? "--self-signed" : `--${given}`;
  throw wrongUsage(TEXTS.onlyTls(flag), String(address));
}

function identity(flags: TlsFlags): TlsOptions {
  if (flags.cert === undefined || flags.key === undefined) return {};
  return { cert: fileOf("--cert", flags.cert), key: fileOf("--key", flags.key) };
}

function sharedTls(flags: TlsFlags): TlsOptions {
  return {
    ca: flags.ca === undefined ? undefined : fileOf("--ca", flags.ca),
    alpn: flags.alpn?.split(",").map((name) => name.trim()),
  };
}

function clientCheck(flags: TlsFlags): TlsOptions {
  return flags.ca === undefined ? {} : { clientCertificate: "require" };
}

function fileOf(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongUsage(`${flag} ${path}: ${code === "ENOENT" ? TEXTS.noFile : TEXTS.unreadable(code)}`);
  }
}

/** How to get the library; it is an optional peer dependency, and everything else works without it. */
export const HOW_TO_INSTALL: string = TEXTS.install;

const DAY_MS = 86_400_000;

/** Makes a key and a certificate for the host of the address and for the names of this machine to itself. */
async function selfSigned(address: Address): Promise<TlsIdentity> {
  const { generate } = await loadLibrary(address);
  const { cert, private: key } = await generate([{ name: "commonName", value: address.host }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" },
          address.isIp ? { type: 7, ip: address.host } : { type: 2, value: address.host },
        ],
      },
    ],
  });
  return { cert, key };
}

/** Whether certificates can be made here. */
export async function canSelfSign(): Promise<boolean> {
  return await import("selfsigned").then(
    () => true,
    () => false,
  );
}

async function loadLibrary(address: Address): Promise<Pick<typeof library, "generate">> {
  try {
    return await import("selfsigned");
  } catch (cause) {
    const detail = TEXTS.needsPackage(HOW_TO_INSTALL);
    throw new CommandError("UNSUPPORTED", { op: "listen", local: String(address), detail, cause });
  }
}
