/** Versions of a contract: Semantic Versioning 2.0.0, without its build metadata. */

import { optionInvalid } from "../options/check-options.ts";

/** The versions of a peer that are accepted: from `from` on, and below `below`. */
export interface VersionRange {
  /** The lowest version that is accepted. */
  readonly from: string;
  /** The lowest version above it that is not accepted any more. */
  readonly below: string;
}

interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  /** What stands behind the hyphen; empty for a release. */
  readonly pre: readonly string[];
}

// Semantic Versioning clause 2 and clause 9: no leading zeros.
const NUMBER = "(0|[1-9]\\d{0,8})";
const FORM = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`);
const MAX_LENGTH = 64;

/** Whether a text is a version such as `1.2.0` or `2.0.0-beta.1`. */
export function isVersion(text: unknown): text is string {
  return typeof text === "string" && parse(text) !== undefined;
}

/** Less than zero when `a` is the older version, more when it is the newer one. Both must be versions (clause 11). */
export function compareVersions(a: string, b: string): number {
  const left = parsed(a);
  const right = parsed(b);
  for (let index = 0; index < 3; index += 1) {
    const difference = (left.numbers[index] as number) - (right.numbers[index] as number);
    if (difference !== 0) return difference;
  }
  return comparePre(left.pre, right.pre);
}

/**
 * The versions that a peer of `version` can talk to: those with the same major version; below 1.0.0 those with the same
 * minor version, since there every minor version may break (clause 4).
 */
export function compatibleRange(version: string): VersionRange {
  const { numbers, pre } = parsed(version);
  const [major, minor] = numbers;
  const from = major > 0 ? `${major}.0.0` : `0.${minor}.0`;
  const below = major > 0 ? `${major + 1}.0.0` : `0.${minor + 1}.0`;
  // A version before the first one of the range, such as 2.0.0-beta.1, accepts itself and what comes after it.
  return pre.length > 0 && compareVersions(version, from) < 0 ? { from: version, below } : { from, below };
}

/** Whether a range holds a version. */
export function inRange(version: string, range: VersionRange): boolean {
  return compareVersions(version, range.from) >= 0 && compareVersions(version, range.below) < 0;
}

/** A range in few words: `1.x`, `0.3.x`, or both of its ends. */
export function describeRange(range: VersionRange): string {
  const [major, minor] = parsed(range.from).numbers;
  const usual = compatibleRange(`${major}.${minor}.0`);
  if (usual.from !== range.from || usual.below !== range.below)
    return `${range.from} up to, not including, ${range.below}`;
  return major > 0 ? `${major}.x` : `0.${minor}.x`;
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  // A release is newer than what came before it.
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = compareIdentifiers(a[index] as string, b[index] as string);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const numeric = /^\d+$/;
  if (numeric.test(a) && numeric.test(b)) return Number(a) - Number(b);
  if (numeric.test(a) !== numeric.test(b)) return numeric.test(a) ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function parse(text: string): Version | undefined {
  const match = text.length > MAX_LENGTH ? null : FORM.exec(text);
  if (match === null) return undefined;
  const pre = match[4]?.split(".") ?? [];
  if (pre.some((part) => /^0\d+$/.test(part))) return undefined;
  return { numbers: [Number(match[1]), Number(match[2]), Number(match[3])], pre };
}

function parsed(text: string): Version {
  const version = parse(text);
  if (version !== undefined) return version;
  const detail = `a version must look like 1.2.0 or 2.0.0-beta.1 (Semantic Versioning); got ${JSON.stringify(text)}`;
  throw optionInvalid({ op: "contract" }, detail);
}
