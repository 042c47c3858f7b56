/** The one NSEC record of each name of a signed zone: compact denial (RFC 9824). Pure. */

import { lowerCased } from "./dnssec/canonical.ts";
import { encodeNsec, nextName } from "./dnssec/nsec.ts";
import type { DraftZones } from "./draft-zones.ts";
import { Type } from "./wire/codes.ts";
import { encodeName } from "./wire/name.ts";
import type { DraftName, DraftSet } from "./zone-draft.ts";

/** The types that a route puts at its hosts. */
export interface RouteTypes {
  readonly types: readonly number[];
  /** A, AAAA: offered, yet some backend has no address of it, so that rules can leave a client without. */
  readonly partial: readonly number[];
}

/**
 * Gives every name that a signed zone answers for its NSEC records. What lies below a zone cut has none; the cut itself has one, which tells
 * whether the child is signed (RFC 4035 §2.3).
 *
 * @param isSigned by domain
 */
export function addNsec(
  { zones, names, parentSides }: DraftZones,
  routes: readonly RouteTypes[],
  isSigned: (domain: string) => boolean,
): void {
  for (const node of [...names.values(), ...parentSides.values()]) {
    const { domain, soa } = zones[node.zone]!;
    if (!isSigned(domain) || (node.cut !== undefined && node.cut !== node.name)) continue;
    const owner = lowerCased(encodeName(node.name)!);
    const next = nextName(owner, lowerCased(encodeName(domain)!));
    const ttl = Math.min(soa.ttl, soa.minimum); // RFC 9077 §3
    const nsec = (types: readonly number[]): DraftSet => ({ type: Type.NSEC, ttl, rdata: [encodeNsec(next, types)] });
    const route = routes[node.route];
    const types = typesAt(node, domain, route);
    const without = (type: number): DraftSet | undefined =>
      route?.partial.includes(type) === true ? nsec(types.filter((other) => other !== type)) : undefined;
    node.nsec = [nsec(types), without(Type.A), without(Type.AAAA)];
  }
}

/** An empty non-terminal has RRSIG and NSEC alone (RFC 9824 §3.3). */
function typesAt(node: DraftName, domain: string, route: RouteTypes | undefined): readonly number[] {
  const own = node.sets.map(({ type }) => type);
  if (node.cut === node.name) return [Type.NS, ...own.filter((type) => type === Type.DS), Type.RRSIG, Type.NSEC];
  return [...(node.name === domain ? [Type.SOA] : []), ...own, ...(route?.types ?? []), Type.RRSIG, Type.NSEC];
}
