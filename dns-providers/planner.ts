/**
 * What has to change in a provider's zone so that it is as it should be. Pure: the same input gives the same changes in the same order, and a
 * plan of what it leads to is empty.
 */
import { applyChanges, type Change, type DesiredSet, membersThatGo, type NameChanges, putSet, putSets } from "./change.ts";
import type { WaitingDelegation } from "./delegation/delegation.ts";
import { isHelper, planHelpers } from "./helper-sets.ts";
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
  /** Names at which nothing is done, whatever is desired: somebody else keeps changing them. */
  readonly contested?: ReadonlySet<string>;
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
  /** Names that are left as somebody else wants them. */
  readonly contested: readonly string[];
  /** Delegations that are not as they are wanted, and why. */
  readonly waiting: readonly WaitingDelegation[];
}

/** Share of our sets that one sync may remove, and the number below which nothing is held. */
export const REMOVAL_SHARE = 0.3;
export const REMOVAL_LEAST = 3;

/** @throws RangeError when a desired set is empty: nothing of ours makes one, and a zone must never get it (docs/safety.md, rule 1) */
export function planChanges(input: PlanInput): Plan {
  requireValues(input.desired);
  const isOfHelper = ({ name }: RecordSet): boolean => isHelper(name, input);
  const [actual, desired] = [input.actual.toSorted(byKey), input.desired.toSorted(byKey)];
  const zone = readZone({ ...input, actual });
  const wanted = Map.groupBy(
    desired.filter((set) => !isOfHelper(set)),
    ({ name }) => name,
  );
  const names = inOwnerOrder(new Set([...wanted.keys(), ...zone.owned.keys()]));
  const hosts = actual.filter((set) => !isOfHelper(set));
  const drafted = names.map((name): DraftedName => {
    const draft = draftName(name, wanted.get(name) ?? [], zone);
    return { draft, changes: (stays) => changesAt(draft, stays, zone) };
  });
  return planOf(input, drafted, (changes) =>
    planHelpers({ actual: actual.filter(isOfHelper), desired: desired.filter(isOfHelper), hosts: applyChanges(hosts, changes) }),
  );
}

/** What is to become of one name, and how. */
export interface DraftedName {
  readonly draft: Draft;
  /** @param stays what is leaving stays for now */
  readonly changes: (stays: boolean) => readonly NameChanges[];
}

/**
 * Puts a plan together.
 *
 * @param all          names that are wanted or ours, in owner order; such as are fine as they are may be left out
 * @param helpersAfter what helpers need when these changes of all other names are made
 * @param others       types that are ours at names that were left out
 */
export function planOf(
  { contested = new Set(), policy, isRemovalConfirmed }: PlanInput,
  all: readonly DraftedName[],
  helpersAfter: (changes: readonly Change[]) => ReturnType<typeof planHelpers>,
  others = 0,
): Plan {
  const isContested = ({ draft }: DraftedName): boolean => contested.has(draft.name);
  const names = all.filter((name) => !isContested(name));
  const drafts = names.map(({ draft }) => draft);
  const leaving = drafts.flatMap((draft) => draft.leaving);
  const going = countTypes(leaving);
  const ours = drafts.reduce((sum, { existing }) => sum + existing, others);
  const isTooMuch = going >= REMOVAL_LEAST && going > REMOVAL_SHARE * ours && isRemovalConfirmed !== true;
  const stays = policy === "UpsertOnly" || isTooMuch;
  const groups = names.flatMap((name) => name.changes(stays)).sort(byUrgency);
  const helpers = helpersAfter(groups.flatMap(({ changes }) => changes));
  return {
    groups: [...helpers.before, ...groups, ...helpers.after],
    conflicts: drafts.flatMap(({ conflicts }) => conflicts),
    held: isTooMuch && policy === "Sync" ? leaving : [],
    kept: policy === "UpsertOnly" ? leaving : [],
    contested: all.filter(isContested).map(({ draft }) => draft.name),
    waiting: [],
  };
}

/** @throws RangeError as {@link planChanges} */
export function requireValues(desired: readonly DesiredSet[]): void {
  for (const { name, type, values, alias } of desired)
    if (values.length === 0 && alias === undefined) throw new RangeError(`${name} ${type} would be empty`);
}

/** What is there, to look up. */
export interface Zone {
  readonly owner: string;
  readonly sets: ReadonlyMap<string, RecordSet>;
  readonly byName: ReadonlyMap<string, readonly RecordSet[]>;
  /** What is ours, by name: told by our registry, or taken over. */
  readonly owned: ReadonlyMap<string, Owned>;
}

export interface Owned {
  readonly types: ReadonlySet<string>;
  readonly resource: string | undefined;
  /** Records of another registry that say the same. */
  readonly superseded: readonly RecordSet[];
}

export function readZone({ actual, owner, adoptFrom = [] }: PlanInput): Zone {
  const owned = new Map<string, Owned>();
  for (const set of actual) {
    const name = registeredName(set.name);
    const ours = name === undefined ? undefined : ownedBy(owner, set);
    if (name !== undefined && ours !== undefined) owned.set(name, ours);
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

/** @param registry a record at the {@link registryName} of what it speaks of */
export function ownedBy(owner: string, registry: RecordSet): Owned | undefined {
  const ownership = parseOwnership(registry);
  if (ownership?.owner !== owner) return undefined;
  return { types: new Set(ownership.types), resource: ownership.resource, superseded: [] };
}

/** What is to become of one name. */
export interface Draft {
  readonly name: string;
  readonly upserts: readonly DesiredSet[];
  /** Go because something else comes in their place: a CNAME stands alone (RFC 1034 §3.6.2), and sets of one type have one kind of policy. */
  readonly displaced: readonly RecordSet[];
  /** Go from among several of one type, of which others stay. */
  readonly trimmed: readonly RecordSet[];
  /** Go, and their type with them. */
  readonly leaving: readonly RecordSet[];
  /** Types at the name that are ours now. */
  readonly existing: number;
  readonly conflicts: readonly Conflict[];
  readonly owned: Owned | undefined;
}

/** Looks at the name, at its registry's, and at what is owned of it, and at nothing else of the zone. */
export function draftName(name: string, wanted: readonly DesiredSet[], { owner, byName, sets, owned: all }: Zone): Draft {
  const owned = all.get(name);
  const there = byName.get(name) ?? [];
  const isOurs = ({ type }: RecordSet): boolean => owned?.types.has(type) === true;
  const foreign = there.filter((set) => !isOurs(set) && owned?.superseded.includes(set) !== true);
  const refuse = (reason: Conflict["reason"], whose?: string): Draft => ({
    name,
    upserts: [],
    displaced: [],
    trimmed: [],
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
  const isDisplaced = ({ type }: RecordSet): boolean => upserts.some((set) => excludes(set.type, type));
  const members = membersThatGo(ours, upserts);
  return {
    name,
    upserts,
    displaced: [...gone.filter(isDisplaced), ...members.displaced],
    trimmed: members.trimmed,
    leaving: gone.filter((set) => !isDisplaced(set)),
    existing: countTypes(ours),
    conflicts,
    owned,
  };
}

const countTypes = (sets: readonly RecordSet[]): number => new Set(sets.map(({ name, type }) => `${name} ${type}`)).size;

/** Types that have no place beside others: a CNAME stands alone, and PowerDNS's scripts answer for addresses. */
function excludes(a: string, b: string): boolean {
  if ((a === "CNAME") !== (b === "CNAME")) return true;
  const isAddress = (type: string): boolean => type === "A" || type === "AAAA";
  return (a === "LUA" && isAddress(b)) || (b === "LUA" && isAddress(a));
}

function conflictOf(type: string, foreign: readonly RecordSet[]): Conflict["reason"] | undefined {
  // What is said of somebody's addresses is theirs to say.
  const isOfAddresses = ({ type: other }: RecordSet): boolean => type === "HTTPS" && ["A", "AAAA", "LUA"].includes(other);
  const isForeign = (set: RecordSet): boolean =>
    set.type === type || isOfAddresses(set) || (type !== "CNAME" && set.type !== "CNAME" && excludes(set.type, type));
  if (foreign.some(isForeign)) return "Foreign";
  if (foreign.some((set) => set.type === "CNAME")) return "CnameThere";
  return type === "CNAME" && foreign.length > 0 ? "NotAlone" : undefined;
}

/** @param stays what is leaving stays for now, and stays ours */
export function changesAt(draft: Draft, stays: boolean, { sets, byName, owner }: Zone): readonly NameChanges[] {
  const { name, owned, upserts } = draft;
  const registry = registryName(name);
  if (registry === undefined || (owned === undefined && upserts.length === 0)) return [];
  const leaving = stays ? [] : draft.leaving;
  const going = new Set([...draft.displaced, ...leaving]);
  const there = (byName.get(name) ?? []).filter((set) => !going.has(set));
  const puts = putSets(there, upserts);
  const stillThere = [...(owned?.types ?? [])].filter((type) => there.some((set) => set.type === type));
  const types = [...new Set([...upserts.map(({ type }) => type), ...stillThere])].sort();
  const resource = upserts[0]?.resource ?? owned?.resource ?? "";
  const told = sets.get(recordSetKey({ name: registry, type: "TXT" }));
  const tells = types.length === 0 ? undefined : formatOwnership(name, { owner, resource, types } satisfies Ownership);
  const remove = (before: RecordSet): Change => ({ action: "Delete", before });
  const changes: readonly Change[] = [
    ...(tells === undefined || (told !== undefined && sameRecordSet(told, tells)) ? [] : [putSet(told, tells)]),
    ...draft.displaced.map(remove),
    ...puts,
    ...draft.trimmed.map(remove),
    ...leaving.map(remove),
    ...(owned?.superseded ?? []).map(remove),
    ...(tells === undefined && told !== undefined ? [remove(told)] : []),
  ];
  const isOld = ({ after }: (typeof puts)[number]): boolean => there.some(({ type }) => type === after.type);
  const isUrgent = draft.displaced.length + draft.trimmed.length > 0 || puts.some(isOld);
  return changes.length === 0 ? [] : [{ name, isUrgent, changes }];
}

/** By name, type and identifier. */
export const byKey = (a: RecordSet, b: RecordSet): number =>
  compareTexts(a.name, b.name) || compareTexts(a.type, b.type) || compareTexts(a.routing?.id ?? "", b.routing?.id ?? "");
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names stay in their order otherwise. */
const byUrgency = (a: NameChanges, b: NameChanges): number => Number(b.isUrgent) - Number(a.isUrgent);
