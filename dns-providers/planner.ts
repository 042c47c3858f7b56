/**
 * What has to change in a provider's zone so that it is as it should be. Pure: the same input gives the same changes in the same order, and a
 * plan of what it leads to is empty.
 */
import {
  externalDnsClaims,
  formatOwnership,
  isReserved,
  type Ownership,
  parseOwnership,
  registeredName,
  registryName,
} from "./ownership.ts";
import { inOwnerOrder, type RecordSet, recordSetKey, sameRecordSet } from "./record-set.ts";

export interface DesiredSet extends RecordSet {
  /** The object that it is published for: `GlobalRoute/web/shop`. All sets of one name have the same. */
  readonly resource: string;
}

export interface PlanInput {
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** Ownership id of this installation. */
  readonly owner: string;
  readonly desired: readonly DesiredSet[];
  /** The whole zone. */
  readonly actual: readonly RecordSet[];
  /** `UpsertOnly` removes nothing. */
  readonly policy: "Sync" | "UpsertOnly";
  /** Owner ids of ExternalDNS whose records become ours. */
  readonly adoptFrom?: readonly string[];
  /** Removals pass however many they are. */
  readonly isRemovalConfirmed?: boolean;
}

export type Change =
  | { readonly action: "Create"; readonly after: RecordSet }
  | { readonly action: "Replace"; readonly before: RecordSet; readonly after: RecordSet }
  | { readonly action: "Delete"; readonly before: RecordSet };

/** The changes at one name, which belong together. */
export interface NameChanges {
  readonly name: string;
  /** Clients get other answers than before: it goes before what is new or leaves. */
  readonly isUrgent: boolean;
  /** In an order that leaves no gap and, should it break off, nothing without an owner. */
  readonly changes: readonly Change[];
}

/** A desired set that is not published, because what is there is not ours. */
export interface Conflict {
  readonly name: string;
  readonly type: string;
  readonly reason: "Foreign" | "OwnedByAnother" | "CnameThere" | "NotAlone" | "Reserved";
  /** Whose it is, where something says so. */
  readonly owner?: string;
}

export interface Plan {
  readonly groups: readonly NameChanges[];
  readonly conflicts: readonly Conflict[];
  /** Ours, no longer desired, and left because too many would go at once. */
  readonly held: readonly RecordSet[];
  /** Ours, no longer desired, and left because the policy is to remove nothing. */
  readonly kept: readonly RecordSet[];
}

/** Share of our sets that one sync may remove, and the number below which nothing is held. */
export const REMOVAL_SHARE = 0.3;
export const REMOVAL_LEAST = 3;

/** @throws RangeError when a desired set is empty: nothing of ours makes one, and a zone must never get it (docs/safety.md, rule 1) */
export function planChanges(input: PlanInput): Plan {
  for (const { name, type, values } of input.desired) if (values.length === 0) throw new RangeError(`${name} ${type} would be empty`);
  const zone = readZone({ ...input, actual: input.actual.toSorted(byKey) });
  const wanted = Map.groupBy(input.desired.toSorted(byKey), ({ name }) => name);
  const names = inOwnerOrder(new Set([...wanted.keys(), ...zone.owned.keys()]));
  const drafts = names.map((name) => draftName(name, wanted.get(name) ?? [], zone));

  const leaving = drafts.flatMap((draft) => draft.leaving);
  const ours = drafts.reduce((sum, { existing }) => sum + existing, 0);
  const isTooMuch = leaving.length >= REMOVAL_LEAST && leaving.length > REMOVAL_SHARE * ours && input.isRemovalConfirmed !== true;
  const stays = input.policy === "UpsertOnly" || isTooMuch;
  return {
    groups: drafts.flatMap((draft) => changesAt(draft, stays, zone)).sort(byUrgency),
    conflicts: drafts.flatMap(({ conflicts }) => conflicts),
    held: isTooMuch && input.policy === "Sync" ? leaving : [],
    kept: input.policy === "UpsertOnly" ? leaving : [],
  };
}

interface Zone {
  readonly owner: string;
  readonly sets: ReadonlyMap<string, RecordSet>;
  readonly byName: ReadonlyMap<string, readonly RecordSet[]>;
  /** What is ours, by name: told by our registry, or taken over. */
  readonly owned: ReadonlyMap<string, Owned>;
}

interface Owned {
  readonly types: ReadonlySet<string>;
  readonly resource: string | undefined;
  /** Records of another registry that say the same. */
  readonly superseded: readonly RecordSet[];
}

function readZone({ actual, owner, adoptFrom = [] }: PlanInput): Zone {
  const owned = new Map<string, Owned>();
  for (const set of actual) {
    const name = registeredName(set.name);
    const ownership = name === undefined ? undefined : parseOwnership(set);
    if (name !== undefined && ownership?.owner === owner)
      owned.set(name, { types: new Set(ownership.types), resource: ownership.resource, superseded: [] });
  }
  const sets = new Map(actual.map((set) => [recordSetKey(set), set]));
  if (adoptFrom.length > 0) {
    for (const [key, claim] of externalDnsClaims(actual)) {
      const set = sets.get(key);
      if (set === undefined || !adoptFrom.includes(claim.owner)) continue;
      const known = owned.get(set.name) ?? { types: new Set<string>(), resource: undefined, superseded: [] };
      const superseded = known.superseded.includes(claim.registry) ? known.superseded : [...known.superseded, claim.registry];
      owned.set(set.name, { ...known, types: new Set([...known.types, set.type]), superseded });
    }
  }
  return { owner, sets, byName: Map.groupBy(actual, ({ name }) => name), owned };
}

interface Draft {
  readonly name: string;
  readonly upserts: readonly DesiredSet[];
  /** Go because something else comes in their place: a CNAME stands alone (RFC 1034 §3.6.2). */
  readonly displaced: readonly RecordSet[];
  readonly leaving: readonly RecordSet[];
  /** Sets at the name that are ours now. */
  readonly existing: number;
  readonly conflicts: readonly Conflict[];
  readonly owned: Owned | undefined;
}

function draftName(name: string, wanted: readonly DesiredSet[], { owner, byName, sets, owned: all }: Zone): Draft {
  const owned = all.get(name);
  const there = byName.get(name) ?? [];
  const isOurs = ({ type }: RecordSet): boolean => owned?.types.has(type) === true;
  const foreign = there.filter((set) => !isOurs(set) && owned?.superseded.includes(set) !== true);
  const refuse = (reason: Conflict["reason"], whose?: string): Draft => ({
    name,
    upserts: [],
    displaced: [],
    leaving: [],
    existing: 0,
    conflicts: wanted.map(({ type }) => ({ name, type, reason, ...(whose === undefined ? {} : { owner: whose }) })),
    owned: undefined,
  });
  const registry = registryName(name);
  if (registry === undefined || isReserved(name)) return refuse("Reserved");
  const told = sets.get(recordSetKey({ name: registry, type: "TXT" }));
  const ownership = told === undefined ? undefined : parseOwnership(told);
  if (told !== undefined && ownership?.owner !== owner) return refuse("OwnedByAnother", ownership?.owner);

  const conflicts: Conflict[] = [];
  const upserts = wanted.filter(({ type }) => {
    const reason = conflictOf(type, foreign);
    if (reason !== undefined) conflicts.push({ name, type, reason });
    return reason === undefined;
  });
  const ours = there.filter(isOurs);
  const gone = ours.filter(({ type }) => !wanted.some((set) => set.type === type)); // what is wanted and refused stays as it is
  const isDisplaced = ({ type }: RecordSet): boolean => upserts.some((set) => (set.type === "CNAME") !== (type === "CNAME"));
  return {
    name,
    upserts,
    displaced: gone.filter(isDisplaced),
    leaving: gone.filter((set) => !isDisplaced(set)),
    existing: ours.length,
    conflicts,
    owned,
  };
}

function conflictOf(type: string, foreign: readonly RecordSet[]): Conflict["reason"] | undefined {
  if (foreign.some((set) => set.type === type)) return "Foreign";
  if (foreign.some((set) => set.type === "CNAME")) return "CnameThere";
  return type === "CNAME" && foreign.length > 0 ? "NotAlone" : undefined;
}

/** @param stays what is leaving stays for now, and stays ours */
function changesAt(draft: Draft, stays: boolean, { sets, owner }: Zone): readonly NameChanges[] {
  const { name, owned, upserts } = draft;
  const registry = registryName(name);
  if (registry === undefined || (owned === undefined && upserts.length === 0)) return [];
  const leaving = stays ? [] : draft.leaving;
  const puts = upserts.flatMap(({ resource: _, ...after }): readonly Change[] => {
    const before = sets.get(recordSetKey(after));
    if (before === undefined) return [{ action: "Create", after }];
    return sameRecordSet(before, after) ? [] : [{ action: "Replace", before, after }];
  });

  const going = new Set([...draft.displaced, ...leaving].map(({ type }) => type));
  const stillThere = [...(owned?.types ?? [])].filter((type) => !going.has(type) && sets.has(recordSetKey({ name, type })));
  const types = [...new Set([...upserts.map(({ type }) => type), ...stillThere])].sort();
  const resource = upserts[0]?.resource ?? owned?.resource ?? "";
  const told = sets.get(recordSetKey({ name: registry, type: "TXT" }));
  const tells = types.length === 0 ? undefined : formatOwnership(name, { owner, resource, types } satisfies Ownership);
  const remove = (before: RecordSet): Change => ({ action: "Delete", before });
  const changes: readonly Change[] = [
    ...(tells === undefined || (told !== undefined && sameRecordSet(told, tells)) ? [] : [putSet(told, tells)]),
    ...draft.displaced.map(remove),
    ...puts,
    ...leaving.map(remove),
    ...(owned?.superseded ?? []).map(remove),
    ...(tells === undefined && told !== undefined ? [remove(told)] : []),
  ];
  const isUrgent = draft.displaced.length > 0 || puts.some(({ action }) => action === "Replace");
  return changes.length === 0 ? [] : [{ name, isUrgent, changes }];
}

const byKey = (a: RecordSet, b: RecordSet): number => compareTexts(a.name, b.name) || compareTexts(a.type, b.type);
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const putSet = (before: RecordSet | undefined, after: RecordSet): Extract<Change, { readonly after: RecordSet }> =>
  before === undefined ? { action: "Create", after } : { action: "Replace", before, after };

/** Names stay in their order otherwise. */
const byUrgency = (a: NameChanges, b: NameChanges): number => Number(b.isUrgent) - Number(a.isUrgent);

/** The zone with changes made, as a provider makes them. */
export function applyChanges(actual: readonly RecordSet[], changes: readonly Change[]): readonly RecordSet[] {
  const sets = new Map(actual.map((set) => [recordSetKey(set), set]));
  for (const change of changes) {
    if (change.action === "Delete") sets.delete(recordSetKey(change.before));
    else sets.set(recordSetKey(change.after), change.after);
  }
  return [...sets.values()];
}
