/** Lists of thousands that come again and again, of which a change touches a few. */

/**
 * Positions at which two lists do not hold the very same entry.
 *
 * @returns undefined when they have different lengths, so that nothing can be said of positions
 */
export function changedAt(before: readonly unknown[], after: readonly unknown[]): readonly number[] | undefined {
  if (before.length !== after.length) return undefined;
  const changed: number[] = [];
  for (let i = 0; i < after.length; i++) if (before[i] !== after[i]) changed.push(i);
  return changed;
}

/** Share of places beyond which entries are looked for at other places too. */
const MANY = 0.25;

/**
 * `list.map(map)` for one list after the other: entries that stand where they stood in the list before are not mapped again, nor are those
 * that moved when much has.
 *
 * @param map gives the same for the same entry
 * @returns the very same list as before when no entry has changed
 */
export function rememberedMap<T, R>(map: (one: T) => R): (list: readonly T[]) => readonly R[] {
  let before: readonly T[] = [];
  let mapped: readonly R[] = [];

  function again(list: readonly T[]): R[] {
    const known = new Map(before.map((one, i) => [one, mapped[i] as R]));
    return list.map((one) => (known.has(one) ? (known.get(one) as R) : map(one)));
  }

  return (list) => {
    if (list === before) return mapped;
    const changed = changedAt(before, list);
    if (changed === undefined || changed.length > MANY * list.length) {
      mapped = again(list);
    } else if (changed.length > 0) {
      const next = mapped.slice();
      for (const i of changed) next[i] = map(list[i] as T);
      mapped = next;
    }
    before = list;
    return mapped;
  };
}
