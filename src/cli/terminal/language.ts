/**
 * The language in which the command speaks to people, and the Spanish for what is not its own: the sentences of the library
 * and the words of commander. What programs read (`--json`, data, exit codes) has no language.
 */

import type { ErrorCode } from "../../index.ts";

/** English, or Spanish where the environment asks for it. */
export type Language = "en" | "es";

/**
 * What the environment asks for. The first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty counts (POSIX.1-2017,
 * 8.2). Where it is not that of POSIX itself, the list in `LANGUAGE` goes before it, as in GNU gettext. English for every
 * language that the command does not have.
 */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const locale = ["LC_ALL", "LC_MESSAGES", "LANG"].map((name) => environment[name] ?? "").find((value) => value !== "");
  const list = environment["LANGUAGE"] ?? "";
  const isPosix = locale === undefined || /^(?:C|POSIX)(?:\.|$)/.test(locale);
  const wanted = isPosix ? [] : list === "" ? [locale] : list.split(":");
  return wanted.map(nameOf).find((name) => name !== undefined) ?? "en";
}

/** `es` of `es_MX.UTF-8@euro`; undefined for a language that the command does not have. */
function nameOf(locale: string): Language | undefined {
  const name = locale.split(/[_.@]/, 1)[0]?.toLowerCase();
  return name === "es" || name === "en" ? name : undefined;
}

/** The language of this run: what has `--json` writes for programs, in English alone. */
const LANGUAGE: Language = process.argv.includes("--json") ? "en" : languageOf(process.env);

/** The texts of this run, of those in all languages. What one language lacks does not compile. */
export function inLanguage<T>(texts: { readonly en: T; readonly es: NoInfer<T> }): T {
  return texts[LANGUAGE];
}

/** The sentence of each code. The library speaks English alone, since the texts of its errors are searched for. */
export const SPANISH_SENTENCES: Readonly<Record<ErrorCode, string>> = {
  ADDRESS_INVALID: "la dirección no es válida",
  OPTION_INVALID: "una opción no es válida",
  UNSUPPORTED: "esta plataforma no ofrece eso",
  READER_TAKEN:
    "los bytes de este socket son de un lector de mensajes; lee por medio de él, o llama antes a su detach()",
  FILE_UNSUPPORTED: "aquí no se puede cargar un archivo de esa clase",
  ADDRESS_IN_USE: "otro programa usa esa dirección, o este mismo; detenlo, o elige otro puerto (0 toma uno libre)",
  ADDRESS_NOT_AVAILABLE: "esta máquina no tiene esa dirección; usa una suya, o 0.0.0.0 para todas",
  PERMISSION_DENIED: "el sistema operativo no lo permite; comprueba los permisos de este programa",
  PATH_NOT_FOUND: "no existe esa ruta; arranca antes el servidor, o revisa la carpeta",
  TOO_MANY_OPEN_FILES: "se alcanzó el límite de archivos abiertos; súbelo (ulimit -n) o cierra algunos sockets",
  NO_BUFFER_SPACE: "al núcleo no le queda memoria para esto; haz menos a la vez, o inténtalo más tarde",
  SYSTEM_ERROR: "el sistema operativo dio un error",
  NAME_NOT_FOUND: "no hay ninguna máquina con ese nombre; revisa cómo está escrito",
  NAME_LOOKUP_FAILED: "el servicio de nombres no contestó; inténtalo más tarde",
  CONNECTION_REFUSED: "allí no escucha nadie; arranca antes el servidor, o revisa la dirección y el puerto",
  HOST_UNREACHABLE: "no hay camino hasta esa máquina; revisa la dirección y la red",
  NETWORK_UNREACHABLE: "no hay camino hasta esa red; revisa la dirección y la red",
  TLS_FAILED: "falló el saludo de TLS; comprueba que los dos lados hablan TLS y tienen una versión en común",
  CERTIFICATE_EXPIRED: "el certificado caducó; renuévalo",
  CERTIFICATE_NOT_YET_VALID: "el certificado todavía no vale; comprueba los relojes",
  CERTIFICATE_UNTRUSTED: "ninguna autoridad de confianza firmó el certificado; da su autoridad como `ca`",
  CERTIFICATE_NAME_MISMATCH: "el certificado es para otro nombre; conecta con un nombre que figure en él",
  CERTIFICATE_REVOKED: "el certificado fue revocado; hay que cambiarlo",
  CERTIFICATE_REQUIRED: "el servidor pide un certificado al cliente; da `cert` y `key`",
  CERTIFICATE_INVALID: "el certificado no se puede usar; comprueba el archivo y su clave",
  CONNECTION_RESET: "el otro extremo cortó la conexión; lo que quedó sin respuesta pudo llegar o no",
  CONNECTION_TIMED_OUT: "el otro extremo dejó de contestar y el núcleo se rindió",
  CONNECTION_ABORTED: "este programa abortó la conexión",
  IDLE_TIMEOUT: "no se movió nada en la conexión durante timeouts.idleMs",
  WRITE_STALLED: "el otro extremo no recogió ningún byte durante timeouts.writeStallMs",
  LIFETIME_EXCEEDED: "la conexión cumplió timeouts.lifetimeMs",
  CLOSED: "este programa cerró el socket",
  TIMEOUT: "la operación no terminó dentro de timeoutMs; dale más tiempo o inténtalo otra vez",
  END_OF_STREAM: "el otro extremo terminó el flujo antes de que llegaran todos los bytes",
  DELIMITER_NOT_FOUND: "el delimitador no llegó dentro de maxBytes; súbelo, o deja a ese interlocutor",
  QUEUE_FULL: "hay demasiado en la cola; espera cada llamada, o sube el límite",
  DATAGRAM_TOO_LARGE: "el datagrama es más grande que el límite; envía menos de una vez",
  PROXY_HEADER_INVALID: "el otro extremo no mandó una cabecera válida del protocolo PROXY",
  FRAME_TRUNCATED: "el flujo terminó en mitad de un mensaje",
  FRAME_TOO_LONG: "un mensaje es más largo que el límite",
  FRAME_INVALID: "los bytes no son un mensaje válido",
  PROTOCOL_MISMATCH: "el otro extremo habla otro protocolo; revisa la dirección y el puerto",
  HANDSHAKE_INVALID: "el otro extremo no respetó las reglas del saludo; comprueba qué versión es",
  LIMIT_EXCEEDED: "el otro extremo mandó más de lo que se le permitía",
  CONTRACT_UNKNOWN: "el servidor no ofrece ese contrato; revisa la dirección y el nombre del contrato",
  VERSION_UNSUPPORTED: "los dos lados hablan versiones que no encajan; actualiza la más antigua",
  CODEC_UNSUPPORTED: "los dos lados no tienen ningún códec en común; dales uno que sea el mismo",
  UNAUTHENTICATED: "el servidor no acepta las credenciales del cliente; revisa `auth`",
  SERVER_BUSY:
    "el servidor no admite clientes nuevos ahora; inténtalo pasado el `retryAfterMs` de su rechazo, como hace `retry`",
  METHOD_UNKNOWN: "el otro extremo no ofrece ese método; tiene otra versión del contrato",
  REPLAY_OVERFLOW:
    "hubo mensajes que esperaron al otro extremo durante más de resume.maxReplayAgeMs; la sesión ha terminado",
  SESSION_AWAY:
    "ahora no hay conexión con el otro lado, y no se envió nada; prueba más tarde, o deja que la llamada espere (`whileAway`)",
  SESSION_LOST: "la sesión se perdió; lo que quedó sin acuse de recibo pudo llegar o no",
  SESSION_TAKEN_OVER: "una conexión más nueva de la misma sesión ocupó su lugar",
  SESSION_MOVED: "otro servidor tiene ahora la sesión; los flujos no se mudan con ella, ábralos de nuevo",
  JOURNAL_RECORD_INVALID:
    "el registro para el diario no se puede leer (es de otra versión, está cortado, no es de este programa) o es demasiado largo para escribirlo; la sesión se perdió",
  JOURNAL_STALE: "otro servidor escribió el registro después; la sesión es ahora de ese servidor",
  JOURNAL_UNAVAILABLE: "no se llega al almacén del diario, o se niega; no se escribió nada",
  JOURNAL_UNKNOWN: "el almacén del diario no respondió: se escribió o no; lea el registro",
  SIM_LEAK: "un programa simulado no debe llegar a la red de verdad; usa la red de su máquina simulada",
  SIM_CLOCK_LEAK: "un programa simulado toma el tiempo y el azar de la red de su máquina simulada",
  SIM_DEADLOCK: "en este mundo ya no puede pasar nada, y el programa sigue esperando",
  SIM_LIVELOCK: "el programa no para nunca mientras el tiempo virtual está quieto; haz que espere a algo",
  SIM_DIVERGED: "dos ejecuciones con la misma semilla no coinciden; busca estado u orden que la semilla no decida",
  SIM_INVARIANT: "una condición que debe cumplirse siempre en este mundo no se cumplió; repite la semilla",
};

/** What is put between brackets in the usage of a command, as in `--ca <file>`. */
const PLACES: Readonly<Record<string, string>> = {
  address: "dirección",
  codec: "códec",
  command: "orden",
  contract: "contrato",
  file: "archivo",
  folder: "carpeta",
  kind: "clase",
  list: "lista",
  method: "método",
  "'method json'": "'método json'",
  name: "nombre",
  names: "nombres",
  new: "nuevo",
  number: "número",
  old: "viejo",
  options: "opciones",
  role: "papel",
  seconds: "segundos",
  seed: "semilla",
  service: "servicio",
  share: "parte",
  text: "texto",
  "text...": "texto...",
  "words...": "palabras...",
};

/** Usage and flags with Spanish words between their brackets. */
export function spanishUsage(usage: string): string {
  return usage.replaceAll(/(?<=[<[])[^\]>]+(?=[\]>])/g, spanishArgument);
}

/** The name of an argument. */
export function spanishArgument(name: string): string {
  return PLACES[name] ?? name;
}

/** What commander finds wrong, and what to say instead. */
const COMPLAINTS: readonly (readonly [complaint: RegExp, spanish: string])[] = [
  [/^missing required argument '(.+)'$/, "falta el argumento '$1'"],
  [/^option '(.+)' argument missing$/, "a la opción '$1' le falta su valor"],
  [/^option '(.+)' argument '(.*)' is invalid\. /s, "el valor '$2' de la opción '$1' no es válido. "],
  [/^option '(.+)' cannot be used with option '(.+)'$/, "la opción '$1' no se puede usar con la opción '$2'"],
  [/^unknown option '(.+)'/, "no existe la opción '$1'"],
  [/^unknown command '(.+)'/, "no existe la orden '$1'"],
  [
    /^too many arguments(?: for '(.+)')?\. Expected (\d+) arguments? but got (\d+)$/,
    "sobran argumentos: hay $3, y se esperan $2",
  ],
  [/\n?\(Did you mean (?:one of )?(.+)\?\)$/, " (¿querías decir $1?)"],
  [/Allowed choices are (.+)$/, "Puede ser: $1"],
];

/** What commander says about a command line. */
export function spanishComplaint(complaint: string): string {
  return COMPLAINTS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), complaint)
    .replace(/(?<=^falta el argumento ').+(?=')/, spanishArgument)
    .replaceAll(/(?<=--[\w-]+ )<.+?>/g, spanishUsage);
}
