/** The names of a set of zones while a zone table is built, and the few operations on them. Pure. */
import type { Zone } from "../model/inventory.ts";
import type { ProblemCode } from "../model/problem-codes.ts";

/** A name that exists, be it only because something exists below it (an empty non-terminal). */
export interface DraftName {
  readonly name: string;
  /** Index of the zone that owns it. */
  readonly zone: number;
  /** Route whose host it is, or -1. */
  route: number;
  readonly sets: DraftSet[];
  /** The zone cut at or above it, if it is delegated away. */
  cut: string | undefined;
  /** In a signed zone: the NSEC records that speak of it, as `ZoneTable.nodeNsec` lists them. */
  nsec: NsecSets | undefined;
  /** At a zone cut: addresses of its name servers. */
  readonly glue: { readonly owner: string; readonly type: number; readonly ttl: number; readonly rdata: Uint8Array }[];
}

/** Of one name: with every type that it has, and for a client for whom a route has no IPv4, or no IPv6. */
export type NsecSets = readonly [all: DraftSet, withoutA: DraftSet | undefined, withoutAaaa: DraftSet | undefined];

export interface DraftSet {
  readonly type: number;
  readonly ttl: number;
  readonly rdata: readonly Uint8Array[];
}

export type Report = (zone: Zone, path: string, code: ProblemCode, message: string, remedy: string) => void;

/** What is known while zones are drafted. */
export interface Draft {
  readonly zones: readonly Zone[];
  readonly byDomain: ReadonlyMap<string, number>;
  readonly names: Map<string, DraftName>;
  /** Zone → the outer zone's side of its apex, for a zone inside another: what a question for DS is about (RFC 4035 §3.1.4.1). */
  readonly parentSides: Map<number, DraftName>;
  readonly report: Report;
}

/** The longest zone that holds a name, by whole labels; -1 = none. */
export function zoneOf(draft: Pick<Draft, "byDomain">, name: string): number {
  for (let suffix = name; suffix !== ""; suffix = parentOf(suffix)) {
    const zone = draft.byDomain.get(suffix);
    if (zone !== undefined) return zone;
  }
  return -1;
}

/** The name without its first label; empty for a top-level name. */
export function parentOf(name: string): string {
  const dot = name.indexOf(".");
  return dot < 0 ? "" : name.slice(dot + 1);
}

export const isWithin = (name: string, suffix: string): boolean => name === suffix || name.endsWith(`.${suffix}`);

/** The name's entry, made if need be together with every name between it and the apex (RFC 4592 §2.2.2). */
export function addName(draft: Draft, name: string, zone: number): DraftName {
  const known = draft.names.get(name);
  if (known !== undefined) return known;
  const added = newName(name, zone);
  draft.names.set(name, added);
  if (name !== draft.zones[zone]!.domain) addName(draft, parentOf(name), zone);
  return added;
}

/** A name without anything at it. */
export const newName = (name: string, zone: number): DraftName => ({
  name,
  zone,
  route: -1,
  sets: [],
  cut: undefined,
  glue: [],
  nsec: undefined,
});
