// A simulated exchange with faults. The same seed gives the same run on every runtime: what this prints must not differ.
import { connect, serve } from "zocalo";
import { lines } from "zocalo/framing";
import { explore, simulation } from "zocalo/sim";

const program = simulation({ name: "smoke" }, async (world) => {
  let answered = 0;
  world.host("server", async (network) => {
    await serve(
      "tcp://0.0.0.0:7000",
      async (peer) => {
        const text = peer.framed(lines());
        for await (const line of text) await text.send(line.toUpperCase());
      },
      { network },
    );
  });
  const { network } = world.host("client");
  while (answered < 10) {
    let call;
    try {
      call = await connect("tcp://server:7000", { network, timeoutMs: 2_000 });
      const text = call.framed(lines());
      await text.send(`hola ${answered}`);
      if ((await text.receive({ timeoutMs: 2_000 })) === `HOLA ${answered}`) answered += 1;
    } catch {
      await world.sleep(100);
    } finally {
      call?.abort();
    }
  }
});

let same = 0;
const digests = [];
for (let seed = 1; seed <= 30; seed += 1) {
  const { failure, digest } = await explore(program, { seed, twice: true });
  if (failure === undefined) same += 1;
  else console.log(`seed ${seed}: ${failure.identity}`);
  digests.push(digest);
}
console.log(`${same} of 30 seeds gave the same run twice: ${digests.at(0)} ... ${digests.at(-1)}`);
if (same !== 30) process.exit(1);
