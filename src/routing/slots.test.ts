import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleSeats, oracleSlots } from "../../test/support/oracle/slots.ts";
import { hashText } from "./hash.ts";
import { apportion, buildSlots, type TierMember } from "./slots.ts";

const member = (weight: number, name: string): TierMember => ({ weight, hash: hashText(name) });
const named = (...weights: readonly number[]): TierMember[] => weights.map((weight, i) => member(weight, `cluster-${i}#0`));

describe("seats", () => {
  const cases = [
    { name: "equal weights of a power of two", weights: [1, 1, 1, 1], seats: 4096, owned: [1024, 1024, 1024, 1024] },
    { name: "3 to 1", weights: [300, 100], seats: 4096, owned: [3072, 1024] },
    { name: "one percent", weights: [99, 1], seats: 4096, owned: [4055, 41] },
    { name: "at least one each", weights: [1_000_000, 1], seats: 4096, owned: [4095, 1] },
    { name: "barely more seats than members", weights: [5, 1, 1], seats: 4, owned: [2, 1, 1] },
  ];
  test.each(cases)("$name", ({ weights, seats, owned }) => expect([...apportion(named(...weights), seats)]).toEqual(owned));

  test("Webster's, with every quotient sorted", () => {
    const weights = fc.array(fc.constantFrom(1, 2, 3, 50, 99, 100, 101, 10_000), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 9, max: 300 }), (all, seats) => {
        expect([...apportion(named(...all), seats)]).toEqual(oracleSeats(named(...all), seats));
      }),
      { numRuns: 300 },
    );
  });

  test("of realistic weights no share is further off than rounding takes it", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(weights, (all) => {
        const total = all.reduce((sum, weight) => sum + weight, 0);
        const { owned, bits } = buildSlots(named(...all));
        owned.forEach((own, i) => {
          // Webster rounds each quotient by half a seat at most; the divisor that makes them add up takes its part of the others' halves.
          const share = all[i]! / total;
          expect(Math.abs(own - share * 2 ** bits)).toBeLessThanOrEqual(0.5 + (share * all.length) / 2);
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe("slots", () => {
  test("equal the long-hand ones, owner by owner and rank by rank", () => {
    for (const weights of [
      [100, 100],
      [100, 50, 7],
      [1, 2, 3, 4, 5],
      [9999, 1],
    ]) {
      const { bits, owner, rank, owned } = buildSlots(named(...weights));
      const expected = oracleSlots(named(...weights));
      expect({ bits, owner: [...owner], rank: [...rank], owned: [...owned] }).toEqual(expected);
    }
  });

  test("a share below 1/400 gets a finer table", () => {
    expect(buildSlots(named(399, 1)).bits).toBe(12);
    expect(buildSlots(named(400, 1)).bits).toBe(16);
  });

  test("the order of members is irrelevant", () => {
    const members = named(100, 100, 50, 33, 100);
    const reordered = [3, 1, 4, 0, 2];
    const [one, other] = [buildSlots(members), buildSlots(reordered.map((i) => members[i]!))];
    expect([...other.owner].map((position) => reordered[position]!)).toEqual([...one.owner]);
    expect(other.rank).toEqual(one.rank);
  });

  test("only ratios count", () => {
    expect(buildSlots(named(1, 2, 3)).owner).toEqual(buildSlots(named(100, 200, 300)).owner);
  });

  test("a changed weight moves little more than the change", () => {
    const changes: readonly (readonly [readonly number[], readonly number[]])[] = [
      [
        [100, 100, 100],
        [110, 100, 100],
      ],
      [
        [100, 100, 100, 100, 100],
        [100, 100, 50, 100, 100],
      ],
      [
        [100, 1],
        [100, 10],
      ],
    ];
    for (const [before, after] of changes) {
      const [old, now] = [buildSlots(named(...before)), buildSlots(named(...after))];
      const moved = old.owner.filter((position, slot) => position !== now.owner[slot]).length;
      const needed = [...old.owned].reduce((sum, own, i) => sum + Math.max(0, own - now.owned[i]!), 0);
      expect(moved).toBeGreaterThanOrEqual(needed);
      expect(moved - needed).toBeLessThan(0.03 * old.owner.length);
    }
  });

  test("a new member takes slots, and hardly any other moves", () => {
    const [old, now] = [buildSlots(named(100, 100, 100)), buildSlots(named(100, 100, 100, 100))];
    const between = old.owner.filter((position, slot) => position !== now.owner[slot] && now.owner[slot] !== 3).length;
    expect(between).toBeLessThan(0.03 * old.owner.length);
  });

  test("ranks of an owner's slots are 0, 1, 2 … in an order that has nothing to do with slot numbers", () => {
    const { owner, rank, owned } = buildSlots(named(100, 100));
    for (const position of [0, 1]) {
      const own = [...owner.keys()].filter((slot) => owner[slot] === position);
      expect(own.map((slot) => rank[slot]!).toSorted((a, b) => a - b)).toEqual([...Array(owned[position]).keys()]);
      const firstHalf = own.slice(0, own.length / 2).filter((slot) => rank[slot]! < owned[position]! / 2).length;
      expect(firstHalf / (own.length / 2)).toBeCloseTo(0.5, 1);
    }
  });
});
