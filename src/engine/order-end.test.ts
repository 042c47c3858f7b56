import { expect, test } from "vitest";
import type { RouteOrders } from "../routing/evaluate-route.ts";
import { orderEnds } from "./order-end.ts";

type Act = "cordoned" | "forcedUp" | "draining" | "drilled" | "frozen";
const orders = (...acts: readonly Act[]): RouteOrders => {
  const on = (act: Act) => new Set(acts.includes(act) ? ["eu"] : []);
  return {
    draining: on("draining"),
    cordoned: on("cordoned"),
    forcedUp: on("forcedUp"),
    drilled: on("drilled"),
    frozen: on("frozen"),
    approvedAt: new Map(),
    confirmed: new Set(),
  };
};

const cases: readonly { name: string; before: RouteOrders | undefined; now: RouteOrders; ended: string | undefined }[] = [
  { name: "nothing was evaluated before", before: undefined, now: orders(), ended: undefined },
  { name: "nothing ended", before: orders("draining"), now: orders("draining"), ended: undefined },
  { name: "one began", before: orders(), now: orders("draining"), ended: undefined },
  { name: "one ended", before: orders("draining"), now: orders(), ended: "no longer draining" },
  { name: "two ended: the stronger", before: orders("draining", "cordoned"), now: orders(), ended: "no longer cordoned" },
  { name: "another still decides", before: orders("cordoned", "forcedUp"), now: orders("forcedUp"), ended: undefined },
  { name: "a freeze decides nothing", before: orders("draining", "frozen"), now: orders("frozen"), ended: "no longer draining" },
];
test.each(cases)("$name", ({ before, now, ended }) => {
  expect(orderEnds(before, now)("eu")).toBe(ended);
  expect(orderEnds(before, now)("us")).toBeUndefined();
});
