import { expect, test } from "vitest";
import { newRandom } from "./dice.ts";

test.each([0, 1, -1, 0x9e3779b9, 2 ** 32 - 1, 0.5])("from seed %d every slot is drawn about as often as any other", (seed) => {
  const random = newRandom(seed);
  const drawn = new Uint32Array(64);
  const throws = 64_000;
  for (let i = 0; i < throws; i++) {
    const value = random();
    expect(value >= 0 && value < 1).toBe(true);
    drawn[Math.floor(value * 64)]!++;
  }
  // 1,000 each; five standard deviations
  expect(Math.min(...drawn)).toBeGreaterThan(840);
  expect(Math.max(...drawn)).toBeLessThan(1160);
});

test("seeds make different rows", () => {
  const first = (seed: number) => Array.from({ length: 4 }, newRandom(seed));
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
});
