import { describe, expect, test } from "vitest";
import { ms } from "../../../model/units.ts";
import { ClientConduct } from "./client-conduct.ts";

const LIMITS = { faults: { burst: 3, perSecond: 1 }, debt: 5, waiting: 9 };
const times = (count: number, what: () => boolean): readonly boolean[] => Array.from({ length: count }, what);

test("faults within the allowance are answered at once, those beyond it late, and time brings the allowance back", () => {
  const conduct = new ClientConduct(LIMITS);
  expect(times(5, () => conduct.fault("a", ms(0)))).toEqual([false, false, false, true, true]);
  expect(conduct.fault("b", ms(0))).toBe(false);
  expect(times(2, () => conduct.fault("a", ms(3000)))).toEqual([false, true]);
  expect(times(4, () => conduct.fault("a", ms(60_000)))).toEqual([false, false, false, true]);
});

describe("who goes on beyond its debt is not listened to", () => {
  test("until it has kept still, and others are", () => {
    const conduct = new ClientConduct(LIMITS);
    for (let i = 0; i < 8; i++) {
      expect(conduct.isShunned("a", ms(0))).toBe(false);
      conduct.fault("a", ms(0));
    }
    expect([conduct.isShunned("a", ms(0)), conduct.isShunned("b", ms(0))]).toEqual([true, false]);
    expect(conduct.isShunned("a", ms(1000))).toBe(false);
    conduct.fault("a", ms(1000));
    expect(conduct.isShunned("a", ms(1000))).toBe(true);
  });

  test("what its open connections still do counts, though not without bound", () => {
    const conduct = new ClientConduct(LIMITS);
    for (let i = 0; i < 1000; i++) conduct.fault("a", ms(0), 20);
    expect(conduct.isShunned("a", ms(5999))).toBe(true);
    expect(conduct.isShunned("a", ms(6001))).toBe(false);
  });

  test("so a flood gets no more faults in than its allowance, its debt, and what time brings", () => {
    const conduct = new ClientConduct(LIMITS);
    let faults = 0;
    for (let now = 0; now < 100_000; now += 10) {
      if (conduct.isShunned("a", ms(now))) continue;
      conduct.fault("a", ms(now));
      faults++;
    }
    expect(faults).toBeLessThanOrEqual(3 + 5 + 100);
    expect(faults).toBeGreaterThan(3 + 5 + 90);
  });
});

test("clients are remembered while it matters, and no longer", () => {
  const conduct = new ClientConduct(LIMITS);
  for (let i = 0; i < 100; i++) conduct.fault(`client ${i}`, ms(0));
  expect(conduct.clients).toBe(100);
  const FORGOTTEN = 1000 * (3 + 2 * 5);
  for (let i = 0; i < 8; i++) conduct.fault("a", ms(1));
  expect(conduct.isShunned("a", ms(1))).toBe(true);
  conduct.fault("b", ms(FORGOTTEN));
  expect(conduct.clients).toBe(102);
  conduct.fault("b", ms(2 * FORGOTTEN));
  expect(conduct.clients).toBe(1);
});

test("a flood of clients pushes out the oldest, not the memory", () => {
  const conduct = new ClientConduct(LIMITS);
  for (let i = 0; i < 250_000; i++) conduct.fault(`client ${i}`, ms(0));
  expect(conduct.clients).toBeLessThanOrEqual(200_000);
});
