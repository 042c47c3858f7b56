/** What a batch of changes may hold (Route 53 Developer Guide, "Quotas": ChangeResourceRecordSets). Pure. */
import type { Change } from "../change.ts";
import type { RecordSet } from "../record-set.ts";

/** Elements ResourceRecord of one batch, and characters of their values; those of an UPSERT count twice. */
const [MOST_ELEMENTS, MOST_CHARACTERS] = [1000, 32_000] as const;
const PER_ELEMENT = MOST_CHARACTERS / MOST_ELEMENTS;

export const MAX_BATCH = MOST_CHARACTERS;

/** In characters; an element takes as many as its share of a batch, so that neither limit is passed. */
export function changeCost(change: Change): number {
  if (change.action === "Replace") return 2 * Math.max(costOf(change.before), costOf(change.after));
  return costOf(change.action === "Create" ? change.after : change.before);
}

function costOf({ values, alias }: RecordSet): number {
  const elements = alias === undefined ? values.length : 1;
  const characters = values.reduce((sum, value) => sum + value.length, 0);
  return Math.max(PER_ELEMENT * elements, characters);
}
