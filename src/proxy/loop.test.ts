import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../core/address/address.ts";
import { refuseLoop } from "./loop.ts";

interface Route {
  readonly name: string;
  readonly listen: Address;
  readonly upstream: Address;
}

/** `listen -> upstream` of each proxy; the names are a, b, c. */
function routes(...texts: readonly string[]): readonly [Route, ...Route[]] {
  const all = texts.map((text, index) => {
    const [listen = "", upstream = ""] = text.split(" -> ");
    return { name: "abc"[index] as string, listen: Address.parse(listen), upstream: Address.parse(upstream) };
  });
  return all as unknown as readonly [Route, ...Route[]];
}

test("what a proxy passes on must not lead back to it", () => {
  const loops: readonly (readonly string[])[] = [
    ["tcp://127.0.0.1:5 -> tcp://127.0.0.1:5"],
    ["udp://127.0.0.1:5 -> udp://127.0.0.1:5"],
    ["unix:/a -> unix:/a"],
    ["tcp://127.0.0.1:5 -> tcp://localhost:5"],
    ["tcp://[::1]:5 -> tcp://localhost:5"],
    ["tcp://localhost:5 -> tcp://[::1]:5"],
    ["tcp://0.0.0.0:5 -> tcp://127.0.0.1:5"],
    ["tcp://0.0.0.0:5 -> tcp://app.localhost:5"],
    ["udp://[::]:5 -> udp://127.0.0.1:5"],
    ["tcp://192.0.2.1:5 -> tcp://192.0.2.1:5"],
    ["udp://127.0.0.1:5 -> udp://127.0.0.1:6", "udp://127.0.0.1:6 -> udp://127.0.0.1:5"],
    ["tcp://127.0.0.1:5 -> unix:/b", "unix:/b -> tcp://127.0.0.1:7", "tcp://127.0.0.1:7 -> tcp://127.0.0.1:5"],
  ];
  for (const texts of loops) {
    const all = routes(...texts);
    for (const start of all) {
      const error = { code: "OPTION_INVALID", message: /upstream .* leads back to/ };
      assert.throws(() => refuseLoop(start, all, "test"), error, texts.join(", "));
    }
  }
});

test("what does not lead back is no loop", () => {
  const ways: readonly (readonly string[])[] = [
    ["tcp://127.0.0.1:5 -> tcp://127.0.0.1:6"],
    ["tcp://127.0.0.1:5 -> tcp://127.0.0.2:5"],
    ["tcp://127.0.0.1:5 -> tcp://[::1]:5"],
    ["tcp://0.0.0.0:5 -> tcp://[::1]:5"],
    ["tcp://0.0.0.0:5 -> tcp://192.0.2.1:5"],
    ["tcp://127.0.0.1:0 -> tcp://127.0.0.1:5"],
    ["tcp://127.0.0.1:5 -> tcp://127.0.0.1:6", "tcp://127.0.0.1:6 -> tcp://127.0.0.1:7"],
    ["tcp://127.0.0.1:5 -> tcp://127.0.0.1:6", "udp://127.0.0.1:6 -> udp://127.0.0.1:5"],
    ["unix:/a -> unix:/b", "unix:/b -> unix:/c"],
  ];
  for (const texts of ways) {
    const all = routes(...texts);
    for (const start of all) refuseLoop(start, all, "test");
  }
  // A loop of others is told to those that make it.
  const [outside, ...others] = routes("unix:/x -> unix:/b", "unix:/b -> unix:/c", "unix:/c -> unix:/b");
  refuseLoop(outside, others, "test");
});
