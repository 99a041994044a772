/** A small check of XML, enough for the pictures that we write. */

import assert from "node:assert/strict";

/** The names of the elements in their order. Fails where the text is not well-formed. */
export function elementsOf(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  const attributes = String.raw`(?:\s+[\w:-]+="[^"<]*")*`;
  const token = new RegExp(`<(/?)([a-z]+)(${attributes})\\s*(/?)>|[^<]+|<`, "gy");
  for (const [all, closes, name, given = "", empty] of xml.matchAll(token)) {
    assert.doesNotMatch(all, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|&(?!(?:amp|lt|gt|quot|apos);)/);
    if (name === undefined) {
      assert.notEqual(all, "<", "a < that begins no element");
      continue;
    }
    if (closes === "/") assert.equal(open.pop(), name);
    else {
      names.push(name);
      if (empty !== "/") open.push(name);
      const keys = [...given.matchAll(/([\w:-]+)=/g)].map(([, key]) => key);
      assert.equal(new Set(keys).size, keys.length, all);
    }
  }
  assert.deepEqual(open, []);
  return names;
}
