/** Metrics as text, in the two formats that Prometheus reads. Pure. */

/** `Text`: the Prometheus text format 0.0.4. `OpenMetrics`: OpenMetrics 1.0.0, which has exemplars. */
export type ExpositionFormat = "Text" | "OpenMetrics";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  Text: "text/plain; version=0.0.4; charset=utf-8",
  OpenMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export type MetricKind = "counter" | "gauge" | "histogram" | "summary";

/** What is said of a metric before its samples. */
export interface MetricHead {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
}

/** A metric with its label names; a histogram's `le` is not among them. */
export interface MetricFamily extends MetricHead {
  readonly labels: readonly string[];
  /** Of a histogram: the upper bounds of its buckets, without +Inf. */
  readonly buckets?: readonly number[];
  readonly samples: () => Iterable<Sample>;
  /** The lines of `samples`, where there are so many that they are kept; alike in both formats. */
  readonly kept?: () => Iterable<KeptBlock>;
}

export interface KeptBlock {
  /** Whole lines. */
  readonly bytes: Uint8Array;
  /** How many of them had to be written just now. */
  readonly written: number;
}

export interface Sample {
  /** The metric's own name, or that with `_bucket`, `_sum` or `_count` behind it. */
  readonly name: string;
  /** Labels whose value is undefined are left out. */
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

/** One observation that tells where to look further (OpenMetrics 1.0.0, “Exemplars”). */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Seconds since the epoch, if known. */
  readonly at?: number;
}

/** Characters that the names and values of an exemplar's labels may have together (OpenMetrics 1.0.0). */
export const EXEMPLAR_CHARACTERS = 128;

/**
 * What a scraper would rather have, by its Accept field (RFC 9110 §12.5.1).
 *
 * @param accept undefined or empty: anything
 * @returns OpenMetrics only where it is asked for by name in a version that we write, and not less wanted than the text format
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let openMetrics = 0;
  let text: number | undefined;
  let anything = 0;
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const given = new Map(parameters.map((parameter): [string, string] => parameterOf(parameter)));
    const weight = weightOf(given.get("q"));
    if (type === "application/openmetrics-text" && (given.get("version") ?? "1.0.0") === "1.0.0")
      openMetrics = Math.max(openMetrics, weight);
    else if (type === "text/plain") text = Math.max(text ?? 0, weight);
    else if (type === "*/*" || type === "text/*") anything = Math.max(anything, weight);
  }
  return openMetrics > 0 && openMetrics >= (text ?? anything) ? "OpenMetrics" : "Text";
}

function parameterOf(text: string): [string, string] {
  const [name = "", value = ""] = text.split("=", 2);
  return [name.trim(), value.trim().replace(/^"(.*)"$/, "$1")];
}

/** RFC 9110 §12.4.2; what is no number counts as 1. */
const weightOf = (q: string | undefined): number => (q !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 1);

/** The HELP and TYPE lines. In OpenMetrics a counter is named without the `_total` of its samples. */
export function formatHead({ name, help, kind }: MetricHead, format: ExpositionFormat): string {
  const family = format === "OpenMetrics" && kind === "counter" ? name.replace(/_total$/, "") : name;
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${family} ${format === "OpenMetrics" ? text.replaceAll('"', '\\"') : text}\n# TYPE ${family} ${kind}\n`;
}

/** One line, with its end. */
export function formatSample({ name, labels, value, exemplar }: Sample, format: ExpositionFormat): string {
  const plain = `${name}${formatLabels(labels, format)} ${formatNumber(value)}`;
  if (exemplar === undefined || format === "Text") return `${plain}\n`;
  const pairs = formatLabels(exemplar.labels, format);
  const at = exemplar.at === undefined ? "" : ` ${exemplar.at.toFixed(3)}`;
  return `${plain} # ${pairs === "" ? "{}" : pairs} ${formatNumber(exemplar.value)}${at}\n`;
}

/** What stands behind the last metric. */
export const formatEnd = (format: ExpositionFormat): string => (format === "OpenMetrics" ? "# EOF\n" : "");

function formatLabels(labels: Sample["labels"], format: ExpositionFormat): string {
  let pairs = "";
  for (const name in labels) {
    const value = labels[name];
    if (value === undefined) continue;
    const text = typeof value === "string" ? escapeValue(value) : name === "le" ? formatBound(value, format) : formatNumber(value);
    pairs += `${pairs === "" ? "" : ","}${name}="${text}"`;
  }
  return pairs === "" ? "" : `{${pairs}}`;
}

/** Most label values need no escape: looking is cheaper than replacing. */
const escapeValue = (text: string): string =>
  /["\\\n]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"') : text;

/** A bucket's bound. OpenMetrics wants them to look like floating-point numbers, so that `1` and `1.0` are never two series. */
const formatBound = (value: number, format: ExpositionFormat): string =>
  format === "OpenMetrics" && Number.isInteger(value) ? `${value}.0` : formatNumber(value);

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
