/** How the differences between two contracts read, in each language. */

/** A reason, before its language is known. */
export type Reason = (words: DiffWords) => string;

const ENGLISH = {
  renamed: (older: string, newer: string) =>
    `the protocol was called "${older}" and is called "${newer}": the handshake refuses that`,
  wentBack: (older: string, newer: string) => `the version went back from ${older} to ${newer}`,
  serversRefuse: (older: string, newer: string) => `servers of ${newer} refuse clients of ${older}`,
  clientsRefuse: (older: string, newer: string) => `clients of ${older} refuse servers of ${newer}`,
  mustRise: (version: string) => `the version must become ${version}, so that the handshake refuses old clients`,
  stillSame: (version: string) => `the version is still ${version}, although something changed`,
  added: {
    server: "is new; old clients do not know it",
    client: "is new; old clients do not offer it, and calling it there is METHOD_UNKNOWN",
  },
  removed: {
    server: "is gone; old clients that call it get METHOD_UNKNOWN",
    client: "is gone; old clients offer it, and nobody calls it",
  },
  kinds: { call: "call", event: "event", stream: "stream" },
  otherKind: (before: string, after: string) => `was of kind ${before} and is of kind ${after}`,
  wasIdempotent: "was idempotent, and old clients send it again",
  isIdempotent: "is idempotent now",
  isVolatile: "is volatile now, and may be lost",
  wasVolatile: "is not volatile any more, and waits for room",
  values: {
    message: "the message",
    request: "the request",
    response: "the response",
    receives: "an item that is received",
    sends: "an item that is sent",
  },
  oneSide: "has a schema on one side only, or is bytes on one side only",
  vendors: (from: string, to: string) => `the schemas of ${from} and ${to} cannot be compared`,
  acceptsMore: "accepts more than before",
  value: "the value",
  anything: "anything",
  or: " or ",
  incomparable: (place: string) => `${place} cannot be compared`,
  incomparableWord: (place: string, word: string) => `${place} cannot be compared because of "${word}"`,
  noForm: (place: string) => `${place} is none of the forms that are accepted`,
  types: (place: string, sent: string, accepted: string) => `${place} may be ${sent}, but must be ${accepted}`,
  anyValue: (place: string, list: string) => `${place} may be any value, but must be one of ${list}`,
  otherValue: (place: string, sent: string, list: string) => `${place} may be ${sent}, but must be one of ${list}`,
  tighter: (place: string, word: string, bound: string) => `${place} is held to a tighter ${word}, ${bound}`,
  missing: (place: string) => `${place} may be missing, but is required`,
  unknown: (place: string) => `${place} is not known, and unknown ones are refused`,
};

/** The words of one language. */
export type DiffWords = typeof ENGLISH;

/** The words of both. */
export const DIFF_WORDS: Readonly<Record<"en" | "es", DiffWords>> = {
  en: ENGLISH,
  es: {
    renamed: (older, newer) => `el protocolo se llamaba "${older}" y se llama "${newer}": el saludo lo rechaza`,
    wentBack: (older, newer) => `la versión volvió de ${older} a ${newer}`,
    serversRefuse: (older, newer) => `los servidores de ${newer} rechazan a los clientes de ${older}`,
    clientsRefuse: (older, newer) => `los clientes de ${older} rechazan a los servidores de ${newer}`,
    mustRise: (version) => `la versión tiene que pasar a ${version}, para que el saludo rechace a los clientes viejos`,
    stillSame: (version) => `la versión sigue siendo ${version}, aunque algo cambió`,
    added: {
      server: "es nuevo; los clientes viejos no lo conocen",
      client: "es nuevo; los clientes viejos no lo ofrecen, y llamarlo allí es METHOD_UNKNOWN",
    },
    removed: {
      server: "ya no está; los clientes viejos que lo llaman reciben METHOD_UNKNOWN",
      client: "ya no está; los clientes viejos lo ofrecen, y nadie lo llama",
    },
    kinds: { call: "llamada", event: "evento", stream: "flujo" },
    otherKind: (before, after) => `era de la clase ${before} y es de la clase ${after}`,
    wasIdempotent: "era idempotente, y los clientes viejos lo envían otra vez",
    isIdempotent: "ahora es idempotente",
    isVolatile: "ahora es volátil, y puede perderse",
    wasVolatile: "ya no es volátil, y espera a que haya sitio",
    values: {
      message: "el mensaje",
      request: "la petición",
      response: "la respuesta",
      receives: "un elemento que se recibe",
      sends: "un elemento que se envía",
    },
    oneSide: "solo un lado tiene un esquema, o son bytes en un solo lado",
    vendors: (from, to) => `los esquemas de ${from} y ${to} no se pueden comparar`,
    acceptsMore: "acepta más que antes",
    value: "el valor",
    anything: "cualquier cosa",
    or: " o ",
    incomparable: (place) => `${place} no se puede comparar`,
    incomparableWord: (place, word) => `${place} no se puede comparar por "${word}"`,
    noForm: (place) => `${place} no es ninguna de las formas que se aceptan`,
    types: (place, sent, accepted) => `${place} puede ser ${sent}, pero tiene que ser ${accepted}`,
    anyValue: (place, list) => `${place} puede ser cualquier valor, pero tiene que ser uno de ${list}`,
    otherValue: (place, sent, list) => `${place} puede ser ${sent}, pero tiene que ser uno de ${list}`,
    tighter: (place, word, bound) => `${place} tiene un límite más estrecho, ${word}: ${bound}`,
    missing: (place) => `${place} puede faltar, pero hace falta`,
    unknown: (place) => `${place} no se conoce, y lo que no se conoce se rechaza`,
  },
};
