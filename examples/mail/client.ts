/** Sends a mail by SMTP with STARTTLS (RFC 5321, RFC 3207): node client.js ADDRESS [CA.pem] */

import { readFileSync } from "node:fs";
import { connect } from "zocalo";

const [address = "tcp://127.0.0.1:2525", ca] = process.argv.slice(2);
await using mail = await connect(address);

/** Sends a command, and waits for the last line of its answer: `250-` goes on, `250 ` ends. */
async function say(command: string, wanted: string): Promise<readonly string[]> {
  if (command !== "") await mail.write(`${command}\r\n`);
  const { line, match, before } = await mail.expect(/^(\d{3}) /, { timeoutMs: 10_000 });
  if (match[1] !== wanted) throw new Error(`${command} was answered: ${line}`);
  return [...before, line];
}

await say("", "220");
const offers = await say("EHLO client.example", "250");
if (!offers.some((line) => line.endsWith("STARTTLS"))) throw new Error("the server offers no STARTTLS");
await say("STARTTLS", "220");
await mail.startTls({ role: "client", ...(ca === undefined ? {} : { ca: readFileSync(ca) }) });
await say("EHLO client.example", "250");
await say("MAIL FROM:<ana@client.example>", "250");
await say("RCPT TO:<luis@server.example>", "250");
await say("DATA", "354");
console.log((await say("Subject: hola\r\n\r\nHola, Luis.\r\n.", "250")).at(-1));
await say("QUIT", "221");
