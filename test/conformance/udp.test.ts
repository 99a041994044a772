/** The datagram sockets of the kernel, put through the datagram suite. */

import { nodeNetwork } from "../../src/node/network.ts";
import { datagramSuite } from "../../src/testing/datagram/suite.ts";

const linux = process.platform === "linux";

datagramSuite("udp, IPv4", {
  host: "127.0.0.1",
  traits: {
    refusals: process.platform !== "win32",
    pauses: true,
    name: "localhost",
    // Other systems do not let multicast and broadcast through the loopback interface in the same way.
    group: linux ? "udp://239.77.1.2:0?interface=lo" : undefined,
    broadcast: linux ? { to: "127.255.255.255", at: "0.0.0.0" } : undefined,
  },
  run: (body) => body(nodeNetwork),
});

datagramSuite("udp, IPv6", {
  host: "[::1]",
  traits: { refusals: process.platform !== "win32", pauses: true },
  run: (body) => body(nodeNetwork),
});
