import { codecSuite } from "../../../testing/codec/suite.ts";
import { netstring } from "./netstring.ts";

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const sized = (bytes: number): Buffer => Buffer.alloc(bytes, ",");

codecSuite("netstring", () => netstring(), {
  messages: [ascii(""), ascii("hello world!"), ascii("3:abc,"), sized(9), sized(10), sized(99), sized(100)],
  sized,
  vectors: [
    // The examples of https://cr.yp.to/proto/netstrings.txt
    { message: ascii("hello world!"), wire: Buffer.from("31323a68656c6c6f20776f726c64212c", "hex") },
    { message: ascii(""), wire: Buffer.from("303a2c", "hex") },
  ],
  refuses: [
    { wire: ascii("05:hello,"), code: "FRAME_INVALID" },
    { wire: ascii("00:,"), code: "FRAME_INVALID" },
    { wire: ascii(":,"), code: "FRAME_INVALID" },
    { wire: ascii("-1:,"), code: "FRAME_INVALID" },
    { wire: ascii("+1:a,"), code: "FRAME_INVALID" },
    { wire: ascii(" 1:a,"), code: "FRAME_INVALID" },
    { wire: ascii("1a:a,"), code: "FRAME_INVALID" },
    { wire: ascii("3:abcd,"), code: "FRAME_INVALID" },
    { wire: ascii("3:abc\n"), code: "FRAME_INVALID" },
    { wire: ascii("8388609"), code: "FRAME_TOO_LONG" },
    { wire: ascii("99999999999999999999"), code: "FRAME_TOO_LONG" },
  ],
  limited: { codec: netstring({ maxFrameBytes: 100 }), longest: sized(100), tooLong: sized(101) },
});
