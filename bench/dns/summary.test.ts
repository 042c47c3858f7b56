import { expect, test } from "vitest";
import { compare, figuresOf, type Run } from "./summary.ts";

const run = (round: number, who: string, cpuMicros: number, workload = "ecs"): Run => ({
  round,
  workload,
  who,
  values: { cpuMicros, qps: 1e6 / cpuMicros },
});

test("a figure is the median of the runs that counted, and says how many there were", () => {
  const runs = [run(0, "gdnsd", 3), run(1, "gdnsd", 5), run(2, "gdnsd", 4), run(0, "knot", 6), run(0, "gdnsd", 9, "plain")];
  expect(figuresOf(runs)).toEqual([
    { workload: "ecs", who: "gdnsd", values: { runs: 3, cpuMicros: 4, qps: 250_000 } },
    { workload: "ecs", who: "knot", values: { runs: 1, cpuMicros: 6, qps: 1e6 / 6 } },
    { workload: "plain", who: "gdnsd", values: { runs: 1, cpuMicros: 9, qps: 1e6 / 9 } },
  ]);
});

test("a ratio pairs runs of one round, so that a slow hour hits both", () => {
  const runs = [run(0, "globalroute", 3), run(0, "gdnsd", 3.6), run(1, "globalroute", 6), run(1, "gdnsd", 7.2), run(2, "gdnsd", 50)];
  const [less] = compare(runs, { workload: "ecs", ours: "globalroute", value: "cpuMicros", better: "less" });
  expect(less).toMatchObject({ workload: "ecs", peer: "gdnsd", pairs: 2 });
  expect(less?.ratio.median).toBeCloseTo(1.2);
  const [more] = compare(runs, { workload: "ecs", ours: "globalroute", value: "qps", better: "more" });
  expect(more?.ratio.median).toBeCloseTo(1.2);
});

test("a peer without a pair is not compared, nor one of another workload", () => {
  const runs = [run(0, "globalroute", 3), run(1, "gdnsd", 3), run(0, "knot", 3, "plain")];
  expect(compare(runs, { workload: "ecs", ours: "globalroute", value: "cpuMicros", better: "less" })).toEqual([]);
});
