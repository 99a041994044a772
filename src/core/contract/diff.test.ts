import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, type Schema } from "./schema.ts";
import { type Contract, contract, type Methods } from "./contract.ts";
import { diffContracts } from "./diff.ts";
import { call, event, stream } from "./method.ts";

const json = (input: unknown): Schema => ({
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }), jsonSchema: { input: () => input } },
});
const object = (properties: object, ...required: readonly string[]): Schema =>
  json({ type: "object", properties, required });
const text = { type: "string" };

const server = (methods: Methods, version = "1.0.0"): Contract => contract("test", version, { server: methods });
const client = (methods: Methods, version = "1.0.0"): Contract => contract("test", version, { client: methods });

function breaking(older: Contract, newer: Contract): readonly string[] {
  return diffContracts(older, newer)
    .changes.filter((change) => change.breaking)
    .map((change) => `${change.path} ${change.reason}`);
}

test("the same contract has no changes", () => {
  const one = server({ a: call(object({ x: text }, "x")) });
  assert.deepEqual(diffContracts(one, one), { compatible: true, changes: [] });
});

test("a server may offer more, not less", () => {
  assert.deepEqual(breaking(server({ a: event() }), server({ a: event(), b: call() }, "1.1.0")), []);
  assert.match(
    breaking(server({ a: event(), b: call() }), server({ a: event() }, "1.1.0"))[0] ?? "",
    /server\.b is gone/,
  );
});

test("a server may call less of its clients, and may know of more", () => {
  assert.deepEqual(breaking(client({ a: event() }), client({}, "1.1.0")), []);
  assert.deepEqual(breaking(client({}), client({ a: event() }, "1.1.0")), []);
});

test("a server may ask for less and answer more", () => {
  const older = server({ a: call(object({ x: text }, "x"), object({ y: text }, "y")) });
  const newer = server({ a: call(object({ x: text }), object({ y: text, z: text }, "y", "z")) }, "1.1.0");
  assert.deepEqual(breaking(older, newer), []);
  assert.equal(diffContracts(older, newer).changes.length, 2);
  assert.deepEqual(breaking(newer, server(older.server, "1.2.0")), [
    'server.a the request: "x" may be missing, but is required',
    'server.a the response: "z" may be missing, but is required',
    "contract the version must become 2.0.0, so that the handshake refuses old clients",
  ]);
});

test("the directions turn round for what the client offers", () => {
  const older = client({ a: event(object({ x: text }, "x")) });
  const newer = client({ a: event(object({ x: text })) }, "1.1.0");
  assert.match(breaking(older, newer)[0] ?? "", /"x" may be missing, but is required/);
  assert.deepEqual(breaking(newer, client(older.client, "1.2.0")), []);
});

test("the directions of streams are those of the side that offers them", () => {
  const older = server({ a: stream({ sends: json({ enum: ["a"] }), receives: json({ enum: ["a"] }) }) });
  const newer = server(
    { a: stream({ sends: json({ enum: ["a", "b"] }), receives: json({ enum: ["a", "b"] }) }) },
    "1.1.0",
  );
  assert.deepEqual(
    breaking(older, newer).map((line) => line.split(":")[0]),
    [
      "server.a an item that is sent",
      "contract the version must become 2.0.0, so that the handshake refuses old clients",
    ],
  );
});

test("kinds, bytes and idempotence do not change in silence", () => {
  assert.match(breaking(server({ a: call() }), server({ a: event() }, "1.1.0"))[0] ?? "", /was of kind call/);
  assert.match(
    breaking(server({ a: event(bytes) }), server({ a: event(json({})) }, "1.1.0"))[0] ?? "",
    /bytes on one side/,
  );
  const idempotent = { a: call(undefined, undefined, { idempotent: true }) };
  assert.match(breaking(server(idempotent), server({ a: call() }, "1.1.0"))[0] ?? "", /was idempotent/);
});

test("the version is part of the comparison", () => {
  assert.match(breaking(server({}, "1.1.0"), server({}, "1.0.0"))[0] ?? "", /went back/);
  assert.match(breaking(server({}), server({}, "2.0.0"))[0] ?? "", /refuse clients of 1\.0\.0/);
  assert.match(diffContracts(server({}), server({ a: call() })).changes[1]?.reason ?? "", /still 1\.0\.0/);
});

test("the reasons can be Spanish", () => {
  const older = server({ a: call(json({ enum: ["x", "y"] })), b: event(), c: call(json({ type: "string" })) });
  const methods = { a: call(json({ enum: ["x"] })), c: call(json({ type: ["number", "null"] })), d: event() };
  const { changes } = diffContracts(older, server(methods, "1.1.0"), { language: "es" });
  assert.deepEqual(
    changes.map(({ path, reason }) => `${path}: ${reason}`),
    [
      'server.a: la petición: el valor puede ser "y", pero tiene que ser uno de "x"',
      "server.b: ya no está; los clientes viejos que lo llaman reciben METHOD_UNKNOWN",
      "server.c: la petición: el valor puede ser string, pero tiene que ser number o null",
      "contract: la versión tiene que pasar a 2.0.0, para que el saludo rechace a los clientes viejos",
      "server.d: es nuevo; los clientes viejos no lo conocen",
    ],
  );
  assert.throws(() => diffContracts(older, older, { language: "fr" as "es" }), { code: "OPTION_INVALID" });
});

test("another name is another protocol", () => {
  assert.match(breaking(contract("a", "1.0.0", {}), contract("b", "1.0.0", {}))[0] ?? "", /was called "a"/);
});
