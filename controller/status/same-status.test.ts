import fc from "fast-check";
import { expect, test } from "vitest";
import { isSameStatus } from "./same-status.ts";

test.each([
  { name: "the epoch is no difference", a: { writerEpoch: 1, x: 1 }, b: { writerEpoch: 2, x: 1 }, same: true },
  { name: "deeper down it is", a: { x: { writerEpoch: 1 } }, b: { x: { writerEpoch: 2 } }, same: false },
  {
    name: "named entries in another order",
    a: { l: [{ name: "a" }, { name: "b" }] },
    b: { l: [{ name: "b" }, { name: "a" }] },
    same: true,
  },
  { name: "conditions in another order", a: { l: [{ type: "a" }, { type: "b" }] }, b: { l: [{ type: "b" }, { type: "a" }] }, same: true },
  { name: "addresses in another order", a: { l: ["a", "b"] }, b: { l: ["b", "a"] }, same: false },
  { name: "an empty list is none", a: { l: [], m: {} }, b: {}, same: true },
  { name: "an absent field", a: {}, b: { x: 0 }, same: false },
  { name: "a field more", a: { x: false }, b: {}, same: false },
  { name: "a changed entry", a: { l: [{ name: "a", v: 1 }] }, b: { l: [{ name: "a", v: 2 }] }, same: false },
  {
    name: "the same name twice",
    a: { l: [{ name: "a" }, { name: "a", v: 1 }] },
    b: { l: [{ name: "a", v: 1 }, { name: "a" }] },
    same: false,
  },
  { name: "no status yet", a: undefined, b: { x: 1 }, same: false },
  { name: "an entry less", a: { l: [{ name: "a" }] }, b: { l: [{ name: "a" }, { name: "b" }] }, same: false },
])("$name", ({ a, b, same }) => {
  expect([isSameStatus(a, b), isSameStatus(b, a)]).toEqual([same, same]);
});

test("whatever went over the wire and came back is the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (status) => {
      expect(isSameStatus(status, JSON.parse(JSON.stringify(status)))).toBe(true);
    }),
  );
});
