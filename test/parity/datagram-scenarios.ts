import { bind, serveDatagrams } from "../../src/index.ts";
import { codeOf, failureOf, pending, type Scenario, scenario } from "./ground.ts";

const LARGEST_BYTES = 65_507;

/** Datagram sockets. */
export const datagramScenarios: readonly Scenario[] = [
  scenario(
    "the unspecified address is this machine; an IPv4 sender has one form on [::] too",
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", "::1"],
    async ({ ground: { server, client } }) => {
      const box = await bind("udp://[::]:0", { network: server });
      const { port } = box.localAddress;
      const friend = await bind("udp://127.0.0.1:0", { network: client });
      const seen: string[] = [];
      for (const target of ["127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"]) {
        await friend.send("x", `udp://${target}:${port}`);
        seen.push((await box.receive()).from.host);
      }
      const wide = await bind("udp://[::]:0", { network: client });
      await wide.send("x", `udp://[::]:${port}`);
      seen.push((await box.receive()).from.host);
      for (const one of [box, friend, wide]) await one.close();
      return seen;
    },
    { oneMachine: true },
  ),
  scenario(
    "datagrams come whole, in order, from whom they came; one of them is empty",
    ["uno", "", "9000", "cuatro", true, 4, 9009],
    async (scene) => {
      const [box, friend] = [await scene.bind(), await scene.bindClient()];
      const from: boolean[] = [];
      const texts: string[] = [];
      for (const text of ["uno", "", "x".repeat(9000), "cuatro"]) {
        await friend.send(text, box.localAddress);
        const { data, from: sender } = await box.receive();
        texts.push(data.length > 10 ? String(data.length) : String(data));
        from.push(sender.toString() === friend.localAddress.toString());
      }
      return [...texts, from.every(Boolean), box.stats.datagramsReceived, box.stats.bytesReceived];
    },
  ),
  scenario(
    "the largest datagram, and one byte more",
    [LARGEST_BYTES, ["DATAGRAM_TOO_LARGE", "none"]],
    async (scene) => {
      const [box, friend] = [await scene.bind(), await scene.bindClient()];
      await friend.send(Buffer.alloc(LARGEST_BYTES), box.localAddress);
      const { data } = await box.receive();
      const failure = await failureOf(friend.send(Buffer.alloc(LARGEST_BYTES + 1), box.localAddress));
      return [data.length, failure];
    },
  ),
  scenario("sendMany: who arrived and who could not be sent", ["a", "b", [[1, "PERMISSION_DENIED"]]], async (scene) => {
    const [box, friend] = [await scene.bind(), await scene.bindClient()];
    const forbidden = "udp://255.255.255.255:9";
    const items = ["a", "", "b"].map((data) => ({ data, to: data === "" ? forbidden : box.localAddress }));
    const { failures } = await friend.sendMany(items);
    const got = [String((await box.receive()).data), String((await box.receive()).data)];
    return [...got, failures.map(({ index, error }) => [index, (error as { code: string }).code])];
  }),
  scenario(
    "nobody stands on the port: a connected datagram socket is told, another is not",
    ["CONNECTION_REFUSED", "TIMEOUT"],
    async (scene) => {
      const port = await scene.freePort("udp");
      const remote = `udp://${scene.ground.serverHost}:${port}`;
      const free = await scene.bindClient();
      await free.send("x", remote);
      const connected = await scene.bindClient({ remote });
      await connected.send("x");
      const told = await codeOf(connected.receive());
      const quiet = await codeOf(free.receive({ timeoutMs: 30 }));
      return [told, quiet];
    },
    { freePorts: true },
  ),
  scenario(
    "a connected datagram socket goes on after a refusal, and hears only its peer",
    ["CONNECTION_REFUSED", "from the peer", 1],
    async (scene) => {
      const port = await scene.freePort("udp");
      const connected = await scene.bindClient({ remote: `udp://${scene.ground.serverHost}:${port}` });
      await connected.send("x");
      const told = await codeOf(connected.receive());
      const peer = await scene.bind({}, port);
      const stranger = await scene.bind();
      await stranger.send("from a stranger", connected.localAddress);
      await peer.send("from the peer", connected.localAddress);
      return [told, String((await connected.receive()).data), connected.stats.datagramsReceived];
    },
    { freePorts: true },
  ),
  scenario(
    "addresses that are taken, shared, and not of this machine",
    ["ADDRESS_IN_USE", "none", "ADDRESS_NOT_AVAILABLE"],
    async (scene) => {
      const box = await scene.bind();
      const taken = await codeOf(scene.bind({}, box.localAddress.port));
      const shared = await scene.bind({ udp: { reuseAddress: true } });
      const again = await codeOf(scene.bind({ udp: { reuseAddress: true } }, shared.localAddress.port));
      const foreign = await codeOf(bind("udp://203.0.113.77:0", { network: scene.ground.server }));
      return [taken, again, foreign];
    },
  ),
  scenario(
    "receive with a time-out, with a signal, and across close",
    ["TIMEOUT", "Error: enough", "CLOSED", "CLOSED", "CLOSED"],
    async (scene) => {
      const box = await scene.bind();
      const late = await codeOf(box.receive({ timeoutMs: 10 }));
      const stop = new AbortController();
      const called = pending(box.receive({ signal: stop.signal }));
      stop.abort(new Error("enough"));
      const code = await codeOf(called);
      const waiting = pending(box.receive());
      await box.close();
      return [
        late,
        code,
        await codeOf(waiting),
        await codeOf(box.receive()),
        await codeOf(box.send("x", box.localAddress)),
      ];
    },
  ),
  scenario(
    "a full receive queue drops the oldest, or the newest, and counts",
    ["3 4 5", 2, "1 2 3", 2],
    async (scene) => {
      const friend = await scene.bindClient();
      const kept: unknown[] = [];
      for (const overflow of ["drop-oldest", "drop-newest"] as const) {
        const box = await scene.bind({ limits: { maxReceiveQueueDatagrams: 3 }, overflow });
        for (const data of ["1", "2", "3", "4", "5"]) await friend.send(data, box.localAddress);
        await scene.until(() => box.stats.datagramsReceived === 5);
        kept.push((await box.receiveMany(9)).map(({ data }) => String(data)).join(" "), box.stats.datagramsDropped);
      }
      return kept;
    },
  ),
  scenario(
    "a receive buffer of the kernel that is full drops what comes last, and says how many",
    [0, true, true, true, true, 0],
    async (scene) => {
      const box = await scene.bind({
        udp: { receiveBufferBytes: 16_384 },
        limits: { maxReceiveQueueDatagrams: 1 },
        overflow: "block",
      });
      const friend = await scene.bindClient();
      const count = 200;
      for (let index = 0; index < count; index += 1) {
        const data = Buffer.alloc(1000);
        data.writeUInt16BE(index);
        await friend.send(data, box.localAddress);
      }
      const got: number[] = [];
      const take = async (): Promise<boolean> => {
        const datagram = await box.receive({ timeoutMs: 30 }).catch(() => undefined);
        if (datagram !== undefined) got.push(datagram.data.readUInt16BE());
        return datagram !== undefined;
      };
      while (await take());
      const ordered = got.every((value, index) => index === 0 || value > (got[index - 1] ?? 0));
      const drops = await box.udp.kernelDrops();
      const told = [drops === undefined || got.length + drops === count, box.stats.datagramsDropped];
      return [got[0], got.length < count, got.length > 3, ordered, ...told];
    },
  ),
  scenario(
    "datagrams to the port 0, and to a broadcast address without leave",
    ["ADDRESS_INVALID", "PERMISSION_DENIED"],
    async (scene) => {
      const box = await scene.bindClient();
      const nowhere = await codeOf(box.send("x", `udp://${scene.ground.serverHost}:0`));
      return [nowhere, await codeOf(box.send("x", "udp://255.255.255.255:9"))];
    },
  ),
  scenario(
    "a broadcast reaches those who stand on the wildcard",
    ["to all", "TIMEOUT"],
    async (scene) => {
      const box = await bind("udp://0.0.0.0:0", { network: scene.ground.server });
      const exact = await scene.bind();
      const friend = await scene.bindClient();
      friend.udp.setBroadcast(true);
      await friend.send("to no one", `udp://127.255.255.255:${exact.localAddress.port}`);
      await friend.send("to all", `udp://127.255.255.255:${box.localAddress.port}`);
      const { data } = await box.receive();
      const quiet = await codeOf(exact.receive({ timeoutMs: 20 }));
      await box.close();
      return [String(data), quiet];
    },
    { oneMachine: true },
  ),
  scenario(
    "a group reaches its members, and no one who has left",
    ["to both", "to both", "to one", "ADDRESS_IN_USE", "ADDRESS_NOT_AVAILABLE"],
    async (scene) => {
      const way = { interface: "lo" };
      const { server, client } = scene.ground;
      const member = await bind("udp://0.0.0.0:0", { network: server, udp: { reuseAddress: true } });
      const { port } = member.localAddress;
      const other = await bind(`udp://0.0.0.0:${port}`, { network: server, udp: { reuseAddress: true } });
      const friend = await bind("udp://0.0.0.0:0", { network: client });
      friend.udp.setMulticastInterface("127.0.0.1");
      for (const box of [member, other]) box.udp.joinGroup("239.77.3.4", way);
      const twice = await codeOf((async () => member.udp.joinGroup("239.77.3.4", way))());
      await friend.send("to both", `udp://239.77.3.4:${port}`);
      const both = [String((await member.receive()).data), String((await other.receive()).data)];
      other.udp.leaveGroup("239.77.3.4", way);
      const left = await codeOf((async () => other.udp.leaveGroup("239.77.3.4", way))());
      await friend.send("to one", `udp://239.77.3.4:${port}`);
      const one = String((await member.receive()).data);
      const boxes = [member, other, friend];
      for (const box of boxes) await box.close();
      return [...both, one, twice, left];
    },
    { oneMachine: true },
  ),
  scenario("hops beyond what IP has", ["OPTION_INVALID", "OPTION_INVALID"], async (scene) => {
    const box = await scene.bind();
    return [await codeOf((async () => box.udp.setTtl(0))()), await codeOf((async () => box.udp.setTtl(256))())];
  }),
  scenario("a service answers each datagram to whom it came from", ["hola", true], async (scene) => {
    const { server, serverHost } = scene.ground;
    const service = await serveDatagrams(`udp://${serverHost}:0`, (request) => request.reply(request.data), {
      network: server,
    });
    const friend = await scene.bindClient();
    await friend.send("hola", service.localAddress);
    const { data, from } = await friend.receive();
    await service.close({ timeoutMs: 0 });
    return [String(data), from.port === service.localAddress.port];
  }),
];
