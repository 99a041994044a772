import assert from "node:assert/strict";
import { test } from "node:test";
import { openPort } from "./open-port.ts";
import { httpServer } from "./server.ts";

test("a mistake in an answer is answered with 500, or cut, and the server goes on", async (t) => {
  const opened = await openPort({ op: "test", port: 0, token: false }, (door) =>
    httpServer(door, ({ path }, response) => {
      if (path === "/at-once") throw new Error("expected");
      if (path === "/later") return Promise.reject(new Error("expected"));
      if (path !== "/begun") return void response.end("well");
      response.writeHead(200, { "content-length": 10 }).write("half");
      throw new Error("expected");
    }),
  );
  t.after(() => opened.close());
  for (const path of ["/at-once", "/later"]) {
    const answer = await fetch(opened.url + path);
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /a mistake of zocalo/);
  }
  await assert.rejects(fetch(`${opened.url}/begun`).then((answer) => answer.text()));
  assert.equal(await (await fetch(`${opened.url}/`)).text(), "well");
});
