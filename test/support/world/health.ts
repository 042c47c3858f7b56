/** Health for tests that evaluate routes: by address, everything else filled in. */
import { type EndpointHealth, NOT_PROBED } from "../../../src/model/health.ts";
import type { Route } from "../../../src/model/inventory.ts";
import { NEW_ROUTE, type RouteInput, type RouteMemory, type RouteOrders } from "../../../src/routing/evaluate-route.ts";

const FAR = 1e15;

/** Probed and well; nothing is going to change. */
export const HEALTHY: EndpointHealth = {
  health: "Healthy",
  since: 0,
  reason: "ok",
  proven: false,
  votes: 1,
  firstSign: 0,
  nextChange: FAR,
};
/** It refuses connections: proven by one vantage. */
export const REFUSED: EndpointHealth = { ...HEALTHY, health: "Unhealthy", reason: "refused", proven: true };
/** It is silent, and one vantage says so: inferred. */
export const SILENT: EndpointHealth = { ...HEALTHY, health: "Unhealthy", reason: "timeout" };
export const UNKNOWN: EndpointHealth = NOT_PROBED;

export const NO_ORDERS: RouteOrders = {
  draining: new Set(),
  cordoned: new Set(),
  forcedUp: new Set(),
  drilled: new Set(),
  approvedAt: new Map(),
  frozen: new Set(),
  confirmed: new Set(),
};

/** @param health of every address that `of` does not name */
export function routeInput(
  route: Route,
  now: number,
  of: Readonly<Record<string, EndpointHealth>>,
  more: Partial<RouteInput> = {},
): RouteInput {
  const memory: RouteMemory = NEW_ROUTE;
  return { route, memory, orders: NO_ORDERS, health: (address) => of[address] ?? HEALTHY, warming: false, now, ...more };
}
