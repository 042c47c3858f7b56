/** Which hosts of routes are published in a zone. Pure. */
import { isWithin } from "../model/host-name.ts";
import { zoneOf } from "../model/host-zones.ts";
import type { Route, Zone } from "../model/inventory.ts";

/** @param byDomain all zones: a host belongs to the innermost one */
export const isPublishedIn =
  (zone: Zone, byDomain: ReadonlyMap<string, Zone>) =>
  (route: Route, host: string): boolean =>
    zoneOf(host, byDomain)?.name === zone.name &&
    (route.zones.length === 0 || route.zones.includes(zone.name)) &&
    (zone.allowedSuffixes.length === 0 || zone.allowedSuffixes.some((suffix) => isWithin(host, suffix)));

/** @returns the host that stands for a route in this zone; undefined when none is published there */
export const firstHostIn =
  (zone: Zone, byDomain: ReadonlyMap<string, Zone>) =>
  (route: Route): string | undefined =>
    route.hosts.find((host) => isPublishedIn(zone, byDomain)(route, host));

/** {@link firstHostIn} any of the zones that are answered here. */
export const firstHostHere =
  (byDomain: ReadonlyMap<string, Zone>) =>
  (route: Route): string | undefined =>
    route.hosts.find((host) => {
      const zone = zoneOf(host, byDomain);
      return zone !== undefined && zone.provider === undefined && isPublishedIn(zone, byDomain)(route, host);
    });
