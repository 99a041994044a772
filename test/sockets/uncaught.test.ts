import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RunningProgram } from "../cli/program.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/*
 * What Node prints of an error that nobody caught: its sentence once, however many errors are beneath, and no property that says
 * nothing.
 */

const IMPORTS = `
  import { connect, listen, bind, pair, serve, Address } from "zocalo";
  import { lines } from "zocalo/framing";
  import { call, connectSession, contract, serveSessions } from "zocalo/protocol";
  import { simulate } from "zocalo/sim";
  const closed = async () => { const one = await listen("tcp://127.0.0.1:0"); await one.close(); return one.localAddress; };
`;

/** Programs that end with an error in `failed`. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "nobody listens": "const failed = connect(await closed());",
  "nobody listens, at several addresses":
    "const failed = connect((await closed()).toString().replace('127.0.0.1', 'localhost'));",
  "an address that is none": "const failed = (async () => Address.parse('tcp//x'))();",
  "an address in use":
    "const one = await listen('tcp://127.0.0.1:0'); one.unref?.(); const failed = listen(one.localAddress);",
  "a peer that resets": `const [left, right] = pair(); left.abort(); await right.read().catch(() => {}); const failed = right.read();`,
  "a read that takes too long": "const [left] = pair(); const failed = left.read({ timeoutMs: 1 });",
  "a line that is too long": `const [left, right] = pair(); void left.write("x".repeat(100));
    const failed = right.framed(lines({ maxLineBytes: 10 })).receive();`,
  "a stream that ends":
    "const [left, right] = pair(); await left.write('x'); await left.end(); const failed = right.readExactly(2);",
  "a datagram that nobody takes": `const box = await bind("udp://127.0.0.1:0");
    const failed = box.send(new Uint8Array(100_000), box.localAddress);`,
  "a server of sessions that is not there": `const failed = connectSession(contract("x", "1.0.0", {}), await closed());`,
  "a method of a contract that fails": `const say = contract("x", "1.0.0", { server: { say: call() } });
    const server = await serveSessions(say, "tcp://127.0.0.1:0", { handlers: { say() { throw new Error("of the handler"); } } });
    const session = await connectSession(say, server.localAddress);
    const failed = session.remote.say();`,
  "a session that is lost": `const say = contract("x", "1.0.0", { server: { say: call() } });
    const server = await serveSessions(say, "tcp://127.0.0.1:0", { handlers: { say: () => new Promise(() => {}) } });
    const session = await connectSession(say, server.localAddress);
    const failed = session.remote.say();
    server.abort();`,
  "a simulated program that is wrong":
    "const failed = simulate({ seed: 1 }, async (world) => world.always('one is two', false));",
};

/** How an error gets out of a program that does not throw it. */
const OTHER_WAYS: Readonly<Record<string, string>> = {
  rejected: "Promise.reject(error);",
  "shown by console.error": "console.error(error); process.exit(1);",
};

async function assertPrintedOnce(t: TestContext, program: string, end: string): Promise<void> {
  const tell = "const error = await failed.catch((reason) => reason); console.log(error.detail ?? error.message);";
  const args = ["--input-type=module", "-e", `${IMPORTS}${program}${tell}${end}`];
  const running = new RunningProgram(t, process.execPath, args, { cwd: repositoryRoot, input: null });
  const { code, stdout, stderr } = await running.ended;
  const sentence = stdout.trim();
  assert.notEqual(sentence, "", stderr);
  assert.equal(stderr.split(sentence).length - 1, 1, stderr);
  assert.doesNotMatch(stderr, /: undefined/);
  assert.equal(code, 1);
}

for (const [what, program] of Object.entries(PROGRAMS)) {
  test(`${what}: the sentence of the error is printed once`, async (t) => {
    await assertPrintedOnce(t, program, "throw error;");
  });
}

for (const [way, end] of Object.entries(OTHER_WAYS)) {
  test(`an error that is ${way}: its sentence is printed once`, async (t) => {
    await assertPrintedOnce(t, PROGRAMS["nobody listens"] ?? "", end);
  });
}
