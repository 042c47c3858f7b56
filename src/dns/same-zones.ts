/** When the zone tables of one routing table serve another one as well. Pure. */
import type { Zone } from "../model/inventory.ts";
import type { RoutingTable, TableNames } from "../routing/table.ts";

/** What zone tables are built from. */
export interface ZoneInputs {
  readonly zones: readonly Zone[];
  readonly routing: RoutingTable;
}

/**
 * True when a build would give the same tables again: the same routes with the same names in the same order, in the same zones, none of
 * which is signed or copied, because signatures and copies hold addresses. TTLs, weights, addresses and health may be others.
 */
export function hasSameZones(a: ZoneInputs, b: ZoneInputs): boolean {
  if (a.zones !== b.zones && JSON.stringify(a.zones) !== JSON.stringify(b.zones)) return false;
  if (a.zones.some(({ dnssec, transfer }) => dnssec !== undefined || transfer !== undefined)) return false;
  const [before, after] = [a.routing.names.routes, b.routing.names.routes];
  if (before.length !== after.length) return false;
  for (let i = 0; i < before.length; i++) {
    const [one, other] = [before[i]!, after[i]!];
    const isSame =
      (one === other || hasSameNames(one, other)) &&
      a.routing.hot.routeAnswers[i] === b.routing.hot.routeAnswers[i] &&
      a.routing.hot.routeSpread[i] === b.routing.hot.routeSpread[i];
    if (!isSame) return false;
  }
  return true;
}

const hasSameNames = (one: TableNames["routes"][number], other: TableNames["routes"][number]): boolean =>
  one.namespace === other.namespace &&
  one.name === other.name &&
  equal(one.hosts, other.hosts) &&
  equal(one.zones, other.zones) &&
  equal(one.alpn, other.alpn);

const equal = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
