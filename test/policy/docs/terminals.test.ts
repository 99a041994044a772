import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseBlocks } from "./markdown-blocks.ts";
import { Workshop } from "./programs.ts";
import { play, type Scene, toScenes } from "./terminals.ts";

const workshop = new Workshop();
after(() => workshop.remove());

/** The scene of step 1, with something else in the second terminal. */
function sceneWith(...lines: readonly string[]): Scene {
  const text = `<!-- terminal 1: examples/learn/1-one-line -->
\`\`\`console
$ node server.ts
listening on tcp://127.0.0.1:7000
...
\`\`\`

<!-- terminal 2 -->
\`\`\`console
${lines.join("\n")}
\`\`\`
`;
  const [scene] = toScenes(parseBlocks("page.md", text));
  assert.ok(scene !== undefined);
  return scene;
}

const LONG_MS = 60_000;

test("a scene is what its programs print", async (t) => {
  await play(t, sceneWith("$ node client.ts", "good morning", "$"), workshop, LONG_MS);
});

test("a line that no program prints is an error with its place", async (t) => {
  const scene = sceneWith("$ node client.ts", "good evening", "$");
  await assert.rejects(
    play(t, scene, workshop, LONG_MS),
    /^Error: page\.md:11: not "good evening" but "good morning"$/,
  );
});

test("a line that the page leaves out is an error", async (t) => {
  const scene = sceneWith("$ node client.ts", "$");
  await assert.rejects(play(t, scene, workshop, LONG_MS), /page\.md:11: [^]*good morning/);
});

test("a line behind the last one is an error", async (t) => {
  const scene = sceneWith("$ node client.ts", "good morning", "and good night");
  await assert.rejects(play(t, scene, workshop, LONG_MS), /page\.md:12: ended without "and good night"/);
});

test("an address with the port of another server is an error", async (t) => {
  const scene = sceneWith("$ node server.ts", "listening on tcp://127.0.0.1:7000");
  await assert.rejects(play(t, scene, workshop, LONG_MS), /page\.md:11: not "listening/);
});

test("a terminal without a scene is an error", () => {
  const blocks = parseBlocks("page.md", "<!-- terminal 2 -->\n```console\n$\n```\n");
  assert.throws(() => toScenes(blocks), /^Error: page\.md:3: of which scene\?$/);
});
