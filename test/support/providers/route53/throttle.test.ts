import { expect, test } from "vitest";
import { DEFAULT_RATES } from "./limits.ts";
import { createThrottle } from "./throttle.ts";

const admitted = (most: number, admit: () => boolean): number => {
  for (let count = 0; count < most; count++) if (!admit()) return count;
  return most;
};

test("a bucket gives its burst, and then what it gains", () => {
  let now = 0;
  const throttle = createThrottle(DEFAULT_RATES, () => now);
  expect(admitted(100, () => throttle.admitRequest("GetHealthCheckStatus"))).toBe(4);
  expect(admitted(100, () => throttle.admitRequest("GetChange"))).toBe(46); // the account's 50, of which 4 are gone
  now = 2000;
  expect(admitted(100, () => throttle.admitRequest("GetHealthCheckStatus"))).toBe(2);
  expect(admitted(100, () => throttle.admitRequest("GetChange"))).toBe(18);
  now = 3_600_000;
  expect(admitted(100, () => throttle.admitRequest("CreateHealthCheck"))).toBe(50);
});

test("changes have a bucket of their own, which a batch larger than it empties", () => {
  let now = 0;
  const throttle = createThrottle({ ...DEFAULT_RATES, changes: { burst: 500, perSecond: 100 } }, () => now);
  expect(throttle.admitChanges(1000)).toBe(true);
  expect(throttle.admitChanges(1)).toBe(false);
  now = 1000;
  expect(throttle.admitChanges(100)).toBe(true);
  expect(throttle.admitChanges(1)).toBe(false);
});
