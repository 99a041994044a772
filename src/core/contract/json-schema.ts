/** Whether all values of one JSON Schema (draft 2020-12) are values of another, as far as that can be told. */

import type { DiffWords, Reason } from "./diff-words.ts";

/** A JSON Schema that is an object. */
type Node = Readonly<Record<string, unknown>>;

/** Words that say nothing about which values are valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  "$schema $id title description default examples deprecated readOnly writeOnly $comment format contentEncoding".split(
    " ",
  ),
);

/** Words that are compared; a schema with other ones can only be compared with the same text. */
const COMPARED: ReadonlySet<string> = new Set(
  (
    "type properties required additionalProperties items enum const anyOf oneOf minimum maximum exclusiveMinimum " +
    "exclusiveMaximum minLength maxLength minItems maxItems"
  ).split(" "),
);

/** The reader must not ask for more than the writer gives. */
const LOWER_BOUNDS = ["minimum", "exclusiveMinimum", "minLength", "minItems"] as const;
const UPPER_BOUNDS = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"] as const;

/** Deeper schemas are compared as text. */
const MAX_DEPTH = 32;

/**
 * Why a reader might refuse what a writer sends; empty when it accepts everything. What cannot be told is a reason too.
 *
 * @param writer - What the values are like.
 * @param reader - What the values must be like.
 */
export function whyNotAccepted(writer: unknown, reader: unknown): readonly Reason[] {
  return compare(writer, reader, "", MAX_DEPTH);
}

function compare(writer: unknown, reader: unknown, at: string, depth: number): readonly Reason[] {
  if (reader === true || isEmpty(reader) || sameText(writer, reader)) return [];
  if (!isNode(writer) || !isNode(reader) || depth === 0)
    return [place(at, (words, where) => words.incomparable(where))];
  const writers = alternatives(writer);
  if (writers !== undefined) return writers.flatMap((one) => compare(one, reader, at, depth - 1));
  const readers = alternatives(reader);
  if (readers !== undefined) {
    const fits = readers.some((one) => compare(writer, one, at, depth - 1).length === 0);
    return fits ? [] : [place(at, (words, where) => words.noForm(where))];
  }
  const unknown = [...Object.keys(writer), ...Object.keys(reader)].find(
    (word) => !COMPARED.has(word) && !ANNOTATIONS.has(word) && !sameText(writer[word], reader[word]),
  );
  if (unknown !== undefined) return [place(at, (words, where) => words.incomparableWord(where, unknown))];
  return [
    ...compareTypes(writer, reader, at),
    ...compareValues(writer, reader, at),
    ...compareBounds(writer, reader, at),
    ...compareProperties(writer, reader, at, depth),
    ...(reader["items"] === undefined ? [] : compare(writer["items"] ?? true, reader["items"], `${at}[]`, depth - 1)),
  ];
}

function compareTypes(writer: Node, reader: Node, at: string): readonly Reason[] {
  const accepted = typesOf(reader);
  if (accepted === undefined) return [];
  const refused = typesOf(writer)?.filter(
    (type) => !accepted.includes(type) && !(type === "integer" && accepted.includes("number")),
  );
  if (refused?.length === 0) return [];
  return [
    place(at, (words, where) => {
      return words.types(where, refused?.join(words.or) ?? words.anything, accepted.join(words.or));
    }),
  ];
}

function compareValues(writer: Node, reader: Node, at: string): readonly Reason[] {
  const accepted = valuesOf(reader);
  if (accepted === undefined) return [];
  const sent = valuesOf(writer);
  const list = accepted.map((value) => JSON.stringify(value)).join(", ");
  if (sent === undefined) return [place(at, (words, where) => words.anyValue(where, list))];
  const refused = sent.filter((value) => !accepted.some((one) => sameText(one, value)));
  return refused.map((value) => place(at, (words, where) => words.otherValue(where, JSON.stringify(value), list)));
}

function compareBounds(writer: Node, reader: Node, at: string): readonly Reason[] {
  const tighter = (word: string, lower: boolean): boolean => {
    const wanted = reader[word];
    const given = writer[word];
    if (typeof wanted !== "number") return false;
    return typeof given !== "number" || (lower ? given < wanted : given > wanted);
  };
  return [
    ...LOWER_BOUNDS.filter((word) => tighter(word, true)),
    ...UPPER_BOUNDS.filter((word) => tighter(word, false)),
  ].map((word) => place(at, (words, where) => words.tighter(where, word, String(reader[word]))));
}

function compareProperties(writer: Node, reader: Node, at: string, depth: number): readonly Reason[] {
  const problems: Reason[] = [];
  const sent = nodeOr(writer["properties"]);
  const accepted = nodeOr(reader["properties"]);
  const always = listOr(writer["required"]);
  for (const name of listOr(reader["required"])) {
    if (!always.includes(name)) problems.push(place(`${at}.${String(name)}`, (words, where) => words.missing(where)));
  }
  for (const [name, schema] of Object.entries(accepted)) {
    if (sent[name] !== undefined) problems.push(...compare(sent[name], schema, `${at}.${name}`, depth - 1));
  }
  if (reader["additionalProperties"] === false) {
    for (const name of Object.keys(sent)) {
      if (accepted[name] === undefined) problems.push(place(`${at}.${name}`, (words, where) => words.unknown(where)));
    }
  }
  return problems;
}

function alternatives(node: Node): readonly unknown[] | undefined {
  const list = node["anyOf"] ?? node["oneOf"];
  return Array.isArray(list) ? (list as readonly unknown[]) : undefined;
}

function typesOf(node: Node): readonly string[] | undefined {
  const type = node["type"];
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? (type as readonly string[]) : undefined;
}

function valuesOf(node: Node): readonly unknown[] | undefined {
  if (Object.hasOwn(node, "const")) return [node["const"]];
  return Array.isArray(node["enum"]) ? (node["enum"] as readonly unknown[]) : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return isNode(value) && Object.keys(value).every((word) => ANNOTATIONS.has(word));
}

function nodeOr(value: unknown): Node {
  return isNode(value) ? value : {};
}

function listOr(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function sameText(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** What is wrong at a place of the value. */
function place(at: string, says: (words: DiffWords, where: string) => string): Reason {
  return (words) => says(words, at === "" ? words.value : `"${at.replace(/^\./, "")}"`);
}
