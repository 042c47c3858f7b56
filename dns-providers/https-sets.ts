/**
 * HTTPS records (RFC 9460) of hosts in zones that are kept elsewhere: which protocols are spoken, without hints of addresses. A hint would have to be
 * of the cluster that the same client's A and AAAA answers name, and it is the provider that chooses those. Pure.
 */

import { formatAlpn } from "../src/dns/wire/svcb.ts";
import { type Route, routeKey } from "../src/model/inventory.ts";
import type { DesiredSet } from "./change.ts";
import type { PlainZoneInput } from "./desired-sets.ts";

const ADDRESSES: ReadonlySet<string> = new Set(["A", "AAAA", "LUA"]);

/** @param sets of addresses: hosts that have none get no HTTPS record either @returns those of HTTPS alone */
export function httpsSets(sets: readonly DesiredSet[], { table, routes, isInZone }: Omit<PlainZoneInput, "before">): readonly DesiredSet[] {
  const published = new Set(sets.flatMap(({ name, type }) => (ADDRESSES.has(type) ? [name] : [])));
  const toSets = (route: Route, i: number): readonly DesiredSet[] =>
    route.hosts
      .filter((host) => isInZone(route, host) && published.has(host))
      .map((name) => ({
        ...{ name, type: "HTTPS", ttl: table.hot.routeTtlMin[i]!, values: [formatAlpn(route.alpn)] },
        resource: `GlobalRoute/${routeKey(route)}`,
      }));
  return routes.flatMap((route, i) => (route.alpn.length === 0 ? [] : toSets(route, i)));
}
