import assert from "node:assert/strict";
import { test } from "node:test";
import { coloursFor } from "../terminal/output.ts";
import type { SeriesResult } from "./experiment.ts";
import { keptScreen, lineScreen, opening, seriesOpening, seriesScreen } from "./screen.ts";

const plain = coloursFor({ isTTY: false });
const coloured = coloursFor({ isTTY: true, hasColors: () => true });
const addresses = {
  tcp: "tcp://127.0.0.1:65535",
  udp: "udp://127.0.0.1:65534",
  tcpCounter: "tcp://127.0.0.1:65533",
  udpCounter: "udp://127.0.0.1:65532",
};
const TOTAL = 100_000;
const perfect = { received: TOTAL, distinct: TOTAL, lost: 0, twice: 0, outOfOrder: 0, damaged: 0 };
const series: SeriesResult = {
  tcp: { tally: perfect, faults: { loss: 4_210, slicing: 82_400 } },
  udp: {
    tally: { ...perfect, distinct: 94_990, lost: 5_010, twice: 1_009, outOfOrder: 2_009 },
    faults: { loss: 5_000, duplication: 1_009, reordering: 2_009 },
  },
};
const line = { tcp: { line: "HOLA, PLAZA", rttMs: 1234.56 }, udp: { line: "HOLA, PLAZA", rttMs: 0.04 } };

function screens(colours: typeof plain): string {
  return [
    opening(colours, 4_294_967_295),
    lineScreen(colours, addresses, 4_194_304, "hola, plaza", line),
    seriesOpening(colours, TOTAL),
    seriesScreen(colours, TOTAL, series),
  ].join("\n");
}

test("it fits a terminal of 80 by 24, with ten times as many messages too", () => {
  const lines = screens(plain).trimEnd().split("\n");
  assert.ok(lines.length <= 24, String(lines.length));
  for (const text of lines) assert.ok(text.length < 80, text);
  for (const text of keptScreen(plain, addresses, "node dist/cli/main.js").split("\n"))
    assert.ok(text.length <= 80, text);
});

test("colours change nothing but colours", () => {
  const text = screens(coloured);
  assert.notEqual(text, screens(plain));
  // Spaces at the end of a line are painted too.
  const withoutColours = text.replaceAll(/\u001b\[\d+m/g, "").replaceAll(/ +$/gm, "");
  assert.equal(withoutColours, screens(plain));
});

test("what this machine lost beside the proxy is told", () => {
  assert.match(screens(plain), /10 more were lost by this machine/);
  const udp = { ...series.udp, tally: { ...series.udp.tally, lost: 5_000 } };
  assert.doesNotMatch(seriesScreen(plain, TOTAL, { ...series, udp }), /by this machine/);
});
