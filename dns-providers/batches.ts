/** Changes put into batches that a provider takes. Pure. */
import type { Change, NameChanges } from "./planner.ts";

/**
 * What stands at one name is never torn apart, unless it alone is more than a batch takes.
 *
 * @param room what changes of one batch may cost, the fence's taken off
 */
export function toBatches(groups: readonly NameChanges[], cost: (change: Change) => number, room: number): readonly (readonly Change[])[] {
  const batches: Change[][] = [];
  let open: Change[] = [];
  let used = 0;
  const close = (): void => {
    if (open.length > 0) batches.push(open);
    open = [];
    used = 0;
  };
  for (const { changes } of groups) {
    const costs = changes.map(cost);
    const whole = costs.reduce((sum, one) => sum + one, 0);
    if (used + whole > room) close();
    for (const [i, change] of changes.entries()) {
      if (used + costs[i]! > room) close();
      open.push(change);
      used += costs[i]!;
    }
  }
  close();
  return batches;
}
