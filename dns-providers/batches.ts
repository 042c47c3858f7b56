/** Changes put into batches that a provider takes. Pure. */
import type { Change, NameChanges } from "./change.ts";

export interface Batch {
  /** By name; of a name that is torn apart a part of its changes. */
  readonly groups: readonly NameChanges[];
  readonly isUrgent: boolean;
}

/**
 * What stands at one name is never torn apart, unless it alone is more than a batch takes.
 *
 * @param room what changes of one batch may cost, the fence's taken off
 */
export function toBatches(groups: readonly NameChanges[], cost: (change: Change) => number, room: number): readonly Batch[] {
  const batches: Batch[] = [];
  let open: NameChanges[] = [];
  let used = 0;
  const close = (): void => {
    if (open.length > 0) batches.push(batchOf(open));
    open = [];
    used = 0;
  };
  for (const group of groups) {
    const { changes } = group;
    const costs = changes.map(cost);
    const whole = costs.reduce((sum, one) => sum + one, 0);
    if (used + whole > room) close();
    let part: Change[] = [];
    for (const [i, change] of changes.entries()) {
      if (used + costs[i]! > room) {
        if (part.length > 0) open.push({ ...group, changes: part });
        part = [];
        close();
      }
      part.push(change);
      used += costs[i]!;
    }
    open.push({ ...group, changes: part });
  }
  close();
  return batches;
}

const batchOf = (groups: readonly NameChanges[]): Batch => ({ groups, isUrgent: groups.some(({ isUrgent }) => isUrgent) });

export const changesOf = ({ groups }: Batch): readonly Change[] => groups.flatMap(({ changes }) => changes);

/** Two, to be made one after the other. @param batch of two names or more */
export function halves({ groups }: Batch): readonly [Batch, Batch] {
  const middle = Math.ceil(groups.length / 2);
  return [batchOf(groups.slice(0, middle)), batchOf(groups.slice(middle))];
}
