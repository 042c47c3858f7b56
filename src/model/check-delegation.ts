/** What can be wrong with the delegation that a zone asks for, and what it asks for in vain. Pure. */
import type { Findings } from "./findings.ts";
import { isWithin } from "./host-name.ts";
import { zoneOf } from "./host-zones.ts";
import type { Zone } from "./inventory.ts";
import type { FieldPath } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";

const PARENT_PATH: FieldPath = ["spec", "delegation", "parent"];

/** Why a zone's delegation is not kept, and the remedy. */
export interface DelegationFault {
  readonly fact: string;
  readonly remedy: string;
}

/**
 * The zone in which a delegation is kept.
 *
 * @returns undefined when the zone asks for none
 */
export function delegationParent(
  zone: Zone,
  zones: Iterable<Zone>,
): { readonly parent: Zone } | { readonly fault: DelegationFault } | undefined {
  if (zone.delegation === undefined) return undefined;
  const all = [...zones];
  const parent = all.find(({ name }) => name === zone.delegation?.parent);
  const fault = (fact: string, remedy: string) => ({ fault: { fact, remedy } });
  if (parent === undefined) {
    const names = all.map(({ name }) => name).filter((name) => name !== zone.name);
    return fault(
      `there is no DNSZone ${zone.delegation.parent}`,
      `${didYouMean(zone.delegation.parent, names)}Correct the name, or add a DNSZone called so.`,
    );
  }
  if (parent.domain === zone.domain || !isWithin(zone.domain, parent.domain)) {
    const own = parent.name === zone.name ? "names the zone itself" : `has ${parent.domain}, and ${zone.domain} does not lie in it`;
    return fault(`DNSZone ${parent.name} ${own}`, `Name the DNSZone of a domain above ${zone.domain}.`);
  }
  const above = zoneOf(zone.domain.slice(zone.domain.indexOf(".") + 1), new Map(all.map((one) => [one.domain, one])));
  if (above !== undefined && above.name !== parent.name)
    return fault(
      `DNSZone ${above.name} (${above.domain}) lies between ${parent.domain} and ${zone.domain}`,
      `Name ${above.name}: a zone is delegated by the one right above it.`,
    );
  if (parent.provider === undefined)
    return fault(
      `DNSZone ${parent.name} is answered here, so its delegations are among its records`,
      `Add NS records of ${zone.domain} to the records of DNSZone ${parent.name}, with glue and DS, and remove delegation.`,
    );
  return { parent };
}

/** A delegation that cannot be kept is told and left as it is: the zone itself is served all the same. */
export function checkDelegation(zone: Zone, zonesByDomain: ReadonlyMap<string, Zone>, findings: Findings): void {
  const found = delegationParent(zone, zonesByDomain.values());
  if (found !== undefined && "fault" in found)
    findings.warn(PARENT_PATH, "zone-delegation", `${found.fault.fact}, so the delegation is left as it is`, found.fault.remedy);
}
