// npm run api [-- --check]
//
// Writes etc/api/<entry>.api.md: what each entry point of the package exports, with its types, as API Extractor sees it in
// dist/. The reports are committed, so that every change of the public surface shows in a review.
// With --check nothing is written: exit 1 if a report differs from what is built. Needs `npm run build` before.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { entries } from "./entries.mjs";
import { root } from "./run-command.mjs";

const check = process.argv.includes("--check");
const folder = `${root}etc/api`;
const temporary = `${root}build/api`;
const quiet = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };

/** The configuration of API Extractor for one entry point. It writes into a temporary folder; see `report`. */
function configurationOf({ name, types }) {
  return ExtractorConfig.prepare({
    configObjectFullPath: `${root}api-extractor.json`, // Not a file: relative paths would start here.
    packageJsonFullPath: `${root}package.json`,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: `${root}${types}`,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "es2022",
            lib: ["es2023", "esnext.disposable"],
            module: "nodenext",
            moduleResolution: "nodenext",
            types: ["node"],
            strict: true,
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: temporary,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error, addToApiReportFile: false },
          // The package has one release, so its comments have no release tags.
          "ae-missing-release-tag": quiet,
          "ae-unresolved-link": quiet,
          // Stands in the report as "(undocumented)"; test/policy/surface.test.ts looks for both.
          "ae-undocumented": quiet,
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: quiet },
      },
    },
  });
}

/** The report of one entry point as text. Ends this program where API Extractor finds an error. */
function report(entry) {
  const problems = [];
  const { errorCount } = Extractor.invoke(configurationOf(entry), {
    localBuild: true,
    messageCallback(message) {
      if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.formatMessageWithLocation(root));
      message.handled = true;
    },
  });
  if (errorCount > 0 || problems.length > 0) {
    console.error(`${entry.specifier}: API Extractor failed\n${problems.join("\n")}`);
    process.exit(1);
  }
  return readFileSync(`${temporary}/${entry.name}.api.md`, "utf8");
}

for (const path of [folder, temporary]) mkdirSync(path, { recursive: true });
const expected = new Map(entries.map((entry) => [`${entry.name}.api.md`, report(entry)]));
const superfluous = readdirSync(folder).filter((file) => file.endsWith(".api.md") && !expected.has(file));
const changed = [...expected].filter(
  ([file, text]) => !existsSync(`${folder}/${file}`) || readFileSync(`${folder}/${file}`, "utf8") !== text,
);

if (check) {
  for (const [file] of changed) console.error(`etc/api/${file} is not what is built`);
  for (const file of superfluous) console.error(`etc/api/${file} belongs to no entry point`);
  if (changed.length + superfluous.length > 0) {
    console.error("The public surface changed: run npm run api, read the difference, and commit it.");
    process.exitCode = 1;
  }
} else {
  for (const [file, text] of changed) writeFileSync(`${folder}/${file}`, text);
  for (const file of superfluous) rmSync(`${folder}/${file}`);
  console.log(changed.length + superfluous.length === 0 ? "etc/api is up to date" : "etc/api is rewritten");
}
