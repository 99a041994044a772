// node tools/readme.mjs pack|restore
//
// npm shows the README of a package on a page of its own, where a link to a file of the repository leads nowhere. So `npm pack` and
// `npm publish` take READMEs in which such links are paths (the scripts prepack and postpack); the guide goes along in the package.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { root } from "./run-command.mjs";

const READMES = ["README.md", "README.es.md"];
/** The text of the repository, while a package is made. */
const KEPT = `${root}build/readme`;

/** A link to a file becomes its text and the path, a picture its text; links to the web and within the page stay. */
export function packedReadme(text) {
  return text
    .replaceAll(/<picture>[^]*?<img[^>]*?alt="([^"]*)"[^>]*>[^]*?<\/picture>/g, "*$1*")
    .replaceAll(/!\[([^\]]*)\]\((?![a-z]+:)[^)]*\)/g, "*$1*")
    .replaceAll(/\[([^\]]*)\]\((?![a-z]+:|#)([^)#]*)(?:#[^)]*)?\)/g, (_link, words, path) =>
      words === path ? `\`${path}\`` : `${words} (\`${path}\`)`,
    );
}

function restore() {
  for (const file of READMES) if (existsSync(`${KEPT}/${file}`)) renameSync(`${KEPT}/${file}`, root + file);
}

function pack() {
  // After a pack that was interrupted.
  restore();
  mkdirSync(KEPT, { recursive: true });
  for (const file of READMES) {
    copyFileSync(root + file, `${KEPT}/${file}`);
    writeFileSync(root + file, packedReadme(readFileSync(root + file, "utf8")));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  if (process.argv[2] === "pack") pack();
  else restore();
}
