import fc from "fast-check";
import { expect, test } from "vitest";
import { changedAt, rememberedMap } from "./remembered-map.ts";

test("whatever lists come one after the other, each is mapped as it would be by itself, and what stays is not mapped again", () => {
  const entry = fc.nat(12).map((n) => ENTRIES[n]!);
  const lists = fc.array(fc.array(entry, { maxLength: 10 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lists, (all) => {
      let mapped: Entry[] = [];
      const map = rememberedMap((one: Entry) => {
        mapped.push(one);
        return `mapped ${one.n}`;
      });
      let before: readonly Entry[] = [];
      for (const list of all) {
        mapped = [];
        const after = map(list);
        expect(after).toEqual(list.map(({ n }) => `mapped ${n}`));
        if (before.length === list.length && changedAt(before, list)!.length * 4 <= list.length) {
          expect(mapped).toEqual(changedAt(before, list)!.map((i) => list[i]));
        }
        before = list;
      }
    }),
  );
});

interface Entry {
  readonly n: number;
}

const ENTRIES: readonly Entry[] = Array.from({ length: 13 }, (_, n) => ({ n }));

test("an equal list gives the very same one again; one that was shifted is not mapped again", () => {
  let calls = 0;
  const map = rememberedMap((one: Entry) => {
    calls++;
    return { of: one };
  });
  const first = map(ENTRIES);
  expect(map([...ENTRIES])).toBe(first);
  expect(map(ENTRIES.slice(1))).toEqual(first.slice(1));
  expect(calls).toBe(ENTRIES.length);
});

test("positions of lists of different lengths say nothing", () => {
  expect(changedAt(ENTRIES, ENTRIES.slice(1))).toBeUndefined();
  expect(changedAt(ENTRIES, ENTRIES)).toEqual([]);
});
