/** Health that is known from before a restart, or that nobody votes for at present, keeps a backend where it is and brings none back. */
import { expect, test } from "vitest";
import { testBackend, testFailover, testRoute } from "../../test/support/world/build-route.ts";
import { HEALTHY, REFUSED, routeInput } from "../../test/support/world/health.ts";
import type { EndpointHealth } from "../model/health.ts";
import { ms } from "../model/units.ts";
import { evaluateRoute, type RouteMemory } from "./evaluate-route.ts";
import { Standing } from "./table.ts";

const PRESUMED: EndpointHealth = { ...HEALTHY, votes: 0 };
const route = testRoute([testBackend("dublin", 1), testBackend("tokyo", 2)], {
  failover: testFailover({ failback: { mode: "Automatic", after: ms(10_000), slowStart: ms(0) } }),
});
const [dublin, dublin6] = route.backends[0]!.addresses as [string, string];
/** Both families of Dublin alike, Tokyo well. */
const evaluate = (at: number, health: EndpointHealth, memory?: RouteMemory) =>
  evaluateRoute(routeInput(route, at, { [dublin]: health, [dublin6]: health }, memory === undefined ? {} : { memory }));

test("a backend that serves goes on serving", () => {
  const first = evaluate(1000, HEALTHY);
  const restarted = evaluate(2000, PRESUMED, first.memory);
  expect(restarted.backends[0]!.standing).toEqual([Standing.Usable, Standing.Usable]);
  expect(restarted.changes).toEqual([]);
});

test("one that waits does not return before somebody has seen it, and does not spin meanwhile", () => {
  let { memory } = evaluate(1000, HEALTHY);
  ({ memory } = evaluate(2000, REFUSED, memory));
  ({ memory } = evaluate(3000, HEALTHY, memory));
  const late = evaluate(60_000, PRESUMED, memory);
  expect(late.backends[0]!.standing).toEqual([Standing.Pending, Standing.Pending]);
  expect([late.due, late.backends[0]!.presumed]).toEqual([Number.POSITIVE_INFINITY, [true, true]]);
  const seen = evaluate(60_500, HEALTHY, late.memory);
  expect(seen.backends[0]!.standing).toEqual([Standing.Usable, Standing.Usable]);
  expect(seen.backends[0]!.presumed).toEqual([false, false]);
});

test("one that is new waits for its first probe", () => {
  const first = evaluate(1000, PRESUMED);
  expect(first.backends.map(({ standing }) => standing[0])).toEqual([Standing.Unknown, Standing.Usable]);
  expect(evaluate(2000, HEALTHY, first.memory).backends[0]!.standing[0]).toBe(Standing.Usable);
});
