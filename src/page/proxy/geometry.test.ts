import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowRow, PieceRow } from "../../proxy/page/wire.ts";
import type { KeptRow } from "./flow-store.ts";
import { drawingOf, lineOf, type Mark, MARGIN, nearest, type Target } from "./geometry.ts";

/** A pixel is ten milliseconds. */
const VIEW = { fromMs: 0, toMs: 4000, width: 400, height: 400 };

function row(atMs: number, pieces: readonly PieceRow[], more: Partial<FlowRow> = {}): FlowRow {
  return { id: 1, atMs, kind: "chunk", way: "toServer", size: 10, pieces, ...more };
}

function marksOf(...rows: readonly KeptRow[]): readonly string[] {
  const { paths } = drawingOf(rows, VIEW, () => "");
  return (Object.keys(paths) as Mark[]).filter((mark) => paths[mark] !== "");
}

test("the slope of an arrow is its delay", () => {
  const { targets, paths } = drawingOf([row(1000, [{ bytes: 10, leavesAtMs: 1500 }])], VIEW, () => "");
  const [target] = targets;
  assert.deepEqual([target?.x1, target?.y1, target?.x2, target?.y2], [MARGIN, 100, 400 - MARGIN, 150]);
  assert.equal(paths.toServer, "M56 100L344 150");
  const back = drawingOf([row(1000, [{ bytes: 10, leavesAtMs: 1000 }], { way: "toClient" })], VIEW, () => "");
  assert.equal(back.paths.toClient, "M344 100L56 100");
});

test("each fate has a mark of its own", () => {
  assert.deepEqual(marksOf(row(0, [{ bytes: 9, leavesAtMs: 5 }])), ["toServer", "toServerHead"]);
  assert.deepEqual(marksOf(row(0, [{ bytes: 9, lostTo: "loss" }])), ["lost", "cross"]);
  assert.deepEqual(marksOf(row(0, [{ bytes: 9, leavesAtMs: 200, losses: 1, lostTo: "loss" }])), [
    "toServerHead",
    "repeated",
    "cross",
  ]);
  assert.ok(marksOf(row(0, [{ bytes: 9, leavesAtMs: 5, flippedBit: 3 }])).includes("flip"));
  assert.ok(marksOf(row(0, [{ bytes: 9, leavesAtMs: 5 }], { outcome: "cut" })).includes("cut"));
  assert.deepEqual(marksOf({ id: 1, atMs: 50, kind: "reset" }), ["bolt", "moment"]);
  assert.deepEqual(marksOf({ id: 1, atMs: 50, kind: "open" }), ["moment"]);
  assert.ok(marksOf(row(0, [{ bytes: 0, leavesAtMs: 9 }], { kind: "end" })).includes("end"));
});

test("what silence holds back waits in the middle, and goes on from there", () => {
  const held = row(1000, [{ bytes: 9, leavesAtMs: 1000 }], { isHeld: true });
  assert.deepEqual(marksOf(held), ["held", "pause"]);
  const later = { ...VIEW, fromMs: 2000, toMs: 6000 };
  const waiting = drawingOf([held], later, () => "");
  assert.equal(waiting.paths.held, "M56 -100H200V400", "in sight for as long as it waits");
  const passed = { ...held, heldUntilMs: 3000, pieces: [{ bytes: 9, leavesAtMs: 3500 }] };
  const { paths, targets } = drawingOf([passed], later, () => "");
  assert.deepEqual([paths.held, paths.toServer], ["M56 -100H200V100", "M200 100L344 150"]);
  assert.equal(lineOf(targets[0] as Target), "M56 -100H200V100L344 150");
  for (const [x, y] of [
    [200, 50],
    [300, 128],
  ] as const)
    assert.equal(nearest(targets, x, y), targets[0]);
  assert.equal(nearest(targets, 300, 50), undefined);
  assert.deepEqual(marksOf({ ...held, heldUntilMs: 3000, pieces: [{ bytes: 9 }] }), ["cross", "held", "pause"]);
});

test("a doubled datagram is two arrows", () => {
  const doubled = row(
    0,
    [
      { bytes: 9, leavesAtMs: 10 },
      { bytes: 9, leavesAtMs: 400 },
    ],
    { kind: "datagram" },
  );
  assert.equal(drawingOf([doubled], VIEW, () => "").targets.length, 2);
});

test("of a hundred thousand arrows no more are drawn than can be told apart", () => {
  const rows = Array.from({ length: 100_000 }, (_, index) =>
    row(index / 25, [{ bytes: 9, leavesAtMs: index / 25 + (index % 7) * 30 }]),
  );
  const { targets, labels } = drawingOf(rows, VIEW, () => "9 B");
  assert.ok(targets.length <= 6000, `${targets.length}`);
  assert.ok(labels.length <= 28, `${labels.length}`);
});

test("labels stand beside the lines of life, where no arrow goes, whole and apart", () => {
  const rows = Array.from({ length: 400 }, (_, index) => {
    const more = { id: index, way: index % 3 === 0 ? "toClient" : "toServer" } as const;
    return row(index * 10, [{ bytes: 9, leavesAtMs: index * 10 + 40 }], more);
  });
  const { labels } = drawingOf(rows, VIEW, ({ way }) => way ?? "");
  for (const way of ["toServer", "toClient"] as const) {
    const own = labels.filter((label) => label.way === way);
    assert.ok(own.length > 20, `${own.length}`);
    for (const [index, { x, y, text }] of own.entries()) {
      assert.equal(text, way);
      assert.ok(way === "toServer" ? x < MARGIN : x > VIEW.width - MARGIN, `${x}`);
      // 11 pixels high, above its baseline.
      assert.ok(y - 11 >= 0 && y <= VIEW.height, `${y}`);
      assert.ok(y - (own[index - 1]?.y ?? -99) >= 11, `${y}`);
    }
  }
});

test("what is out of sight is not drawn; an arrow that comes in from above is", () => {
  const view = { ...VIEW, fromMs: 1000, toMs: 2000 };
  const rows = [row(0, [{ bytes: 1, leavesAtMs: 500 }]), row(900, [{ bytes: 1, leavesAtMs: 1100 }]), row(3000, [])];
  assert.equal(drawingOf(rows, view, () => "").targets.length, 1);
});

test("the arrow next to the pointer is found", () => {
  const { targets } = drawingOf(
    [row(1000, [{ bytes: 1, leavesAtMs: 1000 }]), row(2000, [{ bytes: 2, leavesAtMs: 3000 }])],
    VIEW,
    () => "",
  );
  assert.equal(nearest(targets, 200, 103)?.piece?.bytes, 1);
  assert.equal(nearest(targets, 200, 250)?.piece?.bytes, 2);
  assert.equal(nearest(targets, 200, 150), undefined);
});

test("a time of which nothing is known is a field, as far as it is in sight", () => {
  const gaps = [
    { fromMs: -9000, toMs: 500 },
    { fromMs: 1000, toMs: 2000 },
    { fromMs: 5000, toMs: 6000 },
  ];
  assert.equal(drawingOf([], VIEW, () => "", gaps).paths.gap, "M56 0H344V50H56ZM56 100H344V200H56Z");
});
