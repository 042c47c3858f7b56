/**
 * Whose a record is. Beside each name that we publish stands a TXT record that says so, and what is not said to be ours is never touched
 * (docs/safety.md, rule 6). The idea and the form of its text are ExternalDNS's; its own records are read to take over from it.
 *
 * ```
 * _globalroute.shop.example.org. TXT "heritage=globalroute,globalroute/owner=prod-eu,globalroute/types=A+AAAA,globalroute/resource=GlobalRoute/web/shop"
 * ```
 * It stands below the name, not beside it, so that the apex can have one and a CNAME is no hindrance; one for all types of the name, so that
 * a zone has room for as many names as may be.
 */
import { formatText, parseText, type RecordSet, recordSetKey } from "./record-set.ts";

export interface Ownership {
  /** Ownership id of an installation. */
  readonly owner: string;
  /** The object that the records were made for: `GlobalRoute/web/shop`. */
  readonly resource: string;
  /** Types at the name that are the owner's, sorted. */
  readonly types: readonly string[];
}

/** Label of everything that is ours alone in a zone. */
export const REGISTRY_LABEL = "_globalroute";
/** Seconds. Nobody resolves them. */
export const REGISTRY_TTL = 300;
const WILDCARD = "_wildcard";
const MAX_NAME = 253;

/** Where the ownership of a name is told; undefined when the name leaves no room for it. */
export function registryName(name: string): string | undefined {
  const inside = name === "*" || name.startsWith("*.") ? `${WILDCARD}${name.slice(1)}` : name;
  const whole = `${REGISTRY_LABEL}.${inside}`;
  return whole.length > MAX_NAME ? undefined : whole;
}

/** The name whose ownership is told at another; undefined when it is none of the registry's. */
export function registeredName(name: string): string | undefined {
  if (!name.startsWith(`${REGISTRY_LABEL}.`)) return undefined;
  const inside = name.slice(REGISTRY_LABEL.length + 1);
  return inside.startsWith(`${WILDCARD}.`) ? `*${inside.slice(WILDCARD.length)}` : inside;
}

/** Names whose {@link registryName} a name may be. */
export function namesToldAt(name: string): readonly string[] {
  const inside = name.startsWith(`${REGISTRY_LABEL}.`) ? name.slice(REGISTRY_LABEL.length + 1) : undefined;
  if (inside === undefined) return [];
  return inside === WILDCARD || inside.startsWith(`${WILDCARD}.`) ? [inside, `*${inside.slice(WILDCARD.length)}`] : [inside];
}

/** Whether a name is the registry's, and so can be nobody's host. */
export const isReserved = (name: string): boolean => name.split(".").includes(REGISTRY_LABEL);

/** @param name has a {@link registryName} */
export function formatOwnership(name: string, { owner, resource, types }: Ownership): RecordSet {
  const text = `heritage=globalroute,globalroute/owner=${owner},globalroute/types=${types.join("+")},globalroute/resource=${resource}`;
  return { name: registryName(name)!, type: "TXT", ttl: REGISTRY_TTL, values: [formatText(text)] };
}

/** Undefined when the set is not exactly one such record. */
export function parseOwnership({ type, values }: RecordSet): Ownership | undefined {
  const fields = type === "TXT" && values.length === 1 ? fieldsOf(values[0]!, "globalroute") : undefined;
  const [owner, resource, types] = ["owner", "resource", "types"].map((field) => fields?.get(`globalroute/${field}`));
  if (owner === undefined || resource === undefined || types === undefined) return undefined;
  return { owner, resource, types: types.split("+").filter((type) => type !== "") };
}

/** A record of ExternalDNS's registry. */
export interface ForeignClaim {
  readonly owner: string;
  readonly registry: RecordSet;
}

/**
 * What ExternalDNS's TXT registry says of the sets of a zone: at `a-shop.example.org` of type A, before its version 0.12 at the name itself
 * of all types.
 *
 * @returns by {@link recordSetKey} of the set that is claimed
 */
export function externalDnsClaims(actual: readonly RecordSet[]): ReadonlyMap<string, ForeignClaim> {
  const claims = new Map<string, ForeignClaim>();
  for (const registry of actual) {
    if (registry.type !== "TXT" || registry.values.length !== 1) continue;
    const owner = fieldsOf(registry.values[0]!, "external-dns")?.get("external-dns/owner");
    if (owner === undefined) continue;
    const typed = /^(a|aaaa|cname)-(.+)$/s.exec(registry.name);
    if (typed !== null) claims.set(recordSetKey({ name: typed[2]!, type: typed[1]!.toUpperCase() }), { owner, registry });
    else
      for (const type of ["A", "AAAA", "CNAME"]) {
        const key = recordSetKey({ name: registry.name, type });
        if (!claims.has(key)) claims.set(key, { owner, registry });
      }
  }
  return claims;
}

/** `heritage=WHOSE,key=value,…`; undefined when it is not of that heritage. @param value TXT data */
export function fieldsOf(value: string, heritage: string): ReadonlyMap<string, string> | undefined {
  const parts = parseText(value)?.split(",") ?? [];
  if (parts[0] !== `heritage=${heritage}`) return undefined;
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
}
