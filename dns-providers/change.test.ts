import fc from "fast-check";
import { expect, test } from "vitest";
import { applyChanges, type Change, putSet } from "./change.ts";
import { type RecordSet, recordSetKey } from "./record-set.ts";

const set = (name: string, address: string): RecordSet => ({ name: `${name}.example.org`, type: "A", ttl: 300, values: [address] });
const [A, B] = [set("a", "192.0.2.1"), set("b", "192.0.2.2")];

test("what is not changed keeps its place, what is new comes last, and a set that is put again is there once", () => {
  const moved = { ...A, values: ["192.0.2.9"] };
  expect(applyChanges([A, B], [putSet(A, moved)])).toEqual([moved, B]);
  expect(applyChanges([A, B], [putSet(A, A)])).toEqual([A, B]);
  expect(applyChanges([B], [putSet(undefined, A)])).toEqual([B, A]);
  expect(applyChanges([A, B], [{ action: "Delete", before: A }])).toEqual([B]);
  expect(applyChanges([A, B], [{ action: "Delete", before: A }, putSet(undefined, moved)])).toEqual([moved, B]);
  expect(applyChanges([A, B], [putSet(undefined, set("c", "192.0.2.3")), { action: "Delete", before: set("c", "192.0.2.3") }])).toEqual([
    A,
    B,
  ]);
});

test("the same as one change after the other in a map", () => {
  const some = fc.record({ name: fc.constantFrom("a", "b", "c"), address: fc.constantFrom("192.0.2.1", "192.0.2.2") });
  const change = fc.record({ isDelete: fc.boolean(), of: some });
  fc.assert(
    fc.property(fc.uniqueArray(some, { selector: ({ name }) => name }), fc.array(change, { maxLength: 6 }), (there, wanted) => {
      const actual = there.map(({ name, address }) => set(name, address));
      const changes = wanted.map(({ isDelete, of: { name, address } }): Change => {
        const one = actual.find((known) => known.name === `${name}.example.org` && known.values[0] === address) ?? set(name, address);
        return isDelete ? { action: "Delete", before: one } : putSet(undefined, one);
      });
      const expected = new Map(actual.map((one) => [recordSetKey(one), one]));
      for (const one of changes) {
        if (one.action === "Delete") expected.delete(recordSetKey(one.before));
        else expected.set(recordSetKey(one.after), one.after);
      }
      const byKey = (sets: readonly RecordSet[]) => sets.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      expect(byKey(applyChanges(actual, changes))).toEqual(byKey([...expected.values()]));
    }),
  );
});
