import { expect, test } from "vitest";
import { formatEnd, formatHead, formatSample, negotiateFormat } from "./exposition.ts";

test.each([
  ["nothing said", undefined, "Text"],
  ["anything", "*/*", "Text"],
  ["a browser", "text/html,application/xhtml+xml,*/*;q=0.8", "Text"],
  ["curl that asks for it", "application/openmetrics-text", "OpenMetrics"],
  [
    "Prometheus 2.42",
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "OpenMetrics",
  ],
  [
    "Prometheus 3",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "OpenMetrics",
  ],
  ["a version that we do not write", "application/openmetrics-text;version=0.0.1,text/plain;q=0.1", "Text"],
  ["text before OpenMetrics", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain", "Text"],
  ["anything but OpenMetrics", "application/openmetrics-text;q=0,*/*", "Text"],
  ["quoted and in capitals", 'Application/OpenMetrics-Text; Version="1.0.0"', "OpenMetrics"],
])("%s: %s", (_name, accept, format) => expect(negotiateFormat(accept)).toBe(format));

const counter = { name: "x_total", help: 'A "quoted" \\ help\nof two lines', kind: "counter" } as const;

test("a counter's family is named without _total in OpenMetrics alone, and its samples never", () => {
  expect(formatHead(counter, "Text")).toBe('# HELP x_total A "quoted" \\\\ help\\nof two lines\n# TYPE x_total counter\n');
  expect(formatHead(counter, "OpenMetrics")).toBe('# HELP x A \\"quoted\\" \\\\ help\\nof two lines\n# TYPE x counter\n');
  for (const format of ["Text", "OpenMetrics"] as const)
    expect(formatSample({ name: "x_total", labels: {}, value: 3 }, format)).toBe("x_total 3\n");
});

test("only OpenMetrics has exemplars, decimal bounds and an end", () => {
  const exemplar = { labels: { route: "default/shop", event_id: "7" }, value: 0.9, at: 1_700_000_000.5 };
  const sample = { name: "y_bucket", labels: { le: 1, leg: "detect" }, value: 2, exemplar };
  expect(formatSample(sample, "Text")).toBe('y_bucket{le="1",leg="detect"} 2\n');
  expect(formatSample(sample, "OpenMetrics")).toBe(
    'y_bucket{le="1.0",leg="detect"} 2 # {route="default/shop",event_id="7"} 0.9 1700000000.500\n',
  );
  expect([formatEnd("Text"), formatEnd("OpenMetrics")]).toEqual(["", "# EOF\n"]);
});

test("values that no number can say, and labels that need escapes", () => {
  expect(formatSample({ name: "z", labels: { a: 'x"\\\n', b: undefined, le: "+Inf" }, value: Number.NaN }, "Text")).toBe(
    'z{a="x\\"\\\\\\n",le="+Inf"} NaN\n',
  );
  expect(formatSample({ name: "z", labels: {}, value: Number.POSITIVE_INFINITY }, "OpenMetrics")).toBe("z +Inf\n");
});
