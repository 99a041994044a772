import { type ConnectOptions, connect, listen, type ListenOptions, pair } from "../../src/index.ts";
import { type OpenedStreams, streamSuite } from "../../src/testing.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/*
 * One suite, every kind of connection. Where it matters who called, the suite runs once more with the sides exchanged: an
 * accepted socket reads in another way than one that connects.
 */

const folder = temporaryFolder();

async function over(
  address: string,
  listenOptions: ListenOptions = {},
  connectOptions: ConnectOptions = {},
): Promise<OpenedStreams> {
  const listener = await listen(address, listenOptions);
  const [a, b] = await Promise.all([connect(listener.localAddress, connectOptions), listener.accept()]);
  return { sockets: [a, b], cleanup: () => listener.close() };
}

async function overTls(): Promise<OpenedStreams> {
  const { authority, server } = await testCertificates();
  return await over("tls://127.0.0.1:0", { tls: server }, { tls: { ca: authority.cert } });
}

function exchanged(open: () => Promise<OpenedStreams>): () => Promise<OpenedStreams> {
  return async () => {
    const { sockets, cleanup } = await open();
    return { sockets: [sockets[1], sockets[0]], cleanup };
  };
}

const tcp = { traits: { reset: true, halfClose: true } };
const ipv4 = (): Promise<OpenedStreams> => over("tcp://127.0.0.1:0");

streamSuite("tcp over IPv4", ipv4, tcp);
streamSuite("tcp over IPv4, sides exchanged", exchanged(ipv4), tcp);
streamSuite("tcp over IPv6", () => over("tcp://[::1]:0"), tcp);
streamSuite("tls", overTls, tcp);
streamSuite("tls, sides exchanged", exchanged(overTls), tcp);
let sockets = 0;
streamSuite("unix", () => over(`unix:${folder}/${sockets++}.sock`), { traits: { reset: false, halfClose: true } });
streamSuite("pair", async () => ({ sockets: pair(), cleanup: async () => undefined }), tcp);
