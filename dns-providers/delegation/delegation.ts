/**
 * A zone that another one delegates, and whose that delegation is. What says so cannot stand beside the delegated name, below which nothing of
 * the zone above is seen any more; so it stands with the zone's own records, and tells the glue, too:
 *
 * ```
 * apps._delegations._globalroute.example.org. TXT "heritage=globalroute,globalroute/owner=prod-eu,globalroute/types=DS+NS,
 *   globalroute/resource=DNSZone/apps,globalroute/glue=ns1.apps.example.org/A+ns1.apps.example.org/AAAA"
 * ```
 * Pure.
 */
import { fieldsOf, type Ownership, parseOwnership, REGISTRY_LABEL, REGISTRY_TTL } from "../ownership.ts";
import type { ZoneAuthority } from "../provider.ts";
import { formatText, type RecordSet } from "../record-set.ts";

/** A delegation that is to be kept in a zone. */
export type DesiredDelegation = {
  /** The apex of the zone that is delegated: lower case, without the trailing dot. */
  readonly child: string;
  /** `DNSZone/apps` */
  readonly resource: string;
  /** What others made there becomes ours. */
  readonly isAdopted: boolean;
} & (
  | { readonly kind: "Known"; readonly authority: ZoneAuthority; readonly seen: SeenServers }
  /** What is there stays. `isFault`: somebody has to do something about it. */
  | { readonly kind: "Unknown"; readonly why: string; readonly isFault: boolean }
);

/** How the servers were found that the zone names. */
export interface SeenServers {
  /** Name → why nobody may be sent there, as a clause; undefined: it answers with authority. */
  readonly servers: ReadonlyMap<string, string | undefined>;
  /** What keeps a validating resolver with these DS from the zone at one of them; undefined: nothing. */
  readonly chain: (ds: readonly string[]) => string | undefined;
  /** What keeps the DS that the zone asks for from being given; undefined: nothing. */
  readonly ds: { readonly why: string; readonly isFault: boolean } | undefined;
}

/** A delegation that is not as it is wanted, and why. */
export interface WaitingDelegation {
  readonly child: string;
  /** A clause, the same as long as the reason is. */
  readonly why: string;
  /** Somebody has to do something about it. */
  readonly isFault: boolean;
}

/** As it is, or why it cannot be made. @param types that can be published in the zone that delegates */
export function asFarAsPublishable(desired: DesiredDelegation, types: readonly string[]): DesiredDelegation {
  const needed = ["NS", ...(desired.kind === "Known" ? [...desired.authority.glue.map(({ type }) => type), ...dsOf(desired)] : [])];
  const missing = needed.find((type) => !types.includes(type));
  if (missing === undefined) return desired;
  const { child, resource, isAdopted } = desired;
  const why = `who keeps the zone above publishes no ${missing} records. Keep the delegation by hand, and remove delegation from ${resource}`;
  return { child, resource, isAdopted, kind: "Unknown", why, isFault: true };
}

const dsOf = ({ authority }: Extract<DesiredDelegation, { readonly kind: "Known" }>): readonly string[] =>
  (authority.ds ?? []).length > 0 ? ["DS"] : [];

export interface DelegationOwnership extends Ownership {
  /** Addresses below the zone cut that are ours, too. */
  readonly glue: readonly { readonly name: string; readonly type: string }[];
}

const MAX_NAME = 253;
const LABEL = "_delegations";

/**
 * Where it is told whose a delegation is.
 *
 * @param child  below `domain`
 * @param domain the zone that delegates
 * @returns undefined when there is no room for it
 */
export function delegationName(child: string, domain: string): string | undefined {
  const name = `${child.slice(0, -domain.length - 1)}.${LABEL}.${REGISTRY_LABEL}.${domain}`;
  return name.length > MAX_NAME ? undefined : name;
}

/** The zone whose delegation is told at a name; undefined when it is no such name. */
export function delegatedName(name: string, domain: string): string | undefined {
  const suffix = `.${LABEL}.${REGISTRY_LABEL}.${domain}`;
  return name.endsWith(suffix) ? `${name.slice(0, -suffix.length)}.${domain}` : undefined;
}

/** @param name a {@link delegationName} */
export function formatDelegation(name: string, { owner, resource, types, glue }: DelegationOwnership): RecordSet {
  const addresses = glue.map((one) => `${one.name}/${one.type}`).join("+");
  const text = `heritage=globalroute,globalroute/owner=${owner},globalroute/types=${types.join("+")},globalroute/resource=${resource},globalroute/glue=${addresses}`;
  return { name, type: "TXT", ttl: REGISTRY_TTL, values: [formatText(text)] };
}

/** Undefined when the set is not exactly one such record. The glue may be left out by whoever hands a delegation over. */
export function parseDelegation(set: RecordSet): DelegationOwnership | undefined {
  const ownership = parseOwnership(set);
  if (ownership === undefined) return undefined;
  const glue = fieldsOf(set.values[0] ?? "", "globalroute")?.get("globalroute/glue") ?? "";
  const entries = glue.split("+").flatMap((entry) => {
    const [name = "", type = ""] = entry.split("/");
    return type === "A" || type === "AAAA" ? [{ name, type }] : [];
  });
  return { ...ownership, glue: entries };
}
