import { describe, expect, test } from "vitest";
import { quantile } from "../support/report.ts";
import { createPacer, type Pacer } from "./pacer.ts";

const WINDOW = { rate: 1000, connections: 2, start: 0, measureFrom: 100, end: 1000 };

/** A server that answers after `delay(now)` ms, looked at each tenth of a millisecond, for a while longer than requests are due. */
function simulate(delay: (now: number) => number): { readonly pacer: Pacer; readonly sent: number } {
  let now = 0;
  let sent = 0;
  const answers: { readonly connection: number; readonly at: number }[] = [];
  const pacer = createPacer(WINDOW, (connection) => {
    sent++;
    answers.push({ connection, at: now + delay(now) });
  });
  for (let tick = 0; tick < 15_000; tick++) {
    now = tick / 10;
    for (let i = answers.length - 1; i >= 0; i--) if (answers[i]!.at <= now) pacer.answered(answers.splice(i, 1)[0]!.connection, now);
    pacer.tick(now);
  }
  return { pacer, sent };
}

describe("a constant rate", () => {
  test("a request each millisecond, whose latency is what the server took", () => {
    const { pacer, sent } = simulate(() => 0.5);
    const { due, latencies } = pacer.result();
    const answered = latencies.length;
    expect({ sent, due, answered, isOver: pacer.isOver() }).toEqual({ sent: 1000, due: 900, answered: 900, isOver: true });
    expect(quantile(latencies, 0)).toBeGreaterThan(499);
    expect(quantile(latencies, 1)).toBeLessThan(700);
  });

  test("who stands still for 50 ms is charged for all that was due meanwhile, not for two requests", () => {
    const { pacer } = simulate((now) => (now >= 200 && now < 250 ? 250 - now : 0.5));
    const { latencies } = pacer.result();
    expect(latencies).toHaveLength(900);
    expect(latencies.filter((latency) => latency > 2000).length).toBeGreaterThan(45);
    expect(quantile(latencies, 1)).toBeGreaterThan(45_000);
  });

  test("no connection has two requests, and what is never answered is due all the same", () => {
    const { pacer, sent } = simulate(() => Number.POSITIVE_INFINITY);
    expect(sent).toBe(2);
    expect(pacer.isOver()).toBe(false);
    expect(pacer.result()).toEqual({ due: 900, latencies: [] });
  });
});
