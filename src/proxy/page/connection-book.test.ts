import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Address } from "../../core/address/address.ts";
import type { FaultProxies, ProxiedConnection } from "../public.ts";
import { ConnectionBook } from "./connection-book.ts";

const client = Address.parse("tcp://127.0.0.1:1");

/** Proxies with connections that opened at these times. */
function bookOf(times: readonly (readonly number[])[]): ConnectionBook {
  const proxies = times.map((opened, index) => {
    const connections = opened.map((openedAtMs, at): ProxiedConnection => {
      return { number: at + 1, client, openedAtMs, bytesToServer: 0, bytesToClient: 0 };
    });
    return [`p${index}`, { name: `p${index}`, connections }] as const;
  });
  return new ConnectionBook({ proxies: new Map(proxies) } as unknown as FaultProxies);
}

test("the newest hundred of all proxies are told, whatever their order, and how many more there are", () => {
  const times = fc.array(fc.array(fc.nat(300), { maxLength: 150 }), { maxLength: 4 });
  fc.assert(
    fc.property(times, (opened) => {
      const { connections, more } = bookOf(opened).rows();
      const newest = opened.flat().sort((one, other) => other - one);
      assert.deepEqual(
        connections.map(({ openedAtMs }) => openedAtMs),
        newest.slice(0, 100),
      );
      assert.equal(connections.length + more, newest.length);
      const names = connections.map(({ proxy, number }) => `${proxy} ${number}`);
      assert.equal(new Set(names).size, names.length);
    }),
  );
});

test("a look at many connections makes rows for the newest ones alone", () => {
  let shown = 0;
  const connections = Array.from({ length: 5000 }, (_, at) => ({
    number: at + 1,
    client,
    openedAtMs: at,
    bytesToClient: 0,
    get bytesToServer(): number {
      shown += 1;
      return 0;
    },
  }));
  const proxies = new Map([["p", { name: "p", connections }]]);
  const { more } = new ConnectionBook({ proxies } as unknown as FaultProxies).rows();
  assert.deepEqual([shown, more], [100, 4900]);
});
