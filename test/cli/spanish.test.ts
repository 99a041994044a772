import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { contractFile } from "./contracts.ts";
import { fileWith } from "./simulations.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { type Ended, run, RunningProgram, SPANISH } from "./program.ts";

/** Runs the command as somebody does who speaks Spanish. */
function runInSpanish(t: TestContext, args: readonly string[]): Promise<Ended> {
  return run(t, args, { env: SPANISH });
}

/** What a module prints in a Spanish environment. */
async function evaluated(t: TestContext, program: string): Promise<string> {
  const args = ["--input-type=module", "--eval", program];
  const options = { cwd: repositoryRoot, env: SPANISH, input: null };
  const { stdout, stderr } = await new RunningProgram(t, process.execPath, args, options).ended;
  assert.equal(stderr, "");
  return stdout;
}

/** English words that no Spanish text has. */
const ENGLISH = /\b(?:the|with|this|that|and|of|is|does not|prints?|default:|choices:|Usage|Options|Examples)\b/;

test("the help of every command is Spanish, in 80 columns", async (t) => {
  for (const command of [
    "",
    "listen",
    "connect",
    "send",
    "demo",
    "cluster",
    "cluster demo",
    "doctor",
    "new",
    "sim",
    "sim run",
    "sim hunt",
    "sim check",
    "sim shrink",
    "sim trace",
    "contract",
    "contract show",
    "contract diff",
    "call",
    "events",
    "inspect",
    "proxy",
  ]) {
    const { code, stdout, stderr } = await runInSpanish(t, [...command.split(" ").filter(Boolean), "--help"]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^Uso: zocalo .*\[opciones\]/);
    assert.match(stdout, /^Opciones:\n/m);
    assert.match(stdout, /^ {2}-h, --help +escribe esta ayuda$/m);
    assert.match(stdout, /^Ejemplos:\n {2}\S/m);
    assert.doesNotMatch(stdout, ENGLISH);
    // Words that stay as they are typed have no brackets.
    assert.doesNotMatch(stdout, /[<[](?:file|name|number|address|command|options)[\]>]/);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  }
});

test("the demo is Spanish, on one screen", async (t) => {
  const { code, stdout } = await runInSpanish(t, ["demo", "--seed", "7", "--messages", "2000"]);
  assert.equal(code, 0);
  assert.match(stdout, /^zocalo demo: las dos clases de socket \(semilla 7, /);
  assert.match(stdout, /^ {3}< HOLA, PLAZA +\d+,\d ms +< HOLA, PLAZA +\d+,\d ms$/m);
  assert.match(stdout, /^2 {2}2\.000 mensajes numerados/m);
  assert.match(stdout, /^ {3}perdidos +0 {4}perdidos +\d+$/m);
  assert.doesNotMatch(stdout, ENGLISH);
  const lines = stdout.trimEnd().split("\n");
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length < 80, line);
  const columns = lines.filter((line) => /^ {3}(?:enviados|llegaron|perdidos|dos veces|en desorden) /.test(line));
  assert.deepEqual(
    columns.map((line) => line.length),
    [79, 79, 79, 79, 79],
  );
});

test("the demo fits with ten times as many messages too", async (t) => {
  const total = 100_000;
  const tally = { received: total, distinct: 94_990, lost: 5_010, twice: 1_009, outOfOrder: 2_009, damaged: 0 };
  const series = {
    tcp: { tally, faults: { loss: 4_210, slicing: 82_400 } },
    udp: { tally, faults: { loss: 5_000, duplication: 1_009, reordering: 2_009 } },
  };
  const line = { tcp: { line: "HOLA", rttMs: 1234.56 }, udp: { line: "HOLA", rttMs: 0.04 } };
  const addresses = { tcp: "tcp://127.0.0.1:65535", udp: "udp://127.0.0.1:65534" };
  const shown = await evaluated(
    t,
    `import { keptScreen, lineScreen, opening, seriesOpening, seriesScreen } from "./dist/cli/demo/screen.js";
    import { coloursFor } from "./dist/cli/terminal/output.js";
    const plain = coloursFor({ isTTY: false });
    const addresses = ${JSON.stringify(addresses)};
    console.log(opening(plain, 4_294_967_295));
    console.log(lineScreen(plain, addresses, 4_194_304, "hola", ${JSON.stringify(line)}));
    console.log(seriesOpening(plain, ${total}));
    console.log(seriesScreen(plain, ${total}, ${JSON.stringify(series)}));
    console.log(keptScreen(plain, addresses, "node dist/cli/main.js"));`,
  );
  assert.match(shown, /^ {3}4210 pérdidas, 82400 trozos +5000 caídos, 1009 dobles, 2009 tarde$/m);
  assert.match(shown, / 1234,6 ms {4}< HOLA /);
  for (const text of shown.split("\n")) assert.ok(text.length <= 80, text);
});

test("the table of the doctor is Spanish, in 80 columns", async (t) => {
  const { code, stdout } = await runInSpanish(t, ["doctor"]);
  assert.equal(code, 0);
  assert.match(stdout, /^ok +Node +v[\d.]+ +zocalo necesita 20\.19 o más nuevo$/m);
  assert.match(stdout, /^ok +Bucle local IPv4 +127\.0\.0\.1$/m);
  assert.match(stdout, /^ok +Memorias de UDP +[\d,]+ [kM]B +para recibir, /m);
  assert.match(stdout, /^(?:ok|bajo) +Servidores de UDP +[\d,]+ [kM]B +los servidores piden /m);
  assert.doesNotMatch(stdout, ENGLISH);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("what changed in a contract is Spanish, and English for programs", async (t) => {
  const older = 'export const chat = contract("chat", "1.0.0", { server: { join: call(), leave: call() } });';
  const newer = 'export const chat = contract("chat", "1.1.0", { server: { join: call(), said: event() } });';
  const files = [contractFile(t, older), contractFile(t, newer)];
  const broken = await runInSpanish(t, ["contract", "diff", ...files]);
  assert.equal(broken.code, 1);
  assert.equal(broken.stdout.split("\n")[0], "no son compatibles: chat 1.0.0 y chat 1.1.0");
  assert.match(broken.stdout, /^ {2}rompe {2}server\.leave: ya no está; /m);
  assert.match(broken.stdout, /^ {2}bien {3}server\.said: es nuevo; /m);
  assert.match(broken.stderr, /^zocalo: CONTRACT_INCOMPATIBLE: 2 cambios de chat; /);
  assert.doesNotMatch(broken.stdout, ENGLISH);
  assert.doesNotMatch(broken.stdout, /compatible:|\b(?:breaks|fine|gone|new)\b/);
  const json = await runInSpanish(t, ["contract", "diff", "--json", ...files]);
  assert.match(json.stdout, /"reason":"is gone; /);
  assert.match((await runInSpanish(t, ["contract", "diff", files[0]!, files[0]!])).stdout, /^compatibles: /);
});

test("the picture of a run is Spanish, the names of its hosts aside", async (t) => {
  const program = `
    import { connect, serve } from ${JSON.stringify(join(repositoryRoot, "dist/index.js"))};
    export default simulation({ name: "trouble", chaos: false }, async (world) => {
      const [a, b] = [world.host("a"), world.host("b")];
      world.partition(a, b);
      await serve("tcp://b:7", () => undefined, { network: b.network });
      const call = connect("tcp://b:7", { network: a.network, timeoutMs: 2_000 }).catch(() => undefined);
      world.inflict({ kind: "burst-loss", from: "*", to: "*", enter: 0.5, leave: 0.5 });
      b.freeze();
      await call;
    });`;
  const { code, stdout, stderr } = await runInSpanish(t, [
    "sim",
    "trace",
    fileWith(t, program),
    "--svg",
    "--seed",
    "1",
  ]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  const said = [...stdout.matchAll(/>([^<]+)<\/(?:text|title|desc)>/g)].map(([, words = ""]) => words);
  for (const words of ["semilla 1", "partición", "congelación", "pérdida en ráfagas", "SYN, perdido: partición"])
    assert.ok(said.includes(words), said.join("\n"));
  for (const words of said) assert.doesNotMatch(words, /\b(?:seed|lost|partition|again|freeze|burst|hosts|with)\b/);
});

/** What is written wrong or does not work out, and the line that says so. */
const FAILS: readonly (readonly [args: readonly string[], code: number, line: RegExp])[] = [
  [
    ["connect", "tcp://127.0.0.1:1"],
    1,
    /: CONNECTION_REFUSED tcp:\S+: allí no escucha nadie; arranca antes el servidor, /,
  ],
  // What the library says beyond the sentence of the code is there too, in its own words.
  [["connect", "tcp://127.0.0.1:99999"], 2, /: ADDRESS_INVALID: la dirección no es válida \(port "99999" .*\)\n$/],
  [
    ["send", "udp://127.0.0.1:1", "hola", "--wait", "1"],
    1,
    /: (?:CONNECTION_REFUSED|TIMEOUT) udp:\S+: (?:allí no|no hubo)/,
  ],
  [["lisen"], 2, /: OPTION_INVALID: no existe la orden 'lisen' \(¿querías decir listen\?\); mira zocalo --help\n$/],
  [["listen"], 2, /: falta el argumento 'dirección'; mira zocalo listen --help\n$/],
  [["listen", "--foo", "tcp://127.0.0.1:0"], 2, /: no existe la opción '--foo'; mira zocalo listen --help\n$/],
  [
    ["listen", "tcp://127.0.0.1:0", "--reply", "shout"],
    2,
    /'shout' .*'--reply <servicio>' no es válido\. Puede ser: echo, /,
  ],
  [
    ["listen", "tcp://127.0.0.1:0", "--once", "--keep-open"],
    2,
    /la opción '--once' no se puede usar con la opción '--keep-open'/,
  ],
  [["listen", "tcp://127.0.0.1:0", "more"], 2, /: sobran argumentos: hay 2, y se esperan 1; mira/],
  [["demo", "--seed"], 2, /: a la opción '--seed <número>' le falta su valor; mira zocalo demo --help\n$/],
  [["demo", "--messages", "99999999999"], 2, /'99999999999' .* no es válido\. Da un número de 1 a 1000000; mira/],
  [
    ["listen", "tcp://0.0.0.0:0"],
    2,
    /: otras máquinas podrían llegar .* añade --public .* usa tcp:\/\/127\.0\.0\.1:0\n$/,
  ],
  [["connect", "tls://127.0.0.1:7000", "--cert", "x"], 2, /: --cert y --key van juntas\n$/],
  [["new", "chatt"], 2, /: no hay un proyecto «chatt»; da uno de chat, server, client, sim\n$/],
  [["contract", "show", "/no/hay.js"], 1, /: PATH_NOT_FOUND \S+: no existe ese archivo\n$/],
];

test("an error is one line in Spanish, with the same code", async (t) => {
  for (const [args, exitCode, line] of FAILS) {
    const { code, stdout, stderr } = await runInSpanish(t, args);
    assert.deepEqual({ args, code, stdout }, { args, code: exitCode, stdout: "" });
    assert.match(stderr, line);
    assert.equal(stderr.split("\n").length, 2, stderr);
  }
});

test("the documentation of a contract is Spanish around its own words", async (t) => {
  const file = contractFile(t, 'export const log = contract("log", "1.0.0", { server: { line: event() } });');
  const { code, stdout } = await runInSpanish(t, ["contract", "show", file]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^# log 1\.0\.0\n\nAcepta .*\n\n## Lo que ofrece el servidor\n\n### evento `line`\n\nMensaje: nada\.\n$/,
  );
});

test("nothing that programs read changes with the language", async (t) => {
  for (const args of [
    ["connect", "tcp://127.0.0.1:1", "--json"],
    ["listen", "tcp://0.0.0.0:0", "--json"],
    ["listen", "--foo", "--json"],
  ]) {
    const [english, spanish] = [await run(t, args), await runInSpanish(t, args)];
    assert.deepEqual(spanish, english);
    assert.equal((JSON.parse(spanish.stderr) as { readonly event: string }).event, "error");
  }
  const findings = await runInSpanish(t, ["doctor", "--json"]);
  assert.match(findings.stdout, /"title":"Open files"/);
});

test("the errors of the library are English in every environment", async (t) => {
  const program = `
    import { connect } from "zocalo";
    await connect("tcp://127.0.0.1:1").catch((error) => console.log(error.message));`;
  assert.match(
    await evaluated(t, program),
    /^CONNECTION_REFUSED: connect tcp:\/\/127\.0\.0\.1:1: nothing listens there; /,
  );
});
