/** Packages that whoever uses a journal installs. */

import { ZocaloError } from "../../core/errors.ts";

/** @throws ZocaloError `UNSUPPORTED` when a package is not there, or cannot be loaded: the cause says which, and why. */
export async function loadPackage<Package>(
  journal: string,
  packages: readonly string[],
  load: () => Promise<Package>,
): Promise<Package> {
  try {
    return await load();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const needed = `the package${packages.length > 1 ? "s" : ""} ${packages.join(" and ")}`;
    const detail = `${journal} needs ${needed}: npm install ${packages.join(" ")} (${why})`;
    throw new ZocaloError("UNSUPPORTED", { op: "open", detail, cause });
  }
}
