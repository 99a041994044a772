import assert from "node:assert/strict";
import { test } from "node:test";
import { coloursFor } from "../colours.ts";
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
const perfect = { received: 1_000_000, distinct: 1_000_000, lost: 0, twice: 0, outOfOrder: 0, damaged: 0 };
const series: SeriesResult = {
  tcp: { tally: perfect, faults: { pieces: 99_999, cuts: 99_999, merges: 9_999, stalls: 999 } },
  udp: {
    tally: { ...perfect, distinct: 949_990, lost: 50_010, twice: 9_999, outOfOrder: 19_999 },
    faults: { taken: 1_000_000, forwarded: 959_999, dropped: 50_000, doubled: 9_999, reordered: 19_999 },
  },
};
const line = { tcp: { line: "HOLA, PLAZA", rttMs: 1234.56 }, udp: { line: "HOLA, PLAZA", rttMs: 0.04 } };

function screens(colours: typeof plain): string {
  return [
    opening(colours, 4_294_967_295),
    lineScreen(colours, addresses, 4_194_304, "hola, plaza", line),
    seriesOpening(colours, 1_000_000),
    seriesScreen(colours, 1_000_000, series),
  ].join("\n");
}

test("it fits a terminal of 80 by 24, however large the numbers are", () => {
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

test("what this machine lost beside the relay is told", () => {
  assert.match(screens(plain), /10 more were lost by this machine/);
  const udp = { ...series.udp, tally: { ...series.udp.tally, lost: 50_000 } };
  assert.doesNotMatch(seriesScreen(plain, 1_000_000, { ...series, udp }), /by this machine/);
});
