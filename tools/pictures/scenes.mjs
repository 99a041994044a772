// Runs that the pictures show: programs in simulated worlds, in which nothing is left to chance.
import { bind, connect, serve } from "zocalo";
import { simulate } from "zocalo/sim";

async function capitals(peer) {
  for (;;) await peer.write(String(await peer.readUntil("\n")).toUpperCase());
}

const server = (network) => serve("tcp://0.0.0.0:7000", (peer) => capitals(peer).catch(() => peer.end()), { network });

/** A host without IPv6, so that there is one attempt to connect. */
const only4 = (world, name, number, main) => world.host(name, main, { addresses: [`203.0.113.${number}`] });

/** The lines of the trace of a run. */
async function traced(main) {
  const lines = [];
  await simulate({ seed: 1, link: { latency: 10 }, cutReads: false, trace: (line) => lines.push(line) }, main);
  return lines;
}

/** A connection opens, a line goes each way, and it ends. */
export const connection = () =>
  traced(async (world) => {
    const client = world.host("client");
    world.host("server", server);
    const call = await connect("tcp://server:7000", { network: client.network });
    await call.write("hola\n");
    await call.readUntil("\n");
    await call.end();
    await call.read();
    await world.sleep(25);
  });

/** What can go wrong: a partition, a datagram that is lost, one that comes twice, a host that pauses, a reset. */
export const faults = () =>
  traced(async (world) => {
    const [client, sensor] = [only4(world, "client", 1), only4(world, "sensor", 3)];
    const plaza = world.host("server", server);
    const box = await bind("udp://0.0.0.0:7001", { network: plaza.network });
    const [a, b] = [client, plaza];
    const call = await connect("tcp://server:7000", { network: client.network });
    await world.sleep(5);
    const partition = world.partition(a, b);
    await call.write("hola\n");
    await world.sleep(60);
    partition.heal();
    await call.readUntil("\n");
    const sender = await bind("udp://0.0.0.0:0", { network: sensor.network });
    const send = async (text) => {
      await sender.send(text, "udp://server:7001");
      await world.sleep(25);
    };
    await send("21.5");
    const loss = world.inflict({ kind: "loss", from: "sensor", to: "server", chance: 1 });
    await send("21.6");
    loss.heal();
    const twice = world.inflict({ kind: "duplication", from: "sensor", to: "server", chance: 1 });
    await send("21.75");
    twice.heal();
    plaza.pause();
    await call.write("plaza\n");
    await world.sleep(60);
    plaza.resume();
    await call.readUntil("\n");
    const reset = world.inflict({ kind: "reset", from: "client", to: "server" });
    await call.write("adiós\n").catch(() => undefined);
    await world.sleep(30);
    reset.heal();
    await box.close();
  });
