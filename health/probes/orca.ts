/**
 * The load that an endpoint reports of itself: the `endpoint-load-metrics` header of ORCA, in its TEXT and JSON forms
 * (https://github.com/cncf/xds/blob/main/xds/data/orca/v3/orca_load_report.proto). Pure.
 */

export const ORCA_HEADER = "endpoint-load-metrics";

/** `TEXT application_utilization=0.42, …` or `JSON {"application_utilization": 0.42}`; 1 = full, more is possible. @returns undefined when absent or malformed */
export function applicationUtilization(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === "string" ? header : header?.[0];
  if (text === undefined) return undefined;
  const space = text.indexOf(" ");
  const format = text.slice(0, space);
  const report = text.slice(space + 1);
  const value = format === "TEXT" ? fromPairs(report) : format === "JSON" ? fromJson(report) : undefined;
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function fromPairs(report: string): number | undefined {
  for (const pair of report.split(",")) {
    const [name, value] = pair.split("=", 2);
    if (name?.trim() === "application_utilization" && value !== undefined && value.trim() !== "") return Number(value);
  }
  return undefined;
}

function fromJson(report: string): number | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(report);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  // proto3's JSON mapping names the field in camel case; senders use both
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const value = fields.get("application_utilization") ?? fields.get("applicationUtilization");
  return typeof value === "number" ? value : undefined;
}
