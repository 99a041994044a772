import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { contract } from "../../src/core/contract/contract.ts";
import { describeContract } from "../../src/core/contract/describe.ts";
import { diffContracts } from "../../src/core/contract/diff.ts";
import {
  call,
  event,
  type RequestInput,
  type RequestOutput,
  type ResponseOutput,
  stream,
} from "../../src/core/contract/method.ts";
import { validate } from "../../src/core/contract/schema.ts";

/** Compiles only when the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const same = <A, B>(_same: Same<A, B>): void => undefined;

const inZod = z.object({ room: z.string().default("plaza"), size: z.string().transform(Number) });
const inValibot = v.object({ room: v.optional(v.string(), "plaza") });
const inArktype = type({ room: "string = 'plaza'", size: "string.numeric.parse" });

const rooms = contract("rooms", "1.0.0", {
  server: {
    join: call(inZod, inValibot),
    leave: event(inValibot),
    count: call(inArktype, inArktype),
    watch: stream({ request: inZod, sends: inArktype }),
  },
});

test("types are those of the schemas: what comes in to send, what comes out to receive", () => {
  same<RequestInput<typeof rooms.server.join>, { room?: string | undefined; size: string }>(true);
  same<RequestOutput<typeof rooms.server.join>, { room: string; size: number }>(true);
  same<ResponseOutput<typeof rooms.server.join>, { room: string }>(true);
  same<RequestInput<typeof rooms.server.leave>, { room?: string | undefined }>(true);
  same<RequestOutput<typeof rooms.server.leave>, { room: string }>(true);
  same<RequestInput<typeof rooms.server.count>, { size: string; room?: string }>(true);
  same<RequestOutput<typeof rooms.server.count>, { room: string; size: number }>(true);
});

for (const [name, schema] of Object.entries({ zod: inZod, valibot: inValibot, arktype: inArktype })) {
  // The rules are those of docs/semantics.md.
  test(`rule D11: receiving gives the output of a schema of ${name}`, () => {
    const value = validate(schema, { size: "7" });
    assert.ok(value.valid);
    assert.equal((value.value as { readonly room: string }).room, "plaza");
    const wrong = validate(schema, { room: 1, size: "7" });
    assert.deepEqual(wrong.valid ? [] : wrong.issues.map((issue) => issue.path), [["room"]]);
  });
}

test("rule D11: asynchronous validators are refused at first use", () => {
  for (const schema of [
    z.string().refine(() => Promise.resolve(true)),
    v.pipeAsync(
      v.string(),
      v.checkAsync(() => Promise.resolve(true)),
    ),
  ]) {
    assert.throws(() => validate(schema, "x"), /UNSUPPORTED|asynchronous/);
  }
});

test("schemas with JSON Schema are documented and compared", () => {
  assert.match(describeContract(rooms), /"room": \{\s*"default": "plaza"/);
  const stricter = z.object({ room: z.string().max(5), size: z.string() });
  const newer = contract("rooms", "1.1.0", { server: { ...rooms.server, join: call(stricter, inValibot) } });
  const breaking = diffContracts(rooms, newer).changes.filter((change) => change.breaking);
  assert.deepEqual(
    breaking.map((change) => change.reason),
    [
      'the request: "room" may be missing, but is required',
      'the request: "room" is held to a tighter maxLength, 5',
      "the version must become 2.0.0, so that the handshake refuses old clients",
    ],
  );
});
