/** Framing against programs and libraries that nobody here wrote: Python's struct, protobuf.js, libp2p's, and Twisted. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, test, type TestContext } from "node:test";
import fc from "fast-check";
import { decode, encode } from "it-length-prefixed";
import protobuf from "protobufjs";
import { connect, pair, serve } from "../../src/index.ts";
import {
  bytes,
  ByteWriter,
  chain,
  type Codec,
  lengthPrefix,
  type LengthPrefixOptions,
  lines,
  netstring,
  varintPrefix,
} from "../../src/framing.ts";

type BytesCodec = Codec<Uint8Array, Buffer>;

/** Sizes around those at which a length needs another byte, and some that no read returns whole. */
const SIZES: readonly number[] = [0, 1, 2, 127, 128, 255, 256, 300, 16_383, 16_384, 65_535, 200_000];

/** Messages with all bytes in them. */
const MESSAGES: readonly Buffer[] = SIZES.map((size) => Buffer.from(Array.from({ length: size }, (_, at) => at % 256)));

function encoded(codec: BytesCodec, messages: readonly Uint8Array[]): Buffer {
  const writer = new ByteWriter();
  for (const message of messages) codec.encode(message, writer);
  return Buffer.concat(writer.take().chunks);
}

function decoded(codec: BytesCodec, wire: Uint8Array): readonly Buffer[] {
  const decoder = codec.createDecoder();
  const messages: Buffer[] = [];
  decoder.decode(wire, 0, wire.length, (message) => messages.push(decoder.own(message)));
  decoder.end();
  return messages;
}

void describe("protobuf.js: delimited messages", () => {
  const Reading = new protobuf.Type("Reading")
    .add(new protobuf.Field("sensor", 1, "string"))
    .add(new protobuf.Field("values", 2, "double", "repeated"))
    .add(new protobuf.Field("raw", 3, "bytes"));
  const reading = fc.record(
    {
      sensor: fc.string({ unit: "grapheme" }),
      values: fc.array(fc.double({ noNaN: true }), { maxLength: 40 }),
      raw: fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw).toString("base64")),
    },
    { noNullPrototype: true },
  );
  const asPlain = (message: protobuf.Message): unknown =>
    Reading.toObject(message, { arrays: true, defaults: true, bytes: String });

  void test("what it writes is read, and the same bytes are written", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 8 }), (readings) => {
        const wire = Buffer.concat(readings.map((one) => Reading.encodeDelimited(Reading.fromObject(one)).finish()));
        const contents = decoded(varintPrefix(), wire);
        assert.deepEqual(
          contents.map((content) => asPlain(Reading.decode(content))),
          readings,
        );
        assert.deepEqual(encoded(varintPrefix(), contents), wire);
      }),
    );
  });

  void test("what is written it reads", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 8 }), (readings) => {
        const contents = readings.map((one) => Reading.encode(Reading.fromObject(one)).finish());
        const reader = protobuf.Reader.create(encoded(varintPrefix(), contents));
        const read: unknown[] = [];
        while (reader.pos < reader.len) read.push(asPlain(Reading.decodeDelimited(reader)));
        assert.deepEqual(read, readings);
      }),
    );
  });
});

void describe("it-length-prefixed: libp2p's messages", () => {
  void test("what it writes on a connection is received", async () => {
    const [left, right] = pair();
    const received = (async () => {
      const messages: Buffer[] = [];
      for await (const message of right.framed(varintPrefix())) messages.push(message);
      return messages;
    })();
    for (const piece of encode(MESSAGES)) await left.write(piece.subarray());
    await left.end();
    assert.deepEqual(await received, MESSAGES);
  });

  void test("what is sent it reads from the connection", async () => {
    const [left, right] = pair();
    const sent = left
      .framed(varintPrefix())
      .sendMany(MESSAGES)
      .then(() => left.end());
    const messages: Buffer[] = [];
    for await (const message of decode(right)) messages.push(Buffer.from(message.subarray()));
    await sent;
    assert.deepEqual(messages, MESSAGES);
  });
});

/** A program of Python; killed when the test is over. */
function python(t: TestContext, command: string, script: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(command, ["-u", "-c", script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

function has(command: string, module: string): boolean {
  return spawnSync(command, ["-c", `import ${module}`], { stdio: "ignore" }).status === 0;
}

/** Sends messages in pieces of odd sizes, and checks that each comes back turned round. */
const STRUCT_CLIENT = `
import socket, struct, sys
port, form = int(sys.argv[1]), sys.argv[2]
size = struct.calcsize(form)
sizes = [n for n in (0, 1, 2, 127, 128, 255, 256, 300, 65535, 200000) if n < 256 ** size]
messages = [bytes(i % 256 for i in range(n)) for n in sizes]
wire = b"".join(struct.pack(form, len(m)) + m for m in messages)
with socket.create_connection(("127.0.0.1", port)) as s:
    stream = s.makefile("rb")
    import threading
    def send():
        at, step = 0, 1
        while at < len(wire):
            s.sendall(wire[at:at + step])
            at, step = at + step, step * 2 + 1
        s.shutdown(socket.SHUT_WR)
    threading.Thread(target=send).start()
    for m in messages:
        (n,) = struct.unpack(form, stream.read(size))
        assert stream.read(n) == m[::-1], len(m)
    assert stream.read() == b""
print("done")
`;

/** The same with lines, by the text layer of Python. */
const LINES_CLIENT = `
import socket, sys
port, newline = int(sys.argv[1]), {"lf": "\\n", "crlf": "\\r\\n"}[sys.argv[2]]
lines = ["hola", "", "ñandú", "x" * 60000, "fin"]
with socket.create_connection(("127.0.0.1", port)) as s:
    stream = s.makefile("rw", encoding="utf-8", newline=newline)
    stream.writelines(line + "\\n" for line in lines)
    stream.flush()
    s.shutdown(socket.SHUT_WR)
    assert stream.read() == "".join(line[::-1] + newline for line in lines)
print("done")
`;

void describe("Python", { skip: !has("python3", "struct") && "needs python3" }, () => {
  /** A server that sends each message back turned round, and a program that checks it. */
  async function check(t: TestContext, codec: BytesCodec, script: string, option: string): Promise<void> {
    const server = await serve("tcp://127.0.0.1:0", async (peer) => {
      const messages = peer.framed(codec);
      for await (const message of messages) await messages.send(turned(message, option));
    });
    t.after(() => server.close({ timeoutMs: 0 }));
    const child = python(t, "python3", script, String(server.localAddress.port), option);
    const stdout = child.stdout as NonNullable<typeof child.stdout>;
    const [output, [code]] = (await Promise.all([text(stdout), once(child, "close")])) as [string, [number]];
    assert.deepEqual({ output, code }, { output: "done\n", code: 0 });
  }

  /** Text is turned by letters. */
  function turned(message: Buffer, option: string): Buffer {
    if (!option.endsWith("lf")) return Buffer.from(message).reverse();
    return Buffer.from(Array.from(String(message)).reverse().join(""));
  }

  const forms: readonly (readonly [form: string, options: LengthPrefixOptions])[] = [
    [">B", { bytes: 1 }],
    [">H", { bytes: 2 }],
    ["<H", { bytes: 2, endian: "little" }],
    [">I", { bytes: 4 }],
    ["<I", { bytes: 4, endian: "little" }],
    [">Q", { bytes: 8 }],
    ["<Q", { bytes: 8, endian: "little" }],
  ];
  for (const [form, options] of forms) {
    void test(`struct ${form}`, async (t) => {
      await check(t, lengthPrefix(options), STRUCT_CLIENT, form);
    });
  }

  for (const ending of ["lf", "crlf"] as const) {
    void test(`lines with ${ending}`, async (t) => {
      await check(t, chain(lines({ ending }), bytes()), LINES_CLIENT, ending);
    });
  }
});

/** Answers each message with its capitals; says its port when it listens. */
const TWISTED_SERVER = `
import sys
from twisted.internet import endpoints, protocol, reactor
from twisted.protocols import basic
class Upper:
    def stringReceived(self, message):
        self.sendString(message.upper())
    lineReceived = lambda self, line: self.sendLine(line.upper())
class Netstring(Upper, basic.NetstringReceiver):
    MAX_LENGTH = 1000000
class Int8(Upper, basic.Int8StringReceiver): pass
class Int16(Upper, basic.Int16StringReceiver): pass
class Int32(Upper, basic.Int32StringReceiver):
    MAX_LENGTH = 1000000
class Line(Upper, basic.LineOnlyReceiver):
    MAX_LENGTH = 1000000
factory = protocol.Factory.forProtocol(globals()[sys.argv[1]])
port = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
port.addCallback(lambda p: print(p.getHost().port))
reactor.run()
`;

const TWISTED_PYTHON = ["python3", "/usr/bin/python3"].find((command) => has(command, "twisted.protocols.basic"));

void describe("Twisted", { skip: TWISTED_PYTHON === undefined && "needs python3 with twisted" }, () => {
  const receivers: readonly (readonly [name: string, codec: BytesCodec, mostBytes: number])[] = [
    ["Netstring", netstring(), 200_000],
    ["Int8", lengthPrefix({ bytes: 1 }), 255],
    ["Int16", lengthPrefix({ bytes: 2 }), 65_535],
    ["Int32", lengthPrefix(), 200_000],
    ["Line", chain(lines({ ending: "crlf", maxLineBytes: 200_000 }), bytes()), 200_000],
  ];
  for (const [name, codec, mostBytes] of receivers) {
    void test(name, async (t) => {
      const child = python(t, TWISTED_PYTHON ?? "", TWISTED_SERVER, name);
      const output = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
      const [port] = (await once(output, "line")) as [string];
      const socket = await connect(`tcp://127.0.0.1:${port}`);
      const messages = socket.framed(codec);
      const questions = SIZES.filter((size) => size <= mostBytes).map((size) => Buffer.alloc(size, "hola, "));
      const sent = messages.sendMany(questions);
      for (const question of questions) {
        assert.equal(String(await messages.receive()), String(question).toUpperCase());
      }
      await sent;
      await socket.close();
    });
  }
});
