import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, type Schema } from "./schema.ts";
import { contract } from "./contract.ts";
import { describeContract } from "./describe.ts";
import { call, event, stream } from "./method.ts";

const room: Schema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({ $schema: "x", type: "string" }) },
  },
};

test("the documentation of a contract has everything that it says", () => {
  const chat = contract(
    "chat",
    "1.2.0",
    {
      server: {
        join: call(room, undefined, { description: "Enters a room.", idempotent: true, order: "serial" }),
        read: stream({ sends: bytes }),
      },
      client: { said: event<string>() },
    },
    { description: "Talk." },
  );
  const { said } = chat.client;
  assert.equal(said.message, undefined);
  assert.equal(
    describeContract(chat),
    `# chat 1.2.0

Talk.

Accepts peers of version 1.x. Hash \`${chat.hash}\`.

## What the server offers

### call \`join\` (idempotent, serial)

Enters a room.

Request:

\`\`\`json
{
  "type": "string"
}
\`\`\`

Response: nothing.

### stream \`read\`

Request: nothing.

Items sent by the side that offers it: bytes.

Items received by the side that offers it: nothing.

## What the client offers

### event \`said\`

Message: nothing.
`,
  );
});

test("in Spanish, all but the names, descriptions and schemas of the contract is Spanish", () => {
  const echo = call(undefined, undefined, { description: "Says it again.", idempotent: true });
  const chat = contract("chat", "1.2.0", {
    server: { echo, read: stream({ sends: room }) },
    client: { said: event(bytes) },
  });
  assert.deepEqual(describeContract(chat, { language: "es" }).split("\n").filter(Boolean), [
    "# chat 1.2.0",
    `Acepta a quien tiene la versión 1.x. Hash \`${chat.hash}\`.`,
    "## Lo que ofrece el servidor",
    "### llamada `echo` (idempotente)",
    "Says it again.",
    "Petición: nada.",
    "Respuesta: nada.",
    "### flujo `read`",
    "Petición: nada.",
    "Elementos que envía el lado que lo ofrece:",
    "```json",
    "{",
    '  "type": "string"',
    "}",
    "```",
    "Elementos que recibe el lado que lo ofrece: nada.",
    "## Lo que ofrece el cliente",
    "### evento `said`",
    "Mensaje: bytes.",
  ]);
  assert.throws(() => describeContract(chat, { language: "fr" as never }), { code: "OPTION_INVALID" });
});
