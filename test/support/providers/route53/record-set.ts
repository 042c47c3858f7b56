/** A resource record set as Route 53 keeps it. One routing policy, and either values or an alias: the API's optional elements, made exact. */
import { isIPv6 } from "node:net";
import { byText, normaliseName, reversedName } from "./names.ts";

/** @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html */
export const RECORD_TYPES = [
  "SOA",
  "A",
  "TXT",
  "NS",
  "CNAME",
  "MX",
  "NAPTR",
  "PTR",
  "SRV",
  "SPF",
  "AAAA",
  "CAA",
  "DS",
  "TLSA",
  "SSHFP",
  "SVCB",
  "HTTPS",
] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

export type GeoproximityPlace =
  | { readonly kind: "Region"; readonly region: string }
  | { readonly kind: "LocalZoneGroup"; readonly group: string }
  /** Texts, as they were sent: they are compared and listed so. */
  | { readonly kind: "Coordinates"; readonly latitude: string; readonly longitude: string };

export type RoutingPolicy =
  | { readonly kind: "Simple" }
  | { readonly kind: "Weighted"; readonly weight: number }
  | { readonly kind: "Latency"; readonly region: string }
  | { readonly kind: "Failover"; readonly role: "PRIMARY" | "SECONDARY" }
  | { readonly kind: "Geolocation"; readonly continent?: string; readonly country?: string; readonly subdivision?: string }
  | { readonly kind: "Geoproximity"; readonly place: GeoproximityPlace; readonly bias?: number }
  | { readonly kind: "MultivalueAnswer" }
  /** Location `*` is the default. */
  | { readonly kind: "IpBased"; readonly collectionId: string; readonly location: string };

export type RecordContent =
  /** TTL in seconds. */
  | { readonly kind: "Values"; readonly ttl: number; readonly values: readonly string[] }
  | { readonly kind: "Alias"; readonly zoneId: string; readonly target: string; readonly evaluateTargetHealth: boolean };

export interface RecordSet {
  /** In stored form: see names.ts. */
  readonly name: string;
  readonly type: RecordType;
  /** Absent exactly when the policy is simple. */
  readonly setIdentifier?: string;
  readonly policy: RoutingPolicy;
  readonly content: RecordContent;
  readonly healthCheckId?: string;
}

/**
 * What tells two sets of a zone apart, and their order in lists: by reversed name, then type, then identifier, each by ASCII. A space is in no name
 * and before all that is, so that keys compare as their parts do.
 */
export const recordSetKey = ({ name, type, setIdentifier = "" }: Pick<RecordSet, "name" | "type" | "setIdentifier">): string =>
  `${reversedName(name)} ${type} ${setIdentifier}`;

/** What DELETE compares: everything, values in any order. */
export function isSameRecordSet(a: RecordSet, b: RecordSet): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

function comparable({ name, type, setIdentifier, policy, content, healthCheckId }: RecordSet): unknown {
  const values =
    content.kind === "Values" ? { ...content, values: content.values.map((value) => canonicalValue(type, value)).sort(byText) } : content;
  return [name, type, setIdentifier ?? null, sorted(policy), sorted(values), healthCheckId ?? null];
}

/** Two spellings of one value have one canonical form; it is what duplicates are told by. */
export function canonicalValue(type: RecordType, value: string): string {
  if (type === "AAAA" && isIPv6(value)) return new URL(`http://[${value}]`).hostname;
  if (type === "CNAME" || type === "NS" || type === "PTR") return normaliseName(value) ?? value;
  return value;
}

const sorted = (record: object): object =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, typeof value === "object" && !Array.isArray(value) ? sorted(value) : value] as const)
      .sort(([a], [b]) => byText(a, b)),
  );
