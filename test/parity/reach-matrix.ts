import {
  bind,
  type BindOptions,
  connect,
  type ConnectOptions,
  type DatagramSocket,
  listen,
  type Listener,
  type Network,
  type StreamSocket,
} from "../../src/index.ts";

/*
 * What a machine answers to each combination of addresses: where a listener or a datagram socket may stand, and beside what; who is
 * reached from where, and which addresses both sides then see. The machine has the addresses of OWN on its link, 127.0.0.0/8
 * and ::1, and nobody else is on the link.
 */

/** The own addresses of the machine. */
export const OWN = ["192.0.2.1", "2001:db8::1"] as const;

/** What became of a combination, by its name; equal on two machines that behave alike. */
export type Outcomes = Readonly<Record<string, string>>;

/** Addresses in a text, with commas between them. */
function list(text: string): readonly string[] {
  return text.trim().split(/,?\s*\n\s*|, /);
}

/** Where something can stand, and where nothing can. An option stands behind a blank. */
const PLACES = list(`
  0.0.0.0, 127.0.0.1, 127.0.0.2, 192.0.2.1, [::], [::] only, [::1], [2001:db8::1]
  [::ffff:127.0.0.1], [::ffff:192.0.2.1], [::ffff:0.0.0.0], [::ffff:127.0.0.1] only
  192.0.2.9, [2001:db8::9], 10.9.9.9, [fd00::9], 240.0.0.9, 0.0.0.9
  239.1.2.3, [ff02::9], [ff02::9%eth0], [ff05::9]
  255.255.255.255, 192.0.2.255, 127.255.255.255
  [fe80::9], [fe80::9%eth0], [fe80::9%nope], 169.254.0.9
`);
/** Places that exclude each other, or do not. */
const NEIGHBOURS = list(`
  0.0.0.0, 127.0.0.1, 192.0.2.1, [::], [::] only, [::1], [2001:db8::1], [::ffff:127.0.0.1]
`);
/** Whom somebody may call. */
const TARGETS = list(`
  127.0.0.1, 127.0.0.2, 127.0.0.255, 192.0.2.1, 0.0.0.0, [::1], [2001:db8::1], [::]
  [::ffff:127.0.0.1], [::ffff:192.0.2.1], [::ffff:0.0.0.0]
`);
/** Where nobody answers. */
const NOBODY = list(`
  192.0.2.9, 203.0.113.9, [2001:db8::9], 10.9.9.9, [fd00::9], 240.0.0.9, 0.0.0.9
  239.1.2.3, [ff02::9], [ff02::9%eth0]
  255.255.255.255, 192.0.2.255, 203.0.113.255, 127.255.255.255
  [fe80::9], [fe80::9%eth0], [fe80::9%nope], 169.254.0.9
`);
/** Where a caller may call from, and where not. */
const ORIGINS = list(`
  0.0.0.0, 127.0.0.1, 127.0.0.2, 192.0.2.1, [::], [::1], [2001:db8::1], [::ffff:127.0.0.1]
`);
const ODD_ORIGINS = ["192.0.2.9", "239.1.2.3", "255.255.255.255", "[ff02::9%eth0]", "[fe80::9]", "[fe80::9%eth0]"];

/** One combination. */
type Case = readonly [name: string, run: (machine: Machine) => Promise<readonly unknown[]>];

/** Below the ephemeral ports, and free on a machine where nothing else runs. */
const FIRST_PORT = 2_000;
/** An attempt that nobody refuses is given up: the kernel has its own patience for a neighbour. */
const PATIENCE_MS = 6_000;
/** For what the system has delivered already. */
const GRACE_MS = 20;

/** Runs all combinations on a machine. */
export async function reachMatrix(network: Network): Promise<Outcomes> {
  const outcomes: Record<string, string> = {};
  const cases = [...standing(), ...beside(), ...calls(), ...callsFrom(), ...datagrams(), ...peers(), ...groups()];
  // A group that one datagram socket has joined is heard by others: one after the other.
  for (const [name, run] of cases) outcomes[name] = await outcomeOf(run, new Machine(network, FIRST_PORT));
  // These wait for neighbours that do not answer.
  const patient = [...callsToNobody(), ...callsFromPort()].map(async ([name, run], index) => {
    outcomes[name] = await outcomeOf(run, new Machine(network, FIRST_PORT + 1 + index));
  });
  await Promise.all(patient);
  return outcomes;
}

async function outcomeOf(run: Case[1], machine: Machine): Promise<string> {
  const outcome = await run(machine).catch((error: unknown) => [codeOf(error)]);
  await machine.close();
  return JSON.stringify(outcome);
}

function standing(): Case[] {
  return PLACES.flatMap((place): Case[] => [
    [`listen ${place}`, async (machine) => [host((await machine.listen(place, 0)).localAddress)]],
    [`bind ${place}`, async (machine) => [host((await machine.bind(place, 0)).localAddress)]],
  ]);
}

function beside(): Case[] {
  const cases: Case[] = [];
  for (const first of NEIGHBOURS) {
    for (const second of NEIGHBOURS) {
      cases.push([
        `listen ${second} beside ${first}`,
        async (machine) => {
          await machine.listen(first);
          return [host((await machine.listen(second)).localAddress)];
        },
      ]);
      for (const shared of ["", "reuse", "reuse first"]) {
        const [own, other] = [shared !== "", shared === "reuse"].map((reuseAddress) => ({ udp: { reuseAddress } }));
        cases.push([
          `bind ${second} beside ${first} ${shared}`,
          async (machine) => {
            await machine.bind(first, machine.port, own);
            return [host((await machine.bind(second, machine.port, other)).localAddress)];
          },
        ]);
      }
    }
  }
  return cases;
}

function calls(): Case[] {
  return NEIGHBOURS.flatMap((listener) =>
    TARGETS.map(
      (target): Case => [
        `call ${target} where a listener is on ${listener}`,
        (machine) => called(machine, listener, target),
      ],
    ),
  );
}

function callsFrom(): Case[] {
  const cases: Case[] = [];
  for (const origin of [...ORIGINS, ...ODD_ORIGINS]) {
    for (const target of TARGETS) {
      const listener = target.startsWith("[") ? "[::]" : "0.0.0.0";
      cases.push([`call ${target} from ${origin}`, (machine) => called(machine, listener, target, origin)]);
    }
  }
  return cases;
}

/** Which addresses both sides of a call see. */
async function called(machine: Machine, listener: string, target: string, origin = ""): Promise<readonly unknown[]> {
  const accepted = (await machine.listen(listener)).accept();
  accepted.catch(() => undefined);
  const call = await machine.connect(target, origin);
  const peer = machine.keep(await accepted);
  return [call, peer].map((socket) => `${host(socket.localAddress)} ${host(socket.remoteAddress)}`);
}

function callsToNobody(): Case[] {
  const origins = ["", "127.0.0.1", "192.0.2.1", "[::1]", "[2001:db8::1]"];
  return [...TARGETS, ...NOBODY].flatMap((target) =>
    origins
      .filter((origin) => isAnswered(target, origin))
      .map(
        (origin): Case => [
          `call ${target} where nobody is, from ${origin}`,
          async (machine) => {
            const call = await machine.connect(target, origin);
            return [host(call.localAddress), host(call.remoteAddress)];
          },
        ],
      ),
  );
}

/** Linux loses the own reset for one kind of call, which nobody needs to imitate. */
function isAnswered(target: string, origin: string): boolean {
  return origin !== "[::1]" || target !== "[2001:db8::1]";
}

/** Calls from a port that is also called, of the same address and of others. */
function callsFromPort(): Case[] {
  const cases: Case[] = [];
  for (const target of ["127.0.0.1", "0.0.0.0", "192.0.2.1", "[::1]", "[::]", "[2001:db8::1]"]) {
    for (const origin of ORIGINS.filter((one) => isAnswered(target, one))) {
      cases.push([
        `call ${target} from the same port of ${origin}`,
        async (machine) => {
          const call = await machine.connect(target, origin, machine.port);
          return [host(call.localAddress), host(call.remoteAddress)];
        },
      ]);
    }
  }
  return cases;
}

function datagrams(): Case[] {
  return PLACES.flatMap((origin) =>
    [...TARGETS, ...NOBODY].map(
      (target): Case => [
        `send from ${origin} to ${target}`,
        async (machine) => {
          const receiver = await machine.bind("[::]");
          const box = await machine.bind(origin, 0);
          box.udp.setBroadcast(true);
          await box.send("x", `udp://${target}:${machine.port}`);
          return [await heard(machine, receiver)];
        },
      ],
    ),
  );
}

/** From whom a datagram socket on the wildcard has heard; a last datagram comes behind all others. */
async function heard(machine: Machine, receiver: DatagramSocket): Promise<string> {
  const last = await machine.bind("127.0.0.1", 0);
  await last.send("last", `udp://127.0.0.1:${machine.port}`);
  const from: string[] = [];
  for (;;) {
    const datagram = await receiver.receive();
    if (String(datagram.data) === "last") return from.join(" ");
    from.push(host(datagram.from));
  }
}

function peers(): Case[] {
  const origins = [...NEIGHBOURS, "239.1.2.3", "192.0.2.255"];
  return origins.flatMap((origin) =>
    [...TARGETS, ...NOBODY].map(
      (target): Case => [
        `bind ${origin} with the peer ${target}`,
        async (machine) => {
          const receiver = await machine.bind("[::]");
          const box = await machine.bind(origin, 0, { remote: `udp://${target}:${machine.port}` });
          const addresses = [box.localAddress, box.remoteAddress].map((address) => address && host(address)).join(" ");
          const sent = await box.send("x").then(() => "sent", codeOf);
          return [addresses, sent, await heard(machine, receiver)];
        },
      ],
    ),
  );
}

/** Who hears a group: members, those who stand beside one, and strangers. */
function groups(): Case[] {
  const cases: Case[] = [];
  const listeners = {
    "239.1.2.3": ["0.0.0.0", "192.0.2.1", "[::]", "[::] only", "239.1.2.4"],
    "[ff05::3]": ["[::]", "[::] only", "[2001:db8::1]", "[ff05::4]", "0.0.0.0"],
  };
  for (const [group, places] of Object.entries(listeners)) {
    const origins = group.startsWith("[")
      ? ["[::]", "[::1]", "[2001:db8::1]"]
      : ["0.0.0.0", "127.0.0.1", "192.0.2.1", "[::]"];
    for (const place of places) {
      for (const origin of origins) {
        for (const out of ["eth0", "lo"]) {
          for (const member of [
            "nobody",
            "it",
            "it on the other interface",
            "another",
            "another on the other interface",
          ]) {
            const way = (member.endsWith("other interface") ? out === "lo" : out === "eth0") ? "eth0" : "lo";
            cases.push([
              `${place} hears ${group} from ${origin} out of ${out}: ${member} has joined`,
              (machine) => heardInGroup(machine, { group, place, origin, out, way, member }),
            ]);
          }
        }
      }
    }
  }
  return cases;
}

interface GroupCase {
  readonly group: string;
  readonly place: string;
  readonly origin: string;
  /** The interface that the datagram leaves by, and the one on which the group is joined. */
  readonly out: string;
  readonly way: string;
  readonly member: string;
}

async function heardInGroup(machine: Machine, given: GroupCase): Promise<readonly unknown[]> {
  const { group, place, origin, out, way, member } = given;
  const listener = await machine.bind(place);
  const other = await machine.bind(group.startsWith("[") ? "[::]" : "0.0.0.0", 0);
  if (member !== "nobody")
    (member.startsWith("it") ? listener : other).udp.joinGroup(`udp://${group}:0`, { interface: way });
  const box = await machine.bind(origin, 0);
  box.udp.setMulticastInterface(out);
  await box.send("x", `udp://${group}:${machine.port}`);
  // What was sent before this one is there when it is.
  const last = await machine.bind("127.0.0.1", 0);
  await last.send("last", last.localAddress);
  await last.receive();
  return [await listener.receive({ timeoutMs: GRACE_MS }).then(({ from }) => host(from), codeOf)];
}

type Opened = Listener | DatagramSocket | StreamSocket;

/** Opens sockets for one combination, and closes them. */
class Machine {
  readonly port: number;
  readonly #network: Network;
  readonly #opened: Opened[] = [];

  constructor(network: Network, port: number) {
    this.#network = network;
    this.port = port;
  }

  keep<T extends Opened>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  async listen(place: string, port: number = this.port): Promise<Listener> {
    return this.keep(await listen(`tcp://${hostOf(place)}:${port}`, { network: this.#network, ...onlyIpv6(place) }));
  }

  async bind(place: string, port: number = this.port, options: BindOptions = {}): Promise<DatagramSocket> {
    const network = this.#network;
    return this.keep(await bind(`udp://${hostOf(place)}:${port}`, { network, ...options, ...onlyIpv6(place) }));
  }

  async connect(target: string, origin: string, from = 0): Promise<StreamSocket> {
    const options: ConnectOptions = origin === "" ? {} : { localAddress: `${origin}:${from}` };
    const { port } = this;
    return this.keep(
      await connect(`tcp://${target}:${port}`, { network: this.#network, timeoutMs: PATIENCE_MS, ...options }),
    );
  }

  async close(): Promise<void> {
    for (const one of this.#opened.reverse()) {
      if ("write" in one) one.abort();
      else await one.close();
    }
  }
}

function hostOf(place: string): string {
  return place.split(" ")[0] as string;
}

function onlyIpv6(place: string): { readonly ipv6Only?: true } {
  return place.endsWith(" only") ? { ipv6Only: true } : {};
}

function host({ host: ip, zone }: { readonly host: string; readonly zone: string }): string {
  return zone === "" ? ip : `${ip}%${zone}`;
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? String(error);
}
