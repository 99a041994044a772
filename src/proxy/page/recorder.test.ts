import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultProxies, ProxyRecording, WriteCapture } from "../public.ts";
import { Recorder } from "./recorder.ts";

test("a capture that is full has no gap: it is a beginning of the whole", () => {
  let write: WriteCapture = () => undefined;
  const schedule = { format: 1, faults: [] } as const;
  const recording: ProxyRecording = { beganAtMs: 5, schedule, dropped: 0, stop: () => schedule };
  const running: Pick<FaultProxies, "record" | "capture"> = {
    record: () => recording,
    capture(given) {
      write = given;
      return () => undefined;
    },
  };
  const recorder = new Recorder(running as FaultProxies);
  recorder.begin({});
  write(Buffer.alloc(33_554_000, "a"), "packet");
  write(Buffer.alloc(1_000, "b"), "head");
  write(Buffer.alloc(10, "c"), "packet");
  assert.equal(recorder.capture.length, 33_554_000);
  assert.equal(recorder.row.state, "on");
  assert.deepEqual(recorder.captured, { bytes: 33_554_000, lost: 2 });
  recorder.stop();
  assert.equal(recorder.schedule, schedule);
  recorder.begin({});
  assert.equal(recorder.capture.length, 0);
});
