import { nodeNetwork } from "../../src/index.ts";
import { listenerSuite, type ListenerWorld } from "../../src/testing.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/* One suite, every kind of listener. */

const folder = temporaryFolder();

const tcp: ListenerWorld = {
  network: nodeNetwork,
  address: () => "tcp://127.0.0.1:0",
  refusal: "CONNECTION_REFUSED",
  traits: { reset: true, halfClose: true },
};

const { authority, server } = await testCertificates();

let listeners = 0;

listenerSuite("tcp over IPv4", tcp);
listenerSuite("tcp over IPv6", { ...tcp, address: () => "tcp://[::1]:0" });
listenerSuite("tls", {
  ...tcp,
  address: () => "tls://127.0.0.1:0",
  listen: { tls: server },
  connect: { tls: { ca: authority.cert } },
});
listenerSuite("unix", {
  network: nodeNetwork,
  address: () => `unix:${folder}/${listeners++}.sock`,
  refusal: "PATH_NOT_FOUND",
  traits: { reset: false, halfClose: true },
});
