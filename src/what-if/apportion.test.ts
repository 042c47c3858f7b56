import fc from "fast-check";
import { expect, test } from "vitest";
import { apportion } from "./apportion.ts";

test.each([
  { name: "exact shares", shares: [1, 2, 1], seats: 8, given: [2, 4, 2] },
  { name: "the largest remainder gets the seat that is left", shares: [10, 6, 5], seats: 10, given: [5, 3, 2] },
  { name: "the first of equal remainders", shares: [1, 1], seats: 3, given: [2, 1] },
  { name: "nobody with a share goes without", shares: [1000, 1], seats: 3, given: [3, 1] },
  { name: "no share, no seat", shares: [0, 3], seats: 2, given: [0, 2] },
  { name: "no shares at all", shares: [0, 0], seats: 2, given: [0, 0] },
])("$name", ({ shares, seats, given }) => expect(apportion(shares, seats)).toEqual(given));

test("seats keep to the quota: less than one from the exact share", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 10_000 }),
      (shares, seats) => {
        const sum = shares.reduce((total, share) => total + share, 0);
        const given = apportion(shares, seats);
        return given.every((one, i) => Math.abs(one - (shares[i]! / sum) * seats) < 1 || one === 1);
      },
    ),
  );
});
