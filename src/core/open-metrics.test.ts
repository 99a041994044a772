import assert from "node:assert/strict";
import { test } from "node:test";
import { gauge, histogramSamples, mergedFamilies, openMetricsText, type MetricFamily } from "./open-metrics.ts";

/* The format: https://prometheus.io/docs/specs/om/open_metrics_spec/ */

test("a counter, a gauge and an info have the suffixes and the lines of their types", () => {
  const families: readonly MetricFamily[] = [
    { name: "a_bytes", type: "counter", help: "Bytes", samples: [{ value: 3 }] },
    { name: "b", type: "gauge", help: "Things", samples: [{ labels: { state: "open" }, value: 1.5 }] },
    { name: "c", type: "info", help: "What it is", samples: [{ labels: { version: "1.0.0" }, value: 1 }] },
  ];
  const lines = [
    "# TYPE a_bytes counter",
    "# UNIT a_bytes bytes",
    "# HELP a_bytes Bytes",
    "a_bytes_total 3",
    "# TYPE b gauge",
    "# HELP b Things",
    'b{state="open"} 1.5',
    "# TYPE c info",
    "# HELP c What it is",
    'c_info{version="1.0.0"} 1',
    "# EOF",
  ];
  assert.equal(openMetricsText(families), `${lines.join("\n")}\n`);
});

test("nothing but the end is said of no families, and of those without samples", () => {
  assert.equal(openMetricsText([]), "# EOF\n");
  assert.equal(openMetricsText([{ name: "a", type: "gauge", help: "Nothing", samples: [] }]), "# EOF\n");
});

test("backslashes, quotation marks and line feeds are escaped", () => {
  const labels = { text: 'a\\b"c\nd' };
  const text = openMetricsText([{ name: "a", type: "gauge", help: 'x\n"y"', samples: [{ labels, value: 0 }] }]);
  assert.ok(text.includes('# HELP a x\\n\\"y\\"\n'), text);
  assert.ok(text.includes('a{text="a\\\\b\\"c\\nd"} 0\n'), text);
});

test("the buckets of a histogram count up, and its bounds are decimal fractions", () => {
  const samples = histogramSamples({ method: "join" }, [0.5, 1, 10], [1, 0, 2, 4], 123.5);
  const text = openMetricsText([{ name: "a_seconds", type: "histogram", help: "Time", samples }]);
  const found = text.split("\n").filter((line) => !line.startsWith("#") && line !== "");
  assert.deepEqual(found, [
    'a_seconds_bucket{method="join",le="0.5"} 1',
    'a_seconds_bucket{method="join",le="1.0"} 1',
    'a_seconds_bucket{method="join",le="10.0"} 3',
    'a_seconds_bucket{method="join",le="+Inf"} 7',
    'a_seconds_count{method="join"} 7',
    'a_seconds_sum{method="join"} 123.5',
  ]);
});

test("families of several sources are one each, and each sample has the labels of its source", () => {
  const families = [gauge("connections", "Open connections", 1)];
  const merged = mergedFamilies([
    { labels: { server: "one" }, families },
    { labels: { server: "two" }, families: [...families, gauge("sessions", "Sessions", 2)] },
  ]);
  assert.equal(
    openMetricsText(merged),
    [
      "# TYPE connections gauge",
      "# HELP connections Open connections",
      'connections{server="one"} 1',
      'connections{server="two"} 1',
      "# TYPE sessions gauge",
      "# HELP sessions Sessions",
      'sessions{server="two"} 2',
      "# EOF",
      "",
    ].join("\n"),
  );
});
