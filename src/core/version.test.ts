import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../test/fixtures/repository-root.ts";
import { PACKAGE_VERSION } from "./version.ts";

test("the version in the sources is that of the package", () => {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { version: string };
  assert.equal(PACKAGE_VERSION, manifest.version);
});
