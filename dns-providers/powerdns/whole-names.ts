/**
 * Changes of names, each with the record that says whose it is. Where nothing is compared a writer may remove a name, with that record, right
 * before an older or newer one replaces an address there: alone it would be nobody's, and never be put right (docs/safety.md, rule 6). Pure.
 */

import type { Change } from "../change.ts";
import { isReserved, registeredName, registryName } from "../ownership.ts";
import type { RecordSet } from "../record-set.ts";

/** Owner name → the record that says whose it is. */
export type Registry = ReadonlyMap<string, RecordSet>;

const isOfRegistry = ({ name, type }: RecordSet): boolean => type === "TXT" && registeredName(name) !== undefined;

export const registryOf = (sets: readonly RecordSet[]): Registry =>
  new Map(sets.filter(isOfRegistry).map((set) => [registeredName(set.name)!, set]));

/** What the registry is once changes are made. */
export function registryAfter(registry: Registry, changes: readonly Change[]): Registry {
  const after = new Map(registry);
  for (const change of changes) {
    const set = change.action === "Delete" ? change.before : change.after;
    if (!isOfRegistry(set)) continue;
    if (change.action === "Delete") after.delete(registeredName(set.name)!);
    else after.set(registeredName(set.name)!, set);
  }
  return after;
}

/** Writes the record of a name anew wherever something is replaced there; what is made or removed has its own change of it. */
export function wholeNames(changes: readonly Change[], registry: Registry): readonly Change[] {
  const told = new Set(changes.map((change) => (change.action === "Delete" ? change.before.name : change.after.name)));
  return changes.flatMap((change): readonly Change[] => {
    const { name } = change.action === "Delete" ? change.before : change.after;
    const record = change.action === "Replace" && !isReserved(name) ? registry.get(name) : undefined;
    if (record === undefined || told.has(registryName(name)!)) return [change];
    told.add(record.name);
    return [{ action: "Replace", before: record, after: record }, change];
  });
}
