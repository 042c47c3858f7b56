/** What one list of sets has and another has not. Pure. */
import { type RecordSet, recordSetKey, sameValue } from "./record-set.ts";

/** A {@link RecordSet}, or one that says besides what it is published for. */
type SomeSet = RecordSet & { readonly resource?: string };

export interface SetDifferences<T> {
  readonly gone: readonly T[];
  readonly come: readonly T[];
}

/**
 * Quick where most sets are the same objects in the same places; what was made anew and is the same word for word is found to be so. A set that
 * has changed has gone and come.
 */
export function setDifferences<T extends SomeSet>(before: readonly T[], after: readonly T[]): SetDifferences<T> {
  if (before === after) return { gone: [], come: [] };
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && isIdentical(before[from]!, after[from]!)) from++;
  let tail = 0;
  while (tail < shorter - from && isIdentical(before[before.length - 1 - tail]!, after[after.length - 1 - tail]!)) tail++;
  const [old, fresh] = [before.slice(from, before.length - tail), after.slice(from, after.length - tail)];
  return differencesInPlace(old, fresh) ?? differencesByKey(old, fresh);
}

/** @returns undefined when there are not the same sets in the same places */
function differencesInPlace<T extends SomeSet>(old: readonly T[], fresh: readonly T[]): SetDifferences<T> | undefined {
  if (old.length !== fresh.length) return undefined;
  const [gone, come]: [T[], T[]] = [[], []];
  for (let i = 0; i < old.length; i++) {
    const [was, is] = [old[i]!, fresh[i]!];
    if (was === is) continue;
    if (recordSetKey(was) !== recordSetKey(is)) return undefined;
    if (isIdentical(was, is)) continue;
    gone.push(was);
    come.push(is);
  }
  return { gone, come };
}

function differencesByKey<T extends SomeSet>(old: readonly T[], fresh: readonly T[]): SetDifferences<T> {
  const left = new Map(old.map((set) => [recordSetKey(set), set]));
  if (left.size < old.length) return { gone: old, come: fresh }; // some were told twice
  const come = fresh.filter((set) => {
    const key = recordSetKey(set);
    const was = left.get(key);
    if (was === undefined || !isIdentical(was, set)) return true;
    left.delete(key);
    return false;
  });
  return { gone: [...left.values()], come };
}

/** Also in the order of values, which sets of the same meaning need not have. */
export function isIdentical(a: SomeSet, b: SomeSet): boolean {
  if (a === b) return true;
  if (a.name !== b.name || a.type !== b.type || a.ttl !== b.ttl || a.resource !== b.resource) return false;
  if (a.values.length !== b.values.length || a.values.some((value, i) => value !== b.values[i])) return false;
  return sameValue(a.routing, b.routing) && sameValue(a.alias, b.alias) && sameValue(a.healthCheck, b.healthCheck);
}
