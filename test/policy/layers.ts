import type { LayerTable } from "./import-rules.ts";

/*
 * The table of the architecture, which architecture.test.ts holds. It is policy: it says how the parts of Zócalo depend on each other.
 * It is never edited to make a build pass. A change of a row is a decision of its own, with a file in docs/decisions.
 */

/** Sockets of the kernel and what could reach them: only src/node may import these, and src/http node:http. */
export const KERNEL: ReadonlySet<string> = new Set([
  "node:net",
  "node:tls",
  "node:dgram",
  "node:dns",
  "node:dns/promises",
  "node:http",
  "node:https",
  "node:http2",
]);

/** All layers of io, for those that build on them. */
const IO = [
  "io/network",
  "io/operation",
  "io/contract",
  "io/session",
  "io/stream",
  "io/datagram",
  "io/listener",
  "io/session/client",
  "io/session/server",
  "io/stateless",
] as const;

/**
 * What each layer may import, beside itself: a layer is a folder of `src` at any depth, `entries` the files directly in it. Rows
 * stand in the order of the rings; a row names only rows above it.
 */
export const TABLE: LayerTable = {
  // Ring 0: pure and synchronous. "core" is the files directly in src/core: the errors, and what is too small for a folder.
  core: { layers: [] },
  "core/bytes": { layers: [] },
  "core/options": { layers: ["core"] },
  "core/address": { layers: ["core", "core/options"], packages: ["ipaddr.js"] },
  "core/capture": { layers: [] },
  "core/contract": { layers: ["core", "core/options"] },
  "core/faults": { layers: ["core", "core/options"] },
  "core/framing": { layers: ["core", "core/bytes", "core/options"] },
  "core/framing/formats": { layers: ["core", "core/bytes", "core/options", "core/framing"], packages: ["msgpackr"] },
  "core/framing/boundaries": { layers: ["core/bytes", "core/options", "core/framing", "core/framing/formats"] },
  "core/handshake": {
    layers: ["core", "core/bytes", "core/contract", "core/framing", "core/framing/formats", "core/framing/boundaries"],
  },
  "core/proxy": { layers: ["core", "core/options", "core/address"] },
  "core/session/wire": { layers: ["core", "core/framing", "core/framing/formats", "core/handshake"] },
  "core/session": {
    layers: [
      "core",
      "core/bytes",
      "core/options",
      "core/framing",
      "core/framing/boundaries",
      "core/handshake",
      "core/session/wire",
    ],
  },
  "core/session/resume": { layers: ["core", "core/handshake", "core/session"] },
  "core/journal": {
    layers: ["core", "core/contract", "core/framing/formats", "core/handshake", "core/session", "core/session/resume"],
  },
  "core/stateless": { layers: ["core/bytes"] },
  "core/text": { layers: [] },

  // Ring 1: asynchronous objects over any network.
  "io/network": { layers: ["core", "core/address"] },
  "io/journal": { layers: ["core", "core/options", "io/network"] },
  "io/operation": {
    layers: ["core", "core/bytes", "core/options", "core/address", "io/network"],
    builtins: ["node:diagnostics_channel"],
  },
  "io/contract": {
    layers: [
      "core",
      "core/bytes",
      "core/address",
      "core/contract",
      "core/framing",
      "core/framing/formats",
      "core/session",
      "io/operation",
    ],
  },
  "io/session": {
    layers: [
      "core",
      "core/options",
      "core/address",
      "core/contract",
      "core/framing/formats",
      "core/handshake",
      "core/session",
      "io/network",
      "io/operation",
      "io/contract",
    ],
  },
  "io/stream": {
    layers: [
      "core",
      "core/bytes",
      "core/options",
      "core/address",
      "core/framing",
      "core/proxy",
      "io/network",
      "io/operation",
    ],
    builtins: ["node:stream", "node:stream/web"],
  },
  "io/datagram": {
    layers: [
      "core",
      "core/bytes",
      "core/options",
      "core/address",
      "core/framing",
      "io/network",
      "io/operation",
      "io/contract",
      "io/stream",
    ],
  },
  "io/listener": {
    layers: ["core", "core/options", "core/address", "core/proxy", "io/network", "io/operation", "io/stream"],
  },
  "io/session/traffic": {
    layers: [
      "core",
      "core/bytes",
      "core/contract",
      "core/session/wire",
      "core/session",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
    ],
  },
  "io/session/endpoint": {
    layers: [
      "core",
      "core/bytes",
      "core/options",
      "core/address",
      "core/handshake",
      "core/session/wire",
      "core/session",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/session/traffic",
    ],
  },
  "io/session/shared": {
    layers: [
      "core",
      "core/journal",
      "core/options",
      "core/session",
      "io/network",
      "io/operation",
      "io/contract",
      "io/journal",
      "io/session",
      "io/session/endpoint",
    ],
  },
  "io/session/client": {
    layers: [
      "core",
      "core/options",
      "core/address",
      "core/contract",
      "core/handshake",
      "core/session/wire",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/session/endpoint",
    ],
    builtins: ["node:async_hooks"],
  },
  "io/session/server": {
    layers: [
      "core/framing/formats",
      "core/journal",
      "io/journal",
      "core",
      "core/bytes",
      "core/options",
      "core/address",
      "core/contract",
      "core/handshake",
      "core/proxy",
      "core/session",
      "core/session/resume",
      "io/network",
      "io/operation",
      "io/contract",
      "io/session",
      "io/stream",
      "io/listener",
      "io/session/endpoint",
      "io/session/shared",
    ],
    builtins: ["node:async_hooks"],
  },
  "io/stateless": {
    layers: [
      "core",
      "core/options",
      "core/address",
      "core/contract",
      "core/stateless",
      "io/network",
      "io/operation",
      "io/contract",
      "io/datagram",
    ],
  },

  // Ring 2: networks. None knows another.
  memory: { layers: ["core", "core/bytes", "core/options", "core/address", "io/network", "io/operation", "io/stream"] },
  node: {
    layers: ["core", "core/address", "io/network", "io/operation"],
    builtins: [
      ...KERNEL,
      "node:cluster",
      "node:crypto",
      "node:diagnostics_channel",
      "node:fs",
      "node:os",
      "node:path",
      "node:perf_hooks",
      "node:util",
    ],
  },

  // Ring 2: where sessions are kept. None knows another.
  "journal/memory": { layers: ["core", "core/options", "io/network", "io/journal"] },
  "journal/file": {
    layers: ["core", "core/options", "io/network", "io/journal"],
    builtins: ["node:fs", "node:os", "node:path"],
    packages: ["lmdb"],
  },
  "journal/nats": {
    layers: ["core", "core/options", "io/network", "io/journal"],
    packages: ["@nats-io/transport-node", "@nats-io/jetstream"],
  },
  "journal/redis": { layers: ["core", "core/options", "io/network", "io/journal"], packages: ["redis"] },

  // The simulator.
  "sim/guard": { layers: ["core", "io/stream", "io/datagram", "io/listener"], builtins: ["node:async_hooks"] },
  "sim/kernel": { layers: ["core", "core/options", "core/faults"] },
  "sim/capture": { layers: ["core", "core/capture", "sim/kernel"] },
  "sim/time": { layers: ["core/faults", "sim/guard"], builtins: ["node:async_hooks"] },
  "sim/adapter": {
    layers: [
      "core",
      "core/address",
      "core/faults",
      "io/network",
      "io/operation",
      "sim/guard",
      "sim/kernel",
      "sim/time",
    ],
  },
  "sim/world": {
    layers: [
      "core",
      "core/options",
      "core/faults",
      "io/network",
      "sim/guard",
      "sim/kernel",
      "sim/capture",
      "sim/time",
      "sim/adapter",
    ],
  },
  "sim/explore": { layers: ["core", "core/options", "core/faults", "sim/guard", "sim/world"] },

  // The composition root: the public functions, with the network of the kernel as default.
  api: {
    layers: [
      "core",
      "core/options",
      "core/address",
      ...IO,
      "io/journal",
      "memory",
      "node",
      "journal/memory",
      "journal/file",
      "journal/nats",
      "journal/redis",
    ],
    builtins: ["node:os"],
  },

  // Ring 3: the fault proxy, a program over the public sockets.
  proxy: {
    layers: [
      "core",
      "core/options",
      "core/address",
      "core/capture",
      "core/faults",
      "io/network",
      "io/operation",
      "io/stream",
      "io/datagram",
      "io/listener",
      "api",
    ],
  },

  // HTTP on this machine, for the tools of ring 3: who may ask, and how answers are written.
  http: { layers: ["core", "node"], builtins: ["node:crypto", "node:fs", "node:http"] },

  // The HTTP interface that controls proxies: Toxiproxy's clients speak it.
  "proxy/api": { layers: ["core", "core/address", "core/faults", "proxy", "http"] },

  // The page of the proxies, as its server has it: `wire.ts` is what the browser reads of it.
  "proxy/page": { layers: ["core", "core/address", "io/network", "node", "proxy", "http"] },

  // Ring 3: a look into a running program. It reads what the rings below have, and its own HTTP is no socket of theirs.
  inspect: {
    layers: [
      "core",
      "core/options",
      "core/session/wire",
      "core/session",
      "io/network",
      "io/operation",
      "io/stream",
      "io/datagram",
      "io/listener",
      "io/session/endpoint",
      "io/session/server",
      "node",
      "sim/guard",
      "http",
    ],
    builtins: ["node:diagnostics_channel", "node:fs", "node:os", "node:path", "node:worker_threads"],
  },

  // What runs in a browser, with a project and a bundle of its own. Of a server it imports the types of its `wire.ts`.
  "page/shell": { layers: ["core/text"], packages: ["preact", "htm"] },
  "page/inspect": { layers: ["inspect", "page/shell"], packages: ["preact", "htm"] },
  "page/proxy": { layers: ["proxy/page", "page/shell"], packages: ["preact", "htm", "uplot"] },

  // Ring 3: conformance suites, for any implementation of the contracts; so they know none.
  testing: { layers: ["core", "io/network"], builtins: ["node:assert/strict"] },
  "testing/codec": {
    layers: ["core", "core/bytes", "core/options", "core/framing", "testing"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/stream": {
    layers: ["core", "core/options", "io/network", "io/operation", "io/stream", "testing"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/datagram": {
    layers: ["core", "core/address", "io/network", "io/operation", "io/datagram", "testing", "testing/stream"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/listener": {
    layers: ["core", "core/address", "io/network", "io/stream", "io/listener", "testing", "testing/stream"],
    builtins: ["node:assert/strict", "node:test"],
  },
  "testing/journal": {
    layers: ["core", "io/network", "io/journal", "testing"],
    builtins: ["node:assert/strict", "node:test"],
  },

  // The entry points gather what is public.
  entries: {
    layers: [
      "core",
      "core/bytes",
      "core/options",
      "core/address",
      "core/contract",
      "core/faults",
      "core/framing",
      "core/framing/formats",
      "core/framing/boundaries",
      "core/proxy",
      ...IO,
      "io/journal",
      "node",
      "journal/memory",
      "journal/file",
      "journal/nats",
      "journal/redis",
      "sim/kernel",
      "sim/world",
      "sim/explore",
      "api",
      "inspect",
      "proxy",
      "proxy/api",
      "proxy/page",
      "testing",
      "testing/codec",
      "testing/stream",
      "testing/datagram",
      "testing/listener",
      "testing/journal",
    ],
  },

  // Ring 4: the command is a user of the package like any other; its figures are written as those of the pages.
  "cli/terminal": { layers: ["entries", "core/text"], builtins: ["*"], packages: ["commander"] },
  "cli/sim": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander"] },
  "cli/sockets": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander", "selfsigned"] },
  "cli/demo": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  "cli/doctor": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  "cli/protocol": { layers: ["entries", "cli/terminal", "cli/sockets"], builtins: ["*"], packages: ["commander"] },
  "cli/inspect": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander"] },
  "cli/proxy": { layers: ["entries", "cli/terminal"], builtins: ["*"], packages: ["commander"] },
  cli: {
    layers: [
      "cli/terminal",
      "cli/sim",
      "cli/sockets",
      "cli/demo",
      "cli/doctor",
      "cli/protocol",
      "cli/inspect",
      "cli/proxy",
    ],
    builtins: ["*"],
    packages: ["commander"],
  },
};
