/** Figures as text in the OpenMetrics format 1.0, which Prometheus and others read. */

/** One figure. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly value: number;
  /** What stands behind the name of the family. Default: what its type asks for. */
  readonly suffix?: string | undefined;
}

/** Figures of one kind. */
export interface MetricFamily {
  /** Ends with its unit, `_bytes` or `_seconds`, where there is one. A counter has `_total` behind it in the text. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  /** One sentence without a full stop. */
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

const SUFFIXES: Readonly<Record<MetricFamily["type"], string>> = {
  counter: "_total",
  gauge: "",
  histogram: "",
  info: "_info",
};

/** A family of one counter. */
export function counter(name: string, help: string, value: number): MetricFamily {
  return { name, type: "counter", help, samples: [{ value }] };
}

/** A family of one gauge. */
export function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, type: "gauge", help, samples: [{ value }] };
}

/** The samples of one histogram. `counts` has one number for each of the bounds, and one for what is above all. */
export function histogramSamples(
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  counts: ArrayLike<number>,
  sum: number,
): readonly MetricSample[] {
  let count = 0;
  const buckets = [...bounds, Infinity].map((bound, index) => {
    count += counts[index] ?? 0;
    return { labels: { ...labels, le: shownBound(bound) }, value: count, suffix: "_bucket" };
  });
  return [...buckets, { labels, value: count, suffix: "_count" }, { labels, value: sum, suffix: "_sum" }];
}

/** The families of several sources as one list: each name once, and the labels of its source at each sample. */
export function mergedFamilies(
  sources: readonly { readonly labels: Readonly<Record<string, string>>; readonly families: readonly MetricFamily[] }[],
): readonly MetricFamily[] {
  const merged = new Map<string, MetricFamily>();
  for (const { labels, families } of sources) {
    for (const family of families) {
      const samples = family.samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } }));
      const before = merged.get(family.name)?.samples ?? [];
      merged.set(family.name, { ...family, samples: [...before, ...samples] });
    }
  }
  return [...merged.values()];
}

/** The text of some families, each with a name of its own. Those without samples are left out. */
export function openMetricsText(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# TYPE ${name} ${type}`);
    const unit = /_(bytes|seconds)$/.exec(name)?.[1];
    if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
    lines.push(`# HELP ${name} ${escaped(help)}`);
    for (const { labels = {}, value, suffix = SUFFIXES[type] } of samples) {
      lines.push(`${name}${suffix}${shownLabels(labels)} ${value}`);
    }
  }
  return [...lines, "# EOF", ""].join("\n");
}

/** A bound is written as a decimal fraction: two programs must write the same one alike. */
function shownBound(bound: number): string {
  if (bound === Infinity) return "+Inf";
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

function shownLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
