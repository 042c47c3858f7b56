import { expect, test } from "vitest";
import { atMost, chosen, grown, grownOnce, metricNames } from "./promql.ts";

test.each([
  [
    'sum by (le, leg) (rate(globalroute_failover_leg_seconds_bucket{leg="globalroute_x"}[5m]))',
    ["globalroute_failover_leg_seconds_bucket"],
  ],
  ["up == 0 and on (job, instance) last_over_time(globalroute_build_info[1d])", ["globalroute_build_info", "up"]],
  ["job:globalroute_dns_errors:ratio_rate1h > 0.0144", ["job:globalroute_dns_errors:ratio_rate1h"]],
  ["up", ["up"]],
  [
    "rate(process_cpu_seconds_total[1m]) + nodejs_eventloop_lag_p99_seconds",
    ["nodejs_eventloop_lag_p99_seconds", "process_cpu_seconds_total"],
  ],
  ["sum(backup) or vector(0)", []],
])("metrics of %s", (expression, names) => expect(metricNames(expression)).toEqual(names));

test("what is chosen goes before further matchers", () => {
  expect(chosen("x", 'a="b"')).toBe('x{namespace=~"$namespace",job=~"$job",a="b"}');
  expect(chosen("x")).toBe('x{namespace=~"$namespace",job=~"$job"}');
});

test("growth is a difference, and the whole of what is new", () => {
  expect(grown("x", "1h")).toBe("((x - x offset 1h) >= 0 or x)");
  expect(grownOnce("x", "1h", "")).toBe("max by () (sum by (instance) (((x - x offset 1h) >= 0 or x)))");
});

test("bounds are found in both formats, and no others", () => {
  const pattern = new RegExp(`^${/"(.*)"/.exec(atMost(15))![1]!.replaceAll("\\\\", "\\")}$`);
  expect(["15", "15.0", "150", "15x0", "1"].map((bound) => pattern.test(bound))).toEqual([true, true, false, false, false]);
});
