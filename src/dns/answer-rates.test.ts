import { expect, test } from "vitest";
import { createAnswerRates } from "./answer-rates.ts";

function world() {
  const counts = new Float64Array(4);
  let now = 0;
  const rates = createAnswerRates({ counts: () => counts.slice(), names: ["", "eu", "us"], now: () => now });
  return {
    rates,
    second(eu: number, us: number, other = 0) {
      counts[0]! += other;
      counts[1]! += eu;
      counts[2]! += us;
      now += 1000;
      rates.tick();
    },
  };
}

test("nothing is said before there are two readings", () => {
  const { rates, second } = world();
  expect(rates.read().size).toBe(0);
  second(5, 5);
  expect(rates.read().size).toBe(0);
});

test("the mean of the last five seconds, and nothing older", () => {
  const { rates, second } = world();
  second(1_000_000, 0);
  for (let i = 0; i < 5; i++) second(10, i, 99);
  expect(rates.read()).toEqual(
    new Map([
      ["eu", 10],
      ["us", 2],
    ]),
  );
  for (let i = 0; i < 5; i++) second(0, 0);
  expect(rates.read().get("eu")).toBe(0);
});
