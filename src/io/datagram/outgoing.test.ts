import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import type { DatagramInput } from "./public.ts";
import { lengthOf, outgoing } from "./outgoing.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";

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
