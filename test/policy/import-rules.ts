import { posix } from "node:path";
import type { SourceFile } from "./read-sources.ts";

/** What the files of one layer may import, beside files of the same layer. */
export interface Layer {
  /** Other layers. Only earlier rows of the table, so that layers can have no cycle. */
  readonly layers: readonly string[];
  /** Built-in modules: `node:stream`; `*` is every one that is not kept for another layer. */
  readonly builtins?: readonly string[];
  /** Packages of the registry. */
  readonly packages?: readonly string[];
}

/** The policy: a layer is a folder of `src` at any depth, or `entries` for the files directly in it. */
export type LayerTable = Readonly<Record<string, Layer>>;

/** `src/core/framing/boundaries/lines.ts` gives `core/framing/boundaries`, `src/index.ts` gives `entries`. */
export function layerOf(path: string): string {
  return path.split("/").slice(1, -1).join("/") || "entries";
}

/** The file that a relative import names. */
function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

/**
 * Every import that the table does not allow, as a line of text. Tests beside the sources are free in what they import, but
 * nothing may import a test.
 *
 * @param reserved built-in modules that `*` does not cover
 */
export function importViolations(
  files: readonly SourceFile[],
  table: LayerTable,
  reserved: ReadonlySet<string>,
): readonly string[] {
  const violations: string[] = [];
  for (const file of files) {
    if (file.path.endsWith(".test.ts")) continue;
    const layer = layerOf(file.path);
    const rule = table[layer];
    if (rule === undefined) {
      violations.push(`${file.path}: the folder "${layer}" has no row in the table`);
      continue;
    }
    for (const { specifier, line } of file.imports) {
      const problem = problemOf(file.path, layer, rule, specifier, reserved);
      if (problem !== undefined) violations.push(`${file.path}:${line}: ${problem}`);
    }
  }
  return violations;
}

function problemOf(
  path: string,
  layer: string,
  rule: Layer,
  specifier: string,
  reserved: ReadonlySet<string>,
): string | undefined {
  if (specifier === "") return "an import must name its module as text";
  if (specifier.startsWith(".")) {
    const target = resolveImport(path, specifier);
    if (!target.startsWith("src/")) return `${specifier} lies outside src`;
    if (target.endsWith(".test.ts")) return `${specifier} is a test`;
    const targetLayer = layerOf(target);
    if (targetLayer === layer || rule.layers.includes(targetLayer)) return undefined;
    return `"${layer}" must not import "${targetLayer}" (${specifier})`;
  }
  if (specifier.startsWith("node:")) {
    const allowed = rule.builtins ?? [];
    if (allowed.includes(specifier) || (allowed.includes("*") && !reserved.has(specifier))) return undefined;
    return `"${layer}" must not import ${specifier}`;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return rule.packages?.includes(name) ? undefined : `"${layer}" must not import the package ${name}`;
}

/** The first cycle of a graph as a list that begins and ends with the same node; undefined if there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): readonly string[] | undefined => {
    if (done.has(node)) return undefined;
    const seenAt = path.indexOf(node);
    if (seenAt !== -1) return [...path.slice(seenAt), node];
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Which file imports which, types included. */
export function fileGraph(files: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter((entry) => entry.specifier.startsWith("."))
        .map((entry) => resolveImport(file.path, entry.specifier)),
    ]),
  );
}

/** Which layer imports which, tests left out. */
export function layerGraph(files: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, string[]>();
  for (const [from, targets] of fileGraph(files.filter((file) => !file.path.endsWith(".test.ts")))) {
    const layer = layerOf(from);
    const others = targets.map(layerOf).filter((target) => target !== layer);
    graph.set(layer, [...(graph.get(layer) ?? []), ...others]);
  }
  return graph;
}
