import assert from "node:assert/strict";
import { test } from "node:test";
import { ZocaloError } from "../../core/errors.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ManualDatagrams, manualNetwork } from "../../../test/fixtures/manual-datagrams.ts";
import { bindOver } from "./bind.ts";
import type { DatagramSocket, DatagramInput } from "./public.ts";
import { lengthOf, outgoing } from "./destinations.ts";
import type { Sockets } from "../network/network.ts";
import { Address } from "../../core/address/address.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";

const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });

async function opened(
  resolve: Sockets["resolve"],
  local = "udp://127.0.0.1:1000",
): Promise<[DatagramSocket, ManualDatagrams]> {
  const transport = new ManualDatagrams({ local });
  transport.immediate = true;
  return [await bindOver(manualNetwork(clock, [transport], resolve), local), transport];
}

function targets(transport: ManualDatagrams): string[] {
  return transport.batches.flat().map(({ to }) => String(to));
}

test("a name is looked up once for many sends, and again after 60 seconds", async () => {
  let asked = 0;
  const [box, transport] = await opened(() => Promise.resolve([`127.0.0.${++asked}`]));
  await Promise.all(["plaza:1", "plaza:2", "udp://PLAZA:1"].map((to) => box.send("x", to)));
  await clock.advance(59_999);
  await box.send("x", "plaza:3");
  assert.equal(asked, 1);
  await clock.advance(1);
  await box.send("x", "plaza:1");
  const expected = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:3", "127.0.0.2:1"];
  assert.deepEqual(
    targets(transport),
    expected.map((text) => `udp://${text}`),
  );
});

test("a failed lookup is not remembered", async () => {
  const answers = [Promise.reject(new ZocaloError("NAME_LOOKUP_FAILED", { op: "resolve" })), Promise.resolve(["::1"])];
  for (const answer of answers) answer.catch(() => undefined);
  const [box, transport] = await opened(() => answers.shift() as Promise<string[]>, "udp://[::1]:1000");
  await expectError(box.send("x", "plaza:1"), { code: "NAME_LOOKUP_FAILED", op: "send", outcome: "none" });
  await box.send("x", "plaza:1");
  assert.deepEqual(targets(transport), ["udp://[::1]:1"]);
});

test("a datagram socket for both families prefers IPv6 and falls back to IPv4", async () => {
  const families: number[] = [];
  const resolve: Sockets["resolve"] = (_name, family) => {
    families.push(family);
    return family === 6
      ? Promise.reject(new ZocaloError("NAME_NOT_FOUND", { op: "resolve" }))
      : Promise.resolve(["127.0.0.1"]);
  };
  const [box, transport] = await opened(resolve, "udp://[::]:1000");
  await box.send("x", "plaza:1");
  await box.send("x", "127.0.0.1:2");
  assert.deepEqual(families, [6, 4]);
  assert.deepEqual(targets(transport), ["udp://127.0.0.1:1", "udp://127.0.0.1:2"]);
});

test("a thousand names do not stay for ever", async () => {
  let asked = 0;
  const resolve: Sockets["resolve"] = () => {
    asked += 1;
    return Promise.resolve(["127.0.0.1"]);
  };
  const [box] = await opened(resolve);
  for (let index = 0; index <= 1024; index += 1) await box.send("x", `name-${index}.example:1`);
  assert.equal(asked, 1025);
  await box.send("x", "name-1024.example:1");
  assert.equal(asked, 1025);
  await box.send("x", "name-0.example:1");
  assert.equal(asked, 1026);
});

const four = Address.parse("udp://127.0.0.1:1");
const six = Address.parse("udp://[::1]:1");
const context = (remote: string | undefined): { op: string; remote: string | undefined } => ({ op: "send", remote });

test("a payload is a string, bytes, or pieces of both", () => {
  const bytes = new Uint8Array([1, 2]);
  assert.equal(outgoing(bytes, four, undefined, 9, context).data, bytes);
  for (const data of ["ñ", ["ñ"], [Buffer.from("ñ"), ""], []] as DatagramInput[]) {
    assert.equal(outgoing(data, four, undefined, 9, context).data.length, lengthOf(data));
  }
  for (const data of [5, null, {}, [5], [["x"]], new ArrayBuffer(1)]) {
    assert.throws(() => outgoing(data as unknown as string, four, undefined, 9, context), { code: "OPTION_INVALID" });
    assert.equal(lengthOf(5 as unknown as string), 0);
  }
});

test("the limit is that of the receiver's IP version, or one's own", () => {
  const most = (to: Address | undefined, peer: Address | undefined, max: number): number => {
    let fits = 0;
    for (const size of [
      4,
      5,
      MAX_IPV4_PAYLOAD_BYTES,
      MAX_IPV4_PAYLOAD_BYTES + 1,
      MAX_IPV6_PAYLOAD_BYTES,
      MAX_IPV6_PAYLOAD_BYTES + 1,
    ]) {
      try {
        outgoing(new Uint8Array(size), to, peer, max, context);
        fits = size;
      } catch (error) {
        assert.equal((error as { code: string }).code, "DATAGRAM_TOO_LARGE");
      }
    }
    return fits;
  };
  assert.equal(most(four, undefined, 100_000), MAX_IPV4_PAYLOAD_BYTES);
  assert.equal(most(undefined, four, 100_000), MAX_IPV4_PAYLOAD_BYTES);
  assert.equal(most(six, undefined, 100_000), MAX_IPV6_PAYLOAD_BYTES);
  assert.equal(most(undefined, six, 100_000), MAX_IPV6_PAYLOAD_BYTES);
  assert.equal(most(six, undefined, 4), 4);
});
