/** Lists of thousands, split by namespace: most of it stays as it was from pass to pass. */
import { sameList } from "./keep-previous.ts";

export type ByNamespace<T> = ReadonlyMap<string, readonly T[]>;

/** In each group the order of the list. */
export function byNamespace<T>(list: Iterable<T>, namespaceOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const namespace = namespaceOf(one);
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [one]);
    else group.push(one);
  }
  return groups;
}

/** Puts the group of before in the place of each that has the very same entries; and gives back `before` itself if all are. */
export function keepGroups<T>(before: ByNamespace<T> | undefined, groups: ReadonlyMap<string, readonly T[]>): ByNamespace<T> {
  if (before === undefined) return groups;
  const kept = new Map<string, readonly T[]>();
  let isSame = before.size === groups.size;
  for (const [namespace, group] of groups) {
    const known = before.get(namespace);
    const same = known !== undefined && sameList(known, group) ? known : group;
    if (same !== known) isSame = false;
    kept.set(namespace, same);
  }
  return isSame ? before : kept;
}

/** One list of many: the same (===) for as long as each of them is. */
export function createJoined<T>(): (lists: readonly (readonly T[])[]) => readonly T[] {
  let parts: readonly (readonly T[])[] = [];
  let joined: readonly T[] = [];
  return (lists) => {
    if (!sameList(parts, lists)) {
      const next = lists.flat();
      if (!sameList(joined, next)) joined = next;
      parts = lists;
    }
    return joined;
  };
}

/** One map of many that have no key in common: the same (===) for as long as each of them is. */
export function createJoinedMap<V>(): (maps: readonly ReadonlyMap<string, V>[]) => ReadonlyMap<string, V> {
  let parts: readonly ReadonlyMap<string, V>[] = [];
  let joined: ReadonlyMap<string, V> = new Map();
  return (maps) => {
    if (!sameList(parts, maps)) {
      const next = new Map<string, V>();
      for (const map of maps) for (const [key, value] of map) next.set(key, value);
      [parts, joined] = [maps, next];
    }
    return joined;
  };
}
