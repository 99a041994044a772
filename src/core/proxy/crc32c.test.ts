import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c } from "./crc32c.ts";

describe("crc32c()", () => {
  // RFC 3720 appendix B.4 prints the checksums with their bytes in the order of transmission, lowest first.
  const vectors: [name: string, bytes: Uint8Array, checksum: number][] = [
    ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["32 incrementing bytes", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ["32 decrementing bytes", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    ["the usual check text", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ];
  for (const [name, bytes, checksum] of vectors) {
    it(`of ${name}`, () => assert.equal(crc32c(bytes), checksum));
  }
});
