/** What can be wrong between zones, and between zones and routes. */
import { checkDelegation } from "./check-delegation.ts";
import type { Findings } from "./findings.ts";
import { isWithin } from "./host-name.ts";
import { zoneOf } from "./host-zones.ts";
import type { StaticRecord, Zone } from "./inventory.ts";
import { RECORDS_PATH } from "./to-zone.ts";

/**
 * Warns of records that are never answered, and of nameservers that cannot be found.
 *
 * @param hosts of all routes
 */
export function checkZone(zone: Zone, zonesByDomain: ReadonlyMap<string, Zone>, hosts: ReadonlySet<string>, findings: Findings): void {
  checkDelegation(zone, zonesByDomain, findings);
  if (zone.provider !== undefined) return; // who keeps it has its records and its delegations
  const cuts = new Set(zone.records.filter((record) => record.type === "NS").map((record) => record.name));
  checkNested(zone, zonesByDomain, cuts, findings);
  zone.records.forEach((record, i) => {
    const why = hiddenBy(record, zone, zonesByDomain, cuts, hosts);
    if (why === undefined) return;
    findings.warn(
      [...RECORDS_PATH, i, "name"],
      "record-hidden",
      `${record.type} of ${record.name} is never answered: ${why}`,
      "Move it, or remove it.",
    );
  });
  zone.nameservers.forEach((nameserver, i) => {
    if (zoneOf(nameserver, zonesByDomain)?.name !== zone.name || hosts.has(nameserver)) return;
    if (zone.records.some(({ name, type }) => name === nameserver && (type === "A" || type === "AAAA"))) return;
    const path = ["spec", "provider", "embedded", "nameservers", i];
    const remedy = `Add A or AAAA records for ${nameserver}, or name a server outside the zone.`;
    findings.warn(path, "nameserver-address", `${nameserver} lies in the zone, but has no address in it`, remedy);
  });
}

/** An inner zone that the outer one does not delegate works only for resolvers that ask us; others see one zone in another. */
function checkNested(zone: Zone, zonesByDomain: ReadonlyMap<string, Zone>, cuts: ReadonlySet<string>, findings: Findings): void {
  for (const inner of zonesByDomain.values()) {
    if (inner === zone || !isWithin(inner.domain, zone.domain) || cuts.has(inner.domain)) continue;
    const between = zoneOf(inner.domain.slice(inner.domain.indexOf(".") + 1), zonesByDomain);
    if (between !== zone) continue;
    const label = inner.domain.slice(0, -zone.domain.length - 1);
    const remedy = `Add {name: ${label}, type: NS, values: [${inner.nameservers.map((name) => `${name}.`).join(", ")}]} to the records here.`;
    findings.warn(
      RECORDS_PATH,
      "zone-nested",
      `${inner.domain} (DNSZone ${inner.name}) lies inside ${zone.domain}, which has no NS record for it`,
      remedy,
    );
  }
}

function hiddenBy(
  { name, type }: StaticRecord,
  zone: Zone,
  zonesByDomain: ReadonlyMap<string, Zone>,
  cuts: ReadonlySet<string>,
  hosts: ReadonlySet<string>,
): string | undefined {
  const address = type === "A" || type === "AAAA";
  const inner = zoneOf(name, zonesByDomain);
  const delegates = type === "NS" || type === "DS";
  if (inner !== undefined && inner.name !== zone.name && !(delegates && name === inner.domain))
    return `the name belongs to DNSZone ${inner.name}`;
  for (const cut of cuts) {
    const glue = address && isWithin(name, cut);
    if (isWithin(name, cut) && !glue && !(delegates && name === cut)) return `${cut} is delegated to other servers`;
  }
  if (hosts.has(name) && (address || type === "CNAME")) return "a GlobalRoute answers for this name";
  return undefined;
}
