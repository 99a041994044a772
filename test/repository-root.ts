import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder of the repository: the first one, from the working directory upwards, with the package.json of zocalo.
 * The compiled tests may lie anywhere; tests are run from inside the repository.
 */
export const repositoryRoot: string = find(process.cwd());

function find(folder: string): string {
  const file = join(folder, "package.json");
  if (existsSync(file)) {
    const { name } = JSON.parse(readFileSync(file, "utf8")) as { readonly name?: string };
    if (name === "zocalo") return folder;
  }
  const parent = dirname(folder);
  if (parent === folder) throw new Error("run the tests inside the repository of zocalo");
  return find(parent);
}
