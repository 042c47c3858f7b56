import { expect, test } from "vitest";
import { edgeBackend, edgePlanOf, haproxyOptions, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import { describeShortage, descriptorsFor } from "./descriptors.ts";
import { layoutOf } from "./layout.ts";
import type { Seat } from "./seats.ts";

const PLAN = edgePlanOf([edgeBackend("a", ["192.0.2.1"])], [edgeBackend("b", ["192.0.2.2"])], [edgeBackend("c", ["192.0.2.3"])]);
const many = (count: number) =>
  layoutOf({ routes: Array.from({ length: count }, (_, i) => haproxyRoute(PLAN, { name: `r${i}` })), classes: [] });

test("one for each server that may be checked, and four for each client", () => {
  const { toStart, inAll } = descriptorsFor(many(2_000), new Map(), haproxyOptions);
  expect(toStart).toBe(100 + 1 + 2_000 * 6);
  expect(inAll).toBe(toStart + 4_000);
  expect(descriptorsFor(many(1), new Map(), { ...haproxyOptions, clients: 50 }).inAll).toBe(100 + 1 + 6 + 200);
});

test("servers that a running HAProxy has stay", () => {
  const present = new Map([
    ["shop:r0_serving", Array.from({ length: 64 }, (): Seat => ({ address: "127.0.0.1", port: 1, isReady: false }))],
  ]);
  expect(descriptorsFor(many(1), present, haproxyOptions).toStart).toBe(100 + 1 + 66);
});

test.each<[string, number, RegExp | undefined]>([
  ["enough", 5_000, undefined],
  ["too few for all clients", 1_500, /may open 1500 files and needs 4107 .* so clients beyond 348 at a time wait\. Raise LimitNOFILE/],
  ["too few to start", 106, /so it cannot be reloaded/],
])("%s", (_, limit, told) => {
  const shortage = describeShortage(descriptorsFor(many(1), new Map(), haproxyOptions), limit, haproxyOptions);
  if (told === undefined) expect(shortage).toBeUndefined();
  else expect(shortage).toMatch(told);
});
