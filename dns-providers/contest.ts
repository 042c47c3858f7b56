/**
 * Names that somebody else keeps changing back: another tool, or another installation with the same owner. Two that mend after each other
 * would give clients now one answer and now another, for ever; so after a few times ours stops, and says so.
 */
import { type RecordSet, recordSetKey, sameRecordSet } from "./record-set.ts";

export interface Contest {
  /** What was written, or found as it should be. @param sets asked for when there is a listing to compare them with */
  believe(sets: () => readonly RecordSet[]): void;
  /** It is not known what was written. */
  doubt(): void;
  /** Looks at a new listing for what is not as it was believed to be. */
  judge(listed: readonly RecordSet[]): void;
  /** Names that are left alone for now. */
  names(): ReadonlySet<string>;
}

/** So many changes of one name by others, within this time, are no accident, ms. */
export const CONTESTED = 3;
const WITHIN = 1_800_000;
/** How long such a name is left alone, ms. */
export const TRUCE = 3_600_000;

/** @param now monotonic milliseconds @param isOurs whether a name is one of those that are mended */
export function createContest(now: () => number, isOurs: (name: string) => boolean): Contest {
  let believed: (() => readonly RecordSet[]) | undefined;
  /** Name → when others were seen to have changed it. */
  const changes = new Map<string, readonly number[]>();
  /** Name → when it is ours to mend again. */
  const truces = new Map<string, number>();
  return {
    believe(sets) {
      believed = sets;
    },
    doubt() {
      believed = undefined;
    },
    judge(listed) {
      if (believed === undefined) return;
      const there = new Map(listed.map((set) => [recordSetKey(set), set]));
      const changed = new Set<string>();
      for (const set of believed()) {
        const found = there.get(recordSetKey(set));
        if ((found === undefined || !sameRecordSet(found, set)) && isOurs(set.name)) changed.add(set.name);
      }
      for (const name of changed) {
        const times = [...(changes.get(name) ?? []).filter((time) => now() - time < WITHIN), now()];
        changes.set(name, times);
        if (times.length < CONTESTED) continue;
        truces.set(name, now() + TRUCE);
        changes.delete(name);
      }
    },
    names() {
      for (const [name, until] of truces) if (until <= now()) truces.delete(name);
      return new Set(truces.keys());
    },
  };
}
