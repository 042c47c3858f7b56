/** Which zone answers for which host, and who may use which name. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import { isWithin } from "./host-name.ts";
import type { Route, Zone } from "./inventory.ts";
import { lostPolicy } from "./lost-policy.ts";
import { didYouMean } from "./nearest-word.ts";
import { type AllowedRoutes, zoneGrant } from "./zone-grants.ts";

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
  /** By name of the zone. */
  readonly allowedRoutes: ReadonlyMap<string, AllowedRoutes>;
}

/**
 * Checks the zones that a route names, and that each of its hosts has a zone which lets it.
 *
 * @param api absent when the objects are files'
 * @returns with `api`: the hosts that their zone does not let the route use, and that it must therefore neither claim nor publish. In
 *          files the zones themselves leave such hosts out.
 */
export function checkHostZones(route: Route, zones: KnownZones, findings: Findings, api?: ApiContext): ReadonlySet<string> {
  route.zones.forEach((name, i) => {
    if (zones.byName.has(name)) return;
    const broken = zones.rejected.has(name);
    const remedy = broken
      ? "Correct that object first."
      : `${didYouMean(name, zones.byName.keys())}Correct the name, or add a DNSZone called so.`;
    const message = broken ? `DNSZone ${name} has errors of its own` : `there is no DNSZone ${name}`;
    findings.error(["spec", "publish", "dns", i, "zone"], "zone-unknown", message, remedy);
  });
  const refused = new Set<string>();
  const elsewhere = new Set<Zone>();
  route.hosts.forEach((host, i) => {
    const path = ["spec", "hosts", i];
    const zone = zoneOf(host, zones.byDomain);
    if (zone?.provider !== undefined) elsewhere.add(zone);
    const why = zone === undefined || api === undefined ? undefined : refusal(route, host, zone, zones, api);
    if (why !== undefined) {
      refused.add(host);
      findings.warn(path, "host-not-allowed", `${why.fact}, so nobody is answered for ${host}`, why.remedy);
      return;
    }
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
  for (const { name, provider } of elsewhere) {
    const lost = provider === undefined ? undefined : lostPolicy(provider, route);
    if (lost === undefined) continue;
    const message = `${provider?.type}, which keeps DNSZone ${name}, cannot follow ${lost.lost.join(", ")}; instead ${lost.instead}`;
    const remedy = "Keep the zone Embedded, or write a policy that the provider can follow.";
    findings.warn(["spec", "hosts"], "policy-not-expressible", message, remedy);
  }
  if (refused.size === route.hosts.length) {
    const remedy = "Have one of them allowed by its zone, or choose another.";
    findings.error(["spec", "hosts"], "host-not-allowed", "none of them is allowed by its zone", remedy);
  }
  return refused;
}

/** @returns undefined when the zone lets the route use the host */
function refusal(
  { namespace }: Route,
  host: string,
  zone: Zone,
  { allowedRoutes }: KnownZones,
  api: ApiContext,
): { readonly fact: string; readonly remedy: string } | undefined {
  const allowed = allowedRoutes.get(zone.name);
  switch (zoneGrant(allowed, host, { namespaceLabels: api.namespaceLabels(namespace) })) {
    case "Closed":
      return {
        fact: `DNSZone ${zone.name} allows no routes`,
        remedy: `Add an entry for namespace ${namespace} to its allowedRoutes; [{}] allows every route.`,
      };
    case "Name": {
      const suffixes = (allowed ?? []).flatMap((entry) => entry.suffixes ?? []).join(", ");
      return {
        fact: `DNSZone ${zone.name} lets routes use ${suffixes} only`,
        remedy: "Add the name to the zone's allowedRoutes, or choose another host.",
      };
    }
    case "Namespace":
      return {
        fact: `DNSZone ${zone.name} does not let namespace ${namespace} use this name`,
        remedy: "Add an entry whose namespaceSelector fits its labels to the zone's allowedRoutes, or label the namespace.",
      };
    case "Cluster": // cannot be: nobody asked for a cluster's labels
    case "Granted":
      return undefined;
  }
}
