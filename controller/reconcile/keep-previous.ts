/** Structural sharing: from pass to pass, what has not changed stays the very same value. */
import type { BackendReadiness } from "../../src/engine/source.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { Reconciled, SourceWarning } from "./reconciled.ts";

/** Whether two lists have the very same entries. */
export const sameList = (a: readonly unknown[] | undefined, b: readonly unknown[]): boolean =>
  a !== undefined && a.length === b.length && a.every((entry, i) => entry === b[i]);
const equalList = (a: readonly unknown[] | undefined, b: readonly unknown[]): boolean =>
  a !== undefined && a.length === b.length && a.every((entry, i) => entry === b[i] || JSON.stringify(entry) === JSON.stringify(b[i]));

/** Lists in which nothing has changed are those of before. */
export function sameParts(previous: Inventory | undefined, next: Inventory): Inventory {
  const fleets = next.fleets !== undefined && equalList(previous?.fleets, next.fleets) ? previous?.fleets : next.fleets;
  const inventory: Inventory = {
    routes: previous !== undefined && sameList(previous.routes, next.routes) ? previous.routes : next.routes,
    clusters: previous !== undefined && equalList(previous.clusters, next.clusters) ? previous.clusters : next.clusters,
    zones: previous !== undefined && equalList(previous.zones, next.zones) ? previous.zones : next.zones,
    overrides: previous !== undefined && equalList(previous.overrides, next.overrides) ? previous.overrides : next.overrides,
    ...(fleets === undefined ? {} : { fleets }),
  };
  const isSame =
    inventory.routes === previous?.routes &&
    inventory.clusters === previous?.clusters &&
    inventory.zones === previous?.zones &&
    inventory.overrides === previous?.overrides &&
    inventory.fleets === previous?.fleets;
  return isSame && previous !== undefined ? previous : inventory;
}

/** What is equal to what was before is what was before, so that whoever compares by identity sees what has changed. */
export function keepPrevious(previous: Reconciled | undefined, next: Reconciled): Reconciled {
  if (previous === undefined) return next;
  const result: Reconciled = {
    inventory: next.inventory,
    problems: equalList(previous.problems, next.problems) ? previous.problems : next.problems,
    reports: sameList(previous.reports, next.reports) ? previous.reports : next.reports,
    generated: equalList(previous.generated, next.generated) ? previous.generated : next.generated,
    warnings: equalWarnings(previous.warnings, next.warnings) ? previous.warnings : next.warnings,
    readiness: sameReadiness(previous.readiness, next.readiness) ? previous.readiness : next.readiness,
    generations: sameMap(previous.generations, next.generations) ? previous.generations : next.generations,
  };
  const keys = ["inventory", "problems", "reports", "generated", "warnings", "readiness", "generations"] as const;
  return keys.every((key) => result[key] === previous[key]) ? previous : result;
}

const equalWarnings = (a: readonly SourceWarning[], b: readonly SourceWarning[]): boolean =>
  a.length === b.length && a.every((warning, i) => equalWarning(warning, b[i]!));

const equalWarning = (a: SourceWarning, b: SourceWarning): boolean =>
  a === b || (a.message === b.message && a.reason === b.reason && a.object.metadata.uid === b.object.metadata.uid);

export function sameMap<V>(a: ReadonlyMap<string, V>, b: ReadonlyMap<string, V>, isSame = (one: V, other: V) => one === other): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}

const sameReadiness = (a: ReadonlyMap<string, BackendReadiness>, b: ReadonlyMap<string, BackendReadiness>): boolean =>
  sameMap(a, b, (one, other) => one === other || (one.ready === other.ready && one.total === other.total));
