/** What a zone says of its own servers and keys, from where it is kept. */

import { encodeDs } from "../../src/dns/dnssec/ds.ts";
import { publicHalf } from "../../src/dns/dnssec/key-file.ts";
import { formatDs } from "../../src/dns/wire/format-dnssec.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { isWithin } from "../../src/model/host-name.ts";
import type { Route, Zone } from "../../src/model/inventory.ts";
import type { ZoneAuthority } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";

/** Half a sentence, and what to do. */
export interface AuthorityFault {
  readonly fact: string;
  readonly remedy: string;
}

/**
 * Of a zone that is answered here.
 *
 * @param routes all of them: the answers of some are in the zone
 */
export function authorityHere(zone: Zone, routes: readonly Route[]): ZoneAuthority | { readonly fault: AuthorityFault } {
  const { domain, records, soa, dnssec } = zone;
  const nameServers = zone.nameservers.map((name) => name.toLowerCase().replace(/\.$/, ""));
  const sets = records.map(({ name, type, ttl, values }): RecordSet => ({ name, type, ttl, values }));
  const hosts = routes.filter((route) => route.hosts.some((host) => isWithin(host, domain)));
  const longestTtl = Math.max(soa.ttl, soa.minimum, ...records.map(({ ttl }) => ttl), ...hosts.map(({ ttl }) => ttl.max));
  const apex = encodeName(domain)!;
  const keys = dnssec?.delegation === "Secure" ? dnssec.keys.filter(({ state }) => state !== "Retired") : [];
  const ds = keys.map((key) => formatDs(encodeDs(apex, publicHalf(key)))!);
  return withGlue(domain, nameServers, sets, { ttl: soa.ttl, ds, longestTtl });
}

/** What a zone that was listed says of itself. @param sets the whole zone */
export function authorityOf(domain: string, sets: readonly RecordSet[]): ZoneAuthority | { readonly fault: AuthorityFault } {
  const at = (type: string): RecordSet | undefined => sets.find((set) => set.name === domain && set.type === type);
  const [ns, cds] = [at("NS"), at("CDS")];
  if (ns === undefined) return { fault: { fact: `${domain} has no NS records of its own`, remedy: "Add them there." } };
  const isRemoval = cds?.values.some((value) => value.startsWith("0 0 0 ")) === true; // RFC 8078 §4
  const names = ns.values.map((value) => value.toLowerCase().replace(/\.$/, ""));
  const longestTtl = Math.max(...sets.map(({ ttl }) => ttl));
  return withGlue(domain, names, sets, { ttl: ns.ttl, longestTtl, ...(cds === undefined ? {} : { ds: isRemoval ? [] : cds.values }) });
}

function withGlue(
  domain: string,
  nameServers: readonly string[],
  sets: readonly RecordSet[],
  rest: Omit<ZoneAuthority, "nameServers" | "glue">,
): ZoneAuthority | { readonly fault: AuthorityFault } {
  const inside = nameServers.filter((name) => isWithin(name, domain));
  const isAddress = ({ type, routing, alias }: RecordSet): boolean =>
    (type === "A" || type === "AAAA") && routing === undefined && alias === undefined;
  const glue = sets
    .filter((set) => inside.includes(set.name) && isAddress(set))
    .map(({ name, type, values }): RecordSet => ({ name, type, ttl: rest.ttl, values }));
  const without = inside.find((name) => !glue.some((set) => set.name === name));
  if (without !== undefined)
    return {
      fault: {
        fact: `${without} lies in ${domain} and has no address among its records`,
        remedy: `Add A or AAAA records of ${without} to the zone.`,
      },
    };
  return { ...rest, nameServers, glue };
}
