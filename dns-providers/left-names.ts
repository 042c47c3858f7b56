/** Names that are left as they are because the provider will not have what is wanted there, so that everything else can go on. Pure. */
import type { DesiredSet, NameChanges } from "./change.ts";
import { type HelperScope, isHelper } from "./helper-sets.ts";
import type { RecordSet } from "./record-set.ts";

/** Names whose changes need room: more record sets than there are, or things beside them that no set of the zone has yet. */
export function growingNames(groups: readonly NameChanges[], actual: readonly RecordSet[]): ReadonlySet<string> {
  const there = new Set(actual.flatMap(thingsOf));
  const isGrowing = ({ changes }: NameChanges): boolean => {
    const growth = changes.reduce((sum, { action }) => sum + Number(action === "Create") - Number(action === "Delete"), 0);
    return growth > 0 || changes.some((change) => change.action !== "Delete" && thingsOf(change.after).some((thing) => !there.has(thing)));
  };
  return new Set(groups.filter(isGrowing).map(({ name }) => name));
}

function thingsOf({ healthCheck, routing }: RecordSet): readonly string[] {
  return [
    ...(healthCheck === undefined ? [] : [JSON.stringify(Object.entries(healthCheck).sort(([a], [b]) => (a < b ? -1 : 1)))]),
    ...(routing?.by.kind === "Subnets" ? [routing.by.subnets.join()] : []),
  ];
}

/**
 * What is left to be done when nothing is done at some names. Whatever would alias a helper that is then not made is left as well.
 *
 * @returns the sets that are still wanted, and all names that are left
 */
export function leaveNames(
  desired: readonly DesiredSet[],
  actual: readonly RecordSet[],
  names: ReadonlySet<string>,
  scope: HelperScope,
): { readonly desired: readonly DesiredSet[]; readonly left: ReadonlySet<string> } {
  if (names.size === 0) return { desired, left: names };
  const there = new Set(actual.map(({ name }) => name));
  const left = new Set(names);
  for (let before = -1; before < left.size; ) {
    before = left.size;
    const coming = new Set(desired.filter(({ name }) => !left.has(name)).map(({ name }) => name));
    for (const { name, alias } of desired)
      if (alias !== undefined && isHelper(alias.target, scope) && !there.has(alias.target) && !coming.has(alias.target)) left.add(name);
  }
  return { desired: desired.filter(({ name }) => !left.has(name) || !isHelper(name, scope)), left };
}
