/** What the DNSEndpoints of a namespace say of a zone. Pure. */
import { isWithin } from "../../src/model/host-name.ts";
import { fenceName } from "../fence.ts";
import { formatOwnership, REGISTRY_TTL } from "../ownership.ts";
import { type RecordSet, recordSetKey } from "../record-set.ts";
import { fromEndpoint } from "./endpoint.ts";
import { type DnsEndpointObject, missingPart, type Part, type PartScope, partOwner, readPart } from "./part.ts";

export interface ZoneObjects {
  /** Ownership id → parts, by index; one that is announced and not there is a {@link missingPart}. */
  readonly owned: ReadonlyMap<string, readonly Part[]>;
  /** What other objects have, whoever made them. */
  readonly foreign: readonly RecordSet[];
  /** Of objects that are somebody's parts, and cannot be read. */
  readonly unreadable: readonly string[];
}

/** @param objects all of the namespace */
export function readObjects(objects: readonly DnsEndpointObject[], scope: Pick<PartScope, "domain" | "digest">): ZoneObjects {
  const owned = new Map<string, Part[]>();
  const foreign: RecordSet[] = [];
  const unreadable: string[] = [];
  for (const object of objects) {
    const owner = partOwner(object, scope);
    if (owner === undefined) {
      foreign.push(...setsIn(object, scope.domain));
      continue;
    }
    const part = readPart(object);
    if (part === undefined) unreadable.push(object.metadata.name);
    else owned.set(owner, [...(owned.get(owner) ?? []), part]);
  }
  return { owned: new Map([...owned].map(([owner, parts]) => [owner, byIndex(parts)])), foreign, unreadable };
}

function byIndex(parts: readonly Part[]): readonly Part[] {
  const found = new Map(parts.map((part) => [part.index, part]));
  const length = Math.max(found.get(0)?.parts ?? 1, ...parts.map(({ index }) => index + 1));
  return Array.from({ length }, (_, index) => found.get(index) ?? missingPart(index));
}

function setsIn({ spec }: DnsEndpointObject, domain: string): readonly RecordSet[] {
  const endpoints = typeof spec === "object" && spec !== null && "endpoints" in spec ? spec.endpoints : [];
  const sets = (Array.isArray(endpoints) ? endpoints : []).map(fromEndpoint);
  return sets.filter((set): set is RecordSet => set !== undefined && isWithin(set.name, domain));
}

/**
 * The zone as the planner knows zones: with the TXT records that would say whose it is and who writes.
 *
 * @returns names that several objects have of one type, or that several owners claim, besides: ExternalDNS publishes one of them, or both mixed. What is
 *          ours is told of these, so that it goes on following health; of several owners' the first by name.
 */
export function toRecordSets(
  { owned, foreign }: ZoneObjects,
  domain: string,
): { readonly sets: readonly RecordSet[]; readonly disputed: readonly string[] } {
  const sets: RecordSet[] = [];
  const taken = new Set<string>();
  const claimed = new Set<string>();
  const disputed = new Set<string>();
  for (const [owner, parts] of [...owned].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const fence = parts[0]?.fence;
    if (fence !== undefined) sets.push({ name: fenceName(domain, owner), type: "TXT", ttl: REGISTRY_TTL, values: [fence] });
    const mine = new Set<string>();
    for (const { claims, entries } of parts) {
      for (const [name, claim] of claims) {
        if (claimed.has(name)) disputed.add(name);
        else sets.push(formatOwnership(name, { owner, ...claim }));
        mine.add(name);
      }
      for (const { set } of entries.values()) {
        if (claimed.has(set.name)) disputed.add(set.name);
        else sets.push(set);
        taken.add(typeKey(set));
      }
    }
    for (const name of mine) claimed.add(name);
  }
  for (const set of foreign) {
    if (taken.has(typeKey(set))) disputed.add(set.name);
    else sets.push(set);
  }
  return { sets, disputed: [...disputed].sort() };
}

export const typeKey = ({ name, type }: RecordSet): string => recordSetKey({ name, type });
