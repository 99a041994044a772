// The Spanish words of the pictures. A word that is missing here is an error, so that no picture is half English.

import { SPANISH_WORDS } from "../../dist/cli/sim/sequence-words.js";

const SPANISH = {
  ...SPANISH_WORDS,
  // Titles of sequence diagrams.
  "A connection, from SYN to FIN": "Una conexión, de SYN a FIN",
  "What a simulated network does to two programs and a sensor":
    "Lo que una red simulada hace a dos programas y un sensor",
  // The demo.
  "zocalo demo: the two kinds of socket, in a terminal": "zocalo demo: los dos tipos de socket, en una terminal",
  // End points.
  "A connection joins two end points, each an address and a port":
    "Una conexión une dos extremos, cada uno una dirección y un puerto",
  "two machines with their sockets": "dos máquinas con sus sockets",
  "the client's machine": "la máquina del cliente",
  "the server's machine": "la máquina del servidor",
  "your program": "tu programa",
  "the server": "el servidor",
  "a socket": "un socket",
  "port 49152": "puerto 49152",
  "port 7000": "puerto 7000",
  "chosen by the system": "lo elige el sistema",
  "chosen by the server": "lo elige el servidor",
  "address 192.0.2.10": "dirección 192.0.2.10",
  "address 198.51.100.7": "dirección 198.51.100.7",
  "the network": "la red",
  // Both kinds.
  "The telephone and the mailbox": "El teléfono y el buzón",
  "a stream of bytes and single datagrams": "un flujo de bytes y datagramas sueltos",
  "connection (TCP)": "conexión (TCP)",
  "datagrams (UDP)": "datagramas (UDP)",
  written: "escrito",
  read: "leído",
  sent: "enviado",
  received: "recibido",
  "every byte, in order, without message boundaries": "cada byte, en orden, sin límites entre mensajes",
  "each whole or not at all; lost, twice, overtaken": "cada uno entero o nada; perdido, doble, adelantado",
  // Sessions.
  "A session goes on over a new connection": "Una sesión sigue en una conexión nueva",
  client: "cliente",
  server: "servidor",
  hello: "saludo",
  "welcome: session 7f": "bienvenida: sesión 7f",
  "message 1": "mensaje 1",
  "I have 1": "tengo 1",
  "message 2": "mensaje 2",
  "message 3": "mensaje 3",
  "the connection is lost": "se pierde la conexión",
  "hello: resume session 7f": "saludo: sigue la sesión 7f",
  "welcome: I have 1": "bienvenida: tengo 1",
  "I have 3": "tengo 3",
};

/** In Spanish. What has no letters of a language, or is a name of TCP, is the same in both. */
export function spanish(words) {
  if (/^(?:[A-Z ]*|\d+ bytes?)$/.test(words)) return words;
  const found = SPANISH[words];
  if (found === undefined) throw new Error(`tools/pictures/words.mjs has no Spanish for ${JSON.stringify(words)}`);
  return found;
}
