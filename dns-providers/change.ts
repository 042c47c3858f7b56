/** Changes of a zone, whatever plans them and whoever makes them. Pure. */
import { type RecordSet, recordSetKey, sameRecordSet } from "./record-set.ts";

export interface DesiredSet extends RecordSet {
  /** The object that it is published for: `GlobalRoute/web/shop`. All sets of one name have the same. */
  readonly resource: string;
}

export type Change =
  | { readonly action: "Create"; readonly after: RecordSet }
  | { readonly action: "Replace"; readonly before: RecordSet; readonly after: RecordSet }
  | { readonly action: "Delete"; readonly before: RecordSet };

/** The changes at one name, which belong together. */
export interface NameChanges {
  /** Of helpers the one that is common to all of them. */
  readonly name: string;
  /** Clients get other answers than before: it goes before what is new or leaves. */
  readonly isUrgent: boolean;
  /** In an order that leaves no gap and, should it break off, nothing without an owner. */
  readonly changes: readonly Change[];
}

/** What a change leaves, or finds where it leaves nothing. */
export const setAt = (change: Change): RecordSet => (change.action === "Delete" ? change.before : change.after);

type Put = Extract<Change, { readonly after: RecordSet }>;

/** What brings sets about where others, without what makes way for them, are there. */
export function putSets(there: readonly RecordSet[], coming: readonly DesiredSet[]): readonly Put[] {
  const found = new Map(there.map((set) => [recordSetKey(set), set]));
  return coming.flatMap(({ resource: _, ...after }): readonly Put[] => {
    const before = found.get(recordSetKey(after));
    return before !== undefined && sameRecordSet(before, after) ? [] : [putSet(before, after)];
  });
}

export const putSet = (before: RecordSet | undefined, after: RecordSet): Put =>
  before === undefined ? { action: "Create", after } : { action: "Replace", before, after };

/** Of the sets that are there, those that have no place among the ones of their type that come. */
export function membersThatGo(
  there: readonly RecordSet[],
  coming: readonly RecordSet[],
): { readonly displaced: readonly RecordSet[]; readonly trimmed: readonly RecordSet[] } {
  const kinds = new Map(coming.map(({ type, routing }) => [type, routing?.by.kind]));
  const keys = new Set(coming.map(recordSetKey));
  const stay = there.filter(({ type }) => kinds.has(type));
  const isOfOtherKind = ({ type, routing }: RecordSet): boolean => kinds.get(type) !== routing?.by.kind;
  return {
    displaced: stay.filter(isOfOtherKind),
    trimmed: stay.filter((set) => !isOfOtherKind(set) && !keys.has(recordSetKey(set))),
  };
}

/** The zone with changes made, as a provider makes them. What is not changed keeps its place. */
export function applyChanges(actual: readonly RecordSet[], changes: readonly Change[]): readonly RecordSet[] {
  if (changes.length === 0) return actual;
  const names = new Set<string>();
  /** By key; undefined: it is gone. */
  const changed = new Map<string, RecordSet | undefined>();
  for (const change of changes) {
    const set = change.action === "Delete" ? change.before : change.after;
    names.add(set.name);
    changed.set(recordSetKey(set), change.action === "Delete" ? undefined : change.after);
  }
  const after: RecordSet[] = [];
  for (const set of actual) {
    const key = names.has(set.name) ? recordSetKey(set) : undefined;
    const isChanged = key !== undefined && changed.has(key);
    const now = isChanged ? changed.get(key) : set;
    if (now !== undefined) after.push(now);
    if (isChanged) changed.set(key, undefined); // it has its place
  }
  return [...after, ...[...changed.values()].filter((set) => set !== undefined)];
}
