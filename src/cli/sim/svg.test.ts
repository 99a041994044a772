import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf } from "../../../test/cli/svg-elements.ts";
import { arrow, bolt, box, cross, escaped, svg, text } from "./svg.ts";

test("nothing in a text is markup, and what XML forbids is not in it", () => {
  const hostile = `</text><script>&'"\u0000\u001b[31m\ud800😀`;
  assert.equal(escaped(hostile), "&lt;/text&gt;&lt;script&gt;&amp;&apos;&quot;\ufffd\ufffd[31m\ufffd😀");
  const picture = svg(100, 50, { title: hostile, description: hostile }, [text(1, 2, hostile, { title: hostile })]);
  assert.ok(!elementsOf(picture).includes("script"));
});

test("every shape is well-formed", () => {
  const shapes = [arrow(0, 0, 9, 9, "blue"), bolt(1, 1), cross(2, 2), box(0, 0, 3, 4, "red", "card"), text(0, 0, "a")];
  const elements = elementsOf(svg(10, 10, { title: "t", description: "d" }, shapes));
  assert.deepEqual(elements, ["svg", "title", "desc", "style", "rect", "path", "path", "path", "path", "rect", "text"]);
});

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("each colour has a contrast of 4.5 to the paper and to cards, light and dark", () => {
  const style = svg(1, 1, { title: "", description: "" }, []);
  const palettes = style.split("@media (prefers-color-scheme:dark)");
  assert.equal(palettes.length, 2);
  for (const palette of palettes) {
    const grounds = [...palette.matchAll(/(?:\.paper|rect\.card)\{fill:(#\w+)\}/g)].map(([, colour = ""]) => colour);
    const tones = [...palette.matchAll(/\.(?!paper|card)\w+\{fill:(#\w+)\}/g)].map(([, colour = ""]) => colour);
    assert.deepEqual([grounds.length, tones.length >= 7], [2, true]);
    for (const ground of grounds)
      for (const tone of tones) {
        const [dark = 0, light = 0] = [luminance(ground), luminance(tone)].sort((a, b) => a - b);
        if (tone !== ground) assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${tone} on ${ground}`);
      }
  }
});
