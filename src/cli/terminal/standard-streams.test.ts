import assert from "node:assert/strict";
import { test } from "node:test";
import { type DataInput, PatientInput } from "./standard-streams.ts";

/** An stdin that never says anything. */
function silentInput(isTerminal: boolean): DataInput {
  return {
    isTerminal,
    read: (signal) =>
      new Promise((_resolve, reject) => {
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      }),
  };
}

test("silence ends the reading only when the interest is lost, before or during a read", async () => {
  for (const when of ["before", "during"] as const) {
    const patient = new PatientInput(silentInput(true), []);
    if (when === "before") patient.loseInterest();
    const reading = patient.read();
    if (when === "during") patient.loseInterest();
    assert.equal(await reading, "silent");
    patient.release();
  }
});

test("what comes in spite of lost interest is given", async () => {
  const patient = new PatientInput({ isTerminal: false, read: () => Promise.resolve(Buffer.from("x")) }, []);
  patient.loseInterest();
  assert.equal(String(await patient.read()), "x");
});

test("a signal ends the reading with its reason, also one that was aborted before", async () => {
  const stop = new AbortController();
  const reading = new PatientInput(silentInput(false), [new AbortController().signal, stop.signal]).read();
  stop.abort(new Error("enough"));
  await assert.rejects(reading, { message: "enough" });
  await assert.rejects(new PatientInput(silentInput(false), [stop.signal]).read(), { message: "enough" });
});
