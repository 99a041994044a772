/** The datagram suite: what is sent arrives whole, as itself, from its sender (docs/semantics.md, rules A3 and B1). */

import assert from "node:assert/strict";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import { bindOver } from "../../io/datagram/bind.ts";
import { arrivesNext, type DatagramChecks, numbers, take, withNames } from "./world.ts";
import { expectError } from "../expect-error.ts";
import { patternBytes, pending } from "../stream/check.ts";

/** RFC 768 with RFC 791 section 3.1 and RFC 8200 section 3. */
const MAX_PAYLOAD_BYTES = { 4: 65_507, 6: 65_527 } as const;

/** Sending and receiving without limits in the way. */
export const datagramTransferChecks: DatagramChecks = {
  async "an empty datagram is a datagram"({ open }) {
    const [a, b] = [await open(), await open()];
    await a.send("", b.localAddress);
    await a.send("next", b.localAddress);
    const empty = await b.receive();
    assert.equal(empty.data.length, 0);
    assert.ok(empty.from.equals(a.localAddress));
    assert.deepEqual(await take(b, 1), ["next"]);
  },

  async "the largest datagram arrives whole; one byte more is refused before the network is asked"({ open }) {
    const [a, b] = [await open(), await open()];
    const most = MAX_PAYLOAD_BYTES[b.localAddress.family as 4 | 6];
    await a.send(patternBytes(0, most), b.localAddress);
    assert.ok((await b.receive()).data.equals(patternBytes(0, most)));
    const remote = b.localAddress.toString();
    const expected = { code: "DATAGRAM_TOO_LARGE", type: UsageError, outcome: "none", remote } as const;
    await expectError(a.send(new Uint8Array(most + 1), b.localAddress), { ...expected, op: "send" });
    const many = [{ data: "fits" }, { data: new Uint8Array(most + 1) }].map((item) => ({
      ...item,
      to: b.localAddress,
    }));
    await expectError(a.sendMany(many), { ...expected, op: "sendMany" });
    assert.equal(a.stats.datagramsSent, 1);
    await arrivesNext(a, b);
  },

  async "maxDatagramBytes is a limit of one's own"({ open }) {
    const [a, b] = [await open({ limits: { maxDatagramBytes: 4 } }), await open()];
    await expectError(a.send("12345", b.localAddress), { code: "DATAGRAM_TOO_LARGE", outcome: "none" });
    await expectError(a.send(["12", "345"], b.localAddress), { code: "DATAGRAM_TOO_LARGE", outcome: "none" });
    await a.send("1234", b.localAddress);
    assert.deepEqual(await take(b, 1), ["1234"]);
  },

  async "pieces become one datagram, strings are UTF-8"({ open }) {
    const [a, b] = [await open(), await open()];
    await a.send(["¡", Buffer.from("ho"), new Uint8Array(0), "la!"], b.localAddress);
    await a.send([], b.localAddress);
    assert.deepEqual(await take(b, 2), ["¡hola!", ""]);
  },

  async "what was received belongs to the receiver, what was sent to the sender again"({ open }) {
    const [a, b] = [await open(), await open()];
    const buffer = Buffer.alloc(100);
    for (let round = 0; round < 50; round += 1) {
      buffer.fill(round);
      await a.send(buffer, b.localAddress);
    }
    buffer.fill(0xff);
    const received = [];
    while (received.length < 50) received.push(...(await b.receiveMany(7)));
    await a.send("something else", b.localAddress);
    await b.receive();
    for (const [round, { data }] of received.entries())
      assert.ok(data.equals(Buffer.alloc(100, round)), `round ${round}`);
  },

  async "port 0 becomes a real one, and the sender is known by its address"({ open, host }) {
    const [a, b] = [await open(), await open()];
    assert.notEqual(a.localAddress.port, 0);
    assert.equal(a.localAddress.host, host);
    assert.equal(a.localAddress.transport, "udp");
    await a.send("¿quién?", b.localAddress);
    const { from } = await b.receive();
    assert.ok(from.equals(a.localAddress));
    await b.send("yo", from);
    assert.deepEqual(await take(a, 1), ["yo"]);
  },

  async "a receiver may be given as an address, a text, an object or a URL"({ open }) {
    const [a, b] = [await open(), await open()];
    const { host, port, hostPort } = b.localAddress;
    const forms = [b.localAddress, `udp://${hostPort}`, hostPort, { host, port }, new URL(`udp://${hostPort}`)];
    for (const [index, to] of forms.entries()) await a.send(String(index), to);
    assert.deepEqual(await take(b, forms.length), numbers(forms.length));
  },

  async "several senders to one datagram socket are told apart"({ open }) {
    const box = await open();
    const senders = [await open(), await open(), await open()];
    for (const sender of senders) await sender.send(sender.localAddress.toString(), box.localAddress);
    for (let count = 0; count < senders.length; count += 1) {
      const { data, from } = await box.receive();
      assert.equal(data.toString(), from.toString());
    }
  },

  async "an address that is taken is refused"({ open, openAt }) {
    const box = await open();
    await expectError(openAt(box.localAddress.toString()), { code: "ADDRESS_IN_USE", op: "bind", side: "system" });
  },

  async "addresses that are no datagram socket's are refused, with the name of the right call"({ network }) {
    for (const address of ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", "unix:/x"]) {
      const error = await expectError(bindOver(network, address), {
        code: "ADDRESS_INVALID",
        op: "bind",
        side: "local",
      });
      assert.match(error.detail, /listen.*connect/);
    }
    for (const address of ["udp://127.0.0.1:0?interface=lo", "udp://239.1.2.3:0?speed=9"]) {
      await expectError(bindOver(network, address), { code: "ADDRESS_INVALID", op: "bind", type: UsageError });
    }
  },

  async "options that are no numbers or no policies are refused"({ network, local }) {
    const wrong = [
      { limits: { maxReceiveQueueDatagrams: 0 } },
      { limits: { maxReceiveQueueBytes: Number.NaN } },
      { limits: { maxSendQueueDatagrams: -1 } },
      { limits: { maxSendQueueBytes: 0 } },
      { limits: { maxDatagramBytes: 0 } },
      { dnsMaxAgeMs: -1 },
      { timeoutMs: -1 },
      { overflow: "drop" as "strict" },
    ];
    for (const options of wrong) {
      await expectError(bindOver(network, local, options), { code: "OPTION_INVALID", op: "bind", type: UsageError });
    }
  },

  async "a name is looked up once, and again when it is too old"({ open, network, host, until }) {
    const asked: string[] = [];
    const names = withNames(network, async (name) => {
      asked.push(name);
      return [host];
    });
    const box = await open();
    const { port } = box.localAddress;
    const lasting = await open({}, names);
    for (let count = 0; count < 3; count += 1) await lasting.send("x", `plaza.example:${port}`);
    await lasting.send("x", { host: "plaza.example", port });
    assert.deepEqual(asked, ["plaza.example"]);
    const forgetful = await open({ dnsMaxAgeMs: 1 }, names);
    await forgetful.send("x", `plaza.example:${port}`);
    const since = network.clock.now();
    await until(() => network.clock.now() - since > 1);
    await forgetful.send("x", `plaza.example:${port}`);
    assert.equal(asked.length, 3);
    assert.deepEqual(await take(box, 6), Array(6).fill("x"));
  },

  async "a name that does not exist fails its sends and no others"({ open, network, host }) {
    let known = false;
    const names = withNames(network, async (name) => {
      if (known) return [host];
      throw new ZocaloError("NAME_NOT_FOUND", { op: "resolve", remote: name });
    });
    const [a, b] = [await open({}, names), await open()];
    const { port } = b.localAddress;
    const lost = pending(a.send("lost", `plaza:${port}`));
    await a.send("found", b.localAddress);
    await expectError(lost, { code: "NAME_NOT_FOUND", op: "send", side: "system", outcome: "none", remote: "plaza" });
    known = true;
    await a.send("now", `plaza:${port}`);
    assert.deepEqual(await take(b, 2), ["found", "now"]);
  },
};

/** The names that this machine has for itself. */
export const ownNameChecks: DatagramChecks = {
  async "the machine's own names work, to bind and to send"({ openAt, traits: { name } }) {
    const box = await openAt(`udp://${name}:0`);
    const sender = await openAt(`udp://${box.localAddress.hostPort.replace(/\d+$/, "0")}`);
    await sender.send("hola", `${name}:${box.localAddress.port}`);
    assert.deepEqual(await take(box, 1), ["hola"]);
  },
};
