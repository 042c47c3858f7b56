/** Which zone answers for which host, and who may use which name. */
import type { Findings } from "./findings.ts";
import type { Route, Zone } from "./inventory.ts";
import { didYouMean } from "./nearest-word.ts";

/** True when `name` is `domain` or lies below it, by whole labels. */
export const isWithin = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`);

/** The zone of the longest domain that holds the name. */
export function zoneOf(name: string, zonesByDomain: ReadonlyMap<string, Zone>): Zone | undefined {
  for (let rest = name; ; rest = rest.slice(rest.indexOf(".") + 1)) {
    const zone = zonesByDomain.get(rest);
    if (zone !== undefined || !rest.includes(".")) return zone;
  }
}

/** The zones that routes may name. */
export interface KnownZones {
  readonly byName: ReadonlyMap<string, Zone>;
  readonly byDomain: ReadonlyMap<string, Zone>;
  /** Names of those that have errors of their own. */
  readonly rejected: ReadonlySet<string>;
}

/** Checks the zones that a route names, and that each of its hosts has a zone which lets it. */
export function checkHostZones(route: Route, zones: KnownZones, findings: Findings): void {
  route.zones.forEach((name, i) => {
    if (zones.byName.has(name)) return;
    const broken = zones.rejected.has(name);
    const remedy = broken
      ? "Correct that object first."
      : `${didYouMean(name, zones.byName.keys())}Correct the name, or add a DNSZone called so.`;
    const message = broken ? `DNSZone ${name} has errors of its own` : `there is no DNSZone ${name}`;
    findings.error(["spec", "publish", "dns", i, "zone"], "zone-unknown", message, remedy);
  });
  route.hosts.forEach((host, i) => {
    const path = ["spec", "hosts", i];
    const zone = zoneOf(host, zones.byDomain);
    if (zone === undefined) {
      const remedy = "Add a DNSZone for its domain, or correct the host.";
      findings.warn(path, "host-without-zone", `no DNSZone holds ${host}, so nobody is answered for it`, remedy);
    } else if (route.zones.length > 0 && !route.zones.includes(zone.name)) {
      const message = `${host} belongs to DNSZone ${zone.name} (${zone.domain}), which publish.dns does not name, so nobody is answered for it`;
      findings.warn(path, "host-without-zone", message, `Add zone: ${zone.name} to publish.dns, or remove publish.dns.`);
    } else if (zone.allowedSuffixes.length > 0 && !zone.allowedSuffixes.some((suffix) => isWithin(host, suffix))) {
      const message = `DNSZone ${zone.name} lets routes use ${zone.allowedSuffixes.join(", ")} only, so nobody is answered for ${host}`;
      findings.warn(path, "host-not-allowed", message, "Add the name to the zone's allowedRoutes, or choose another host.");
    }
  });
}
