/** Changes put into batches that a provider takes. Pure. */
import type { Change, NameChanges } from "./change.ts";

export interface Batch {
  readonly changes: readonly Change[];
  readonly isUrgent: boolean;
}

/**
 * What stands at one name is never torn apart, unless it alone is more than a batch takes.
 *
 * @param room what changes of one batch may cost, the fence's taken off
 */
export function toBatches(groups: readonly NameChanges[], cost: (change: Change) => number, room: number): readonly Batch[] {
  const batches: Batch[] = [];
  let open: Change[] = [];
  let used = 0;
  let hasUrgent = false;
  const close = (): void => {
    if (open.length > 0) batches.push({ changes: open, isUrgent: hasUrgent });
    open = [];
    used = 0;
    hasUrgent = false;
  };
  for (const { changes, isUrgent } of groups) {
    const costs = changes.map(cost);
    const whole = costs.reduce((sum, one) => sum + one, 0);
    if (used + whole > room) close();
    for (const [i, change] of changes.entries()) {
      if (used + costs[i]! > room) close();
      open.push(change);
      hasUrgent ||= isUrgent;
      used += costs[i]!;
    }
  }
  close();
  return batches;
}
