// npm run build, and then: node tools/pictures.mjs [record]
//
// Makes the pictures of the documentation: docs/pictures/NAME.svg in English, NAME.es.svg in Spanish. Drawings have their words in
// tools/pictures/words.mjs, the sequence diagrams are of real runs in the simulator, and the picture of the demo shows what the demo
// printed when it was recorded last: `record` runs it again. A test compares the pictures with what this tool makes.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { drawSequence } from "../dist/cli/sim/sequence.js";
import { readSequence } from "../dist/cli/sim/trace.js";
import { endPoints, kinds, rings, session, terminal } from "./pictures/drawings.mjs";
import { connection, faults } from "./pictures/scenes.mjs";
import { spanish } from "./pictures/words.mjs";
import { root } from "./run-command.mjs";

/** What the demo printed, in each language. */
const RECORDINGS = { en: `${root}tools/pictures/demo.txt`, es: `${root}tools/pictures/demo.es.txt` };
const FOLDER = "docs/pictures";

/** What the demo prints in a language, on a terminal with colours. */
export function recordDemo(language) {
  const env = { ...process.env, LC_ALL: language === "es" ? "es_ES.UTF-8" : "C.UTF-8", LANGUAGE: "" };
  const terminalLike = "data:text/javascript,process.stdout.isTTY=true;process.stdout.hasColors=()=>true";
  const args = ["--import", terminalLike, `${root}dist/cli/main.js`, "demo"];
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`the demo failed: ${stderr}`);
  return stdout;
}

/** All pictures: `[path, text]`. */
export async function pictures() {
  const layers = readFileSync(`${root}test/policy/layers.ts`, "utf8");
  const runs = { connection: readSequence(await connection()), faults: readSequence(await faults()) };
  const inLanguage = (language, ending, say) => [
    [`demo${ending}`, terminal(readFileSync(RECORDINGS[language], "utf8"), say)],
    [`end-points${ending}`, endPoints(say)],
    [`stream-and-datagram${ending}`, kinds(say)],
    [`connection${ending}`, drawSequence(runs.connection, { title: say("A connection, from SYN to FIN"), say })],
    [`session${ending}`, session(say)],
    [
      `trace${ending}`,
      drawSequence(runs.faults, { title: say("What a simulated network does to two programs and a sensor"), say }),
    ],
  ];
  const all = [
    ...inLanguage("en", ".svg", (words) => words),
    ...inLanguage("es", ".es.svg", spanish),
    ["rings.svg", rings(layers)],
  ];
  return all.map(([name, text]) => [`${FOLDER}/${name}`, text]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const recordings = process.argv[2] === "record" ? Object.entries(RECORDINGS) : [];
  for (const [language, path] of recordings) writeFileSync(path, recordDemo(language));
  mkdirSync(root + FOLDER, { recursive: true });
  for (const [path, text] of await pictures()) writeFileSync(root + path, text);
}
