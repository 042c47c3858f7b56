import { expect, test } from "vitest";
import { testBackend, testCluster, testRoute } from "../../test/support/world/build-route.ts";
import type { HttpPolicy, ProxyFleet, Route } from "../model/inventory.ts";
import { HTTP_DEFAULTS } from "../model/to-http.ts";
import { ms } from "../model/units.ts";
import { unfollowedBy } from "./unfollowed.ts";

const COMMON = { name: "edge", endpointCaFile: "/ca.pem", places: [{ name: "here", location: testCluster("frankfurt").location }] };
const ENVOYS: ProxyFleet = { ...COMMON, type: "Envoy" };
const HAPROXIES: ProxyFleet = { ...COMMON, type: "HAProxy", trustedHops: 0, members: [] };
const routeWith = (http: Partial<HttpPolicy>, more: Partial<Route> = {}): Route =>
  testRoute([testBackend("frankfurt", 1)], { http: { ...HTTP_DEFAULTS, ...http }, ...more });

const cases: readonly { name: string; fleet: ProxyFleet; route: Route; parts?: string }[] = [
  { name: "a route that says nothing", fleet: HAPROXIES, route: testRoute([testBackend("frankfurt", 1)]) },
  { name: "bounds at HAProxies", fleet: HAPROXIES, route: routeWith({ limits: { bodyBytes: 1, concurrentRequests: 1 } }) },
  {
    name: "bounds at Envoys",
    fleet: ENVOYS,
    route: routeWith({ limits: { bodyBytes: 1, concurrentRequests: 1 } }),
    parts: "limits.bodyBytes",
  },
  { name: "hedging at HAProxies", fleet: HAPROXIES, route: routeWith({ hedge: { after: ms(100) } }), parts: "hedge" },
  { name: "hedging at Envoys", fleet: ENVOYS, route: routeWith({ hedge: { after: ms(100) } }), parts: "hedge" },
  {
    name: "statuses and attempts at HAProxies",
    fleet: HAPROXIES,
    route: routeWith({ retry: { attempts: 4, codes: [418, 503] } }),
    parts: "retry.attempts above 2; retry.codes 418",
  },
  { name: "the same at Envoys", fleet: ENVOYS, route: routeWith({ retry: { attempts: 4, codes: [418, 503] } }) },
  { name: "a route of other fleets", fleet: HAPROXIES, route: routeWith({ hedge: { after: ms(100) } }, { fleets: ["other"] }) },
];
test.each(cases)("$name", ({ fleet, route, parts }) =>
  expect(unfollowedBy(fleet, [route])).toEqual(
    parts === undefined
      ? []
      : [
          `GlobalRoute default/shop: its proxies do not follow these parts of spec.http: ${parts}. Leave them out, or publish it to proxies that follow them (publish.proxies).`,
        ],
  ),
);
