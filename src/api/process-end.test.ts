import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLine, posix, start } from "../../test/fixtures/signalled-program.ts";

/** Runs a program that closes its server on SIGTERM; answers how it ended, and what it said on stderr. */
async function terminated(options: string, program: string): Promise<{ readonly end: unknown; readonly said: string }> {
  const { child, exited } = start(
    `
      const server = await serve("tcp://127.0.0.1:0", () => undefined, { closeOn: ["SIGTERM"], ${options} });
      ${program}
      console.log("ready");
    `,
    "pipe",
  );
  const said: unknown[] = [];
  child.stderr?.on("data", (bytes) => said.push(bytes));
  assert.equal(await firstLine(child), "ready");
  child.kill("SIGTERM");
  const end = await exited;
  return { end, said: said.join("") };
}

test("closeOn: a process that something keeps alive is ended, and says what that was", posix, async () => {
  for (const [set, code] of [["", 0] as const, ["process.exitCode = 7;", 7] as const]) {
    const { end, said } = await terminated(
      "exitTimeoutMs: 1",
      `${set} setInterval(() => undefined, 1000); setInterval(() => undefined, 1000);`,
    );
    assert.deepEqual(end, [code, null]);
    assert.match(
      said,
      /\[ZOCALO_EXIT\] ZocaloWarning: .* 1 ms later \(exitTimeoutMs\).* Open are: (\w+, )*Timeout[.,]/,
    );
    assert.equal(said.split("ZOCALO_EXIT").length, 2, "one warning");
  }
});

test("closeOn: a process that ends by itself does so without a warning, and waits for no time", posix, async () => {
  const program = `
    const timer = setInterval(() => undefined, 1000);
    server.closed.then(() => clearInterval(timer));
  `;
  assert.deepEqual(await terminated("exitTimeoutMs: 3_600_000", program), { end: [0, null], said: "" });
  assert.deepEqual(await terminated("", program), { end: [0, null], said: "" });
});

test(
  "closeOn: with exitTimeoutMs Infinity, and while another server is there, no process is ended",
  posix,
  async () => {
    for (const other of ["", `await serve("tcp://127.0.0.1:0", () => undefined, { closeOn: ["SIGINT"] });`]) {
      // The other server is why the process goes on although no time is left.
      const options = other === "" ? "exitTimeoutMs: Infinity" : "exitTimeoutMs: 0";
      const { end, said } = await terminated(
        options,
        `
        ${other}
        const timer = setInterval(() => undefined, 1000);
        server.closed.then(() => setTimeout(() => process.exit(9), 50));
      `,
      );
      assert.deepEqual({ end, said }, { end: [9, null], said: "" });
    }
  },
);

test("closeOn: the longest exitTimeoutMs of several servers counts", posix, async () => {
  const { end, said } = await terminated(
    "exitTimeoutMs: Infinity",
    `
      const busy = await serve("tcp://127.0.0.1:0", async (peer) => {
        await server.closed; // it closes last
      }, { closeOn: ["SIGTERM"], exitTimeoutMs: 0 });
      const call = await connect(busy.localAddress);
      while (busy.peers.size === 0) await new Promise((resolve) => setImmediate(resolve));
      busy.closed.then(() => setTimeout(() => process.exit(9), 50));
      call.closed.catch(() => undefined);
    `,
  );
  assert.deepEqual({ end, said }, { end: [9, null], said: "" });
});
