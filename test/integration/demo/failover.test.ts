/** The nearest cluster breaks while a client asks every 50 ms. `test/integration/shows/failover.ts` measures the same over more runs. */
import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { watchAnswers } from "../../support/answer-watch.ts";
import { startDemo } from "../../support/demo.ts";
import { GERMANY, measureFailover, measureInFreshDemo, median } from "../../support/failover.ts";

const timelineAnswer = z.object({
  events: z.array(
    z.object({ kind: z.string(), object: z.string(), details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) }),
  ),
});

describe.each([
  { signal: "SIGKILL", runs: 3, limit: 3_000 },
  { signal: "SIGSTOP", runs: 2, limit: 5_000 },
] as const)("after $signal", ({ signal, runs, limit }) => {
  test(`answers move to the next nearest cluster within ${limit} ms, and none is ever empty, wrong or missing`, async () => {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const result = await measureInFreshDemo({ ...GERMANY, signal });
      expect(result).toMatchObject({ wrong: [], lost: 0 });
      times.push(result.milliseconds);
    }
    console.log(`${signal}: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
    expect(median(times)).toBeLessThan(limit);
  });
});

test("a cluster that comes back serves again only after failback.after; timeline and metrics tell the same story", async () => {
  const demo = await startDemo();
  const watch = await watchAnswers(demo.dnsPort, "shop.demo.example", GERMANY.subnet, 50);
  try {
    const moved = await measureFailover(demo, { ...GERMANY, signal: "SIGKILL" });
    const up = await demo.act("up", "eu-west");
    expect(up).toMatchObject({ code: 0, stderr: "" });
    const returned = performance.now();
    const back = await watch.until((sample) => sample.addresses[0] === GERMANY.from, 30_000);
    expect(back.asked - returned).toBeGreaterThan(9_500);
    expect(back.asked - returned).toBeLessThan(16_000);

    const { events } = timelineAnswer.parse(await (await fetch(`${demo.admin}/v1/timeline`)).json());
    const failovers = events.filter(
      (event) => event.kind === "Failover" && event.object === "GlobalRoute default/shop" && event.details.from === "eu-west",
    );
    expect(failovers).toHaveLength(1);
    const metrics = await (await fetch(`${demo.admin}/metrics`)).text();
    const counted = [...metrics.matchAll(/globalroute_failovers_total\{from="eu-west"[^}]*\} (\d+)/g)].map(([, count]) => Number(count));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(3); // the demo's three routes
    const seconds = Number(failovers[0]?.details.seconds);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds * 1000).toBeLessThan(moved.milliseconds + 100); // the first failed probe comes after the failure itself
    expect(watch.samples().filter((sample) => sample.addresses.length !== 1)).toEqual([]);
    expect(watch.lost()).toBe(0);
  } finally {
    watch.close();
    await demo.stop();
  }
});
