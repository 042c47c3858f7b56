import { expect, test } from "vitest";
import { createConcerned, type Hearing } from "./concerned.ts";

const hearing = (more: Partial<Hearing> = {}): Hearing => ({
  ...{ route: "default/shop", backend: "east", family: 4, via: "resolver 192.0.2.200" },
  ...more,
});

test("only what was heard is known", () => {
  const concerned = createConcerned();
  concerned.heard(hearing());
  expect(concerned.has(hearing())).toBe(true);
  for (const other of [{ route: "default/pay" }, { backend: "west" }, { family: 6 }, { via: "zone example.net" }] as const) {
    expect(concerned.has(hearing(other))).toBe(false);
  }
  concerned.forget(hearing());
  expect(concerned.has(hearing())).toBe(false);
});

test("routes that are gone are forgotten", () => {
  const concerned = createConcerned();
  for (const route of ["default/shop", "default/pay"]) concerned.heard(hearing({ route }));
  concerned.keepOnly(new Set(["default/pay"]));
  expect(["default/shop", "default/pay"].map((route) => concerned.has(hearing({ route })))).toEqual([false, true]);
});

test("beyond the bound what was not heard for longest goes", () => {
  const concerned = createConcerned(2);
  for (const backend of ["east", "west", "east", "north"]) concerned.heard(hearing({ backend }));
  expect(["east", "west", "north"].map((backend) => concerned.has(hearing({ backend })))).toEqual([true, false, true]);
});
