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
