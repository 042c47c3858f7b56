/** Which part of a zone a change is made in, and in which order parts are written. Pure. */
import type { Change } from "../change.ts";
import { isClaim, nameOfChange, type Part } from "./part.ts";

/** Changes that one write of one part makes. */
export interface Step {
  /** Of the part, which may not be there yet. */
  readonly index: number;
  readonly changes: readonly Change[];
}

/**
 * Names stay where they are, and what belongs to one name is in one part, so that clients never get half of it. Removals come last: what
 * replaces something is told before it goes, whichever parts the two are in.
 *
 * @param parts of one zone and owner, by index
 * @param room characters up to which a part takes new names
 */
export function placeChanges(parts: readonly Part[], changes: readonly Change[], room: number): readonly Step[] {
  const homes = new Map(parts.flatMap(namesIn));
  const sizes = parts.map(sizeOf);
  const [puts, removals] = [new Map<number, Change[]>(), new Map<number, Change[]>()];
  for (const [name, together] of Map.groupBy(changes, nameOfChange)) {
    const index = homes.get(name) ?? firstWithRoom(sizes, room);
    sizes[index] = (sizes[index] ?? 0) + together.reduce((sum, change) => sum + sizeOfChange(change), 0);
    const brings = together.some((change) => change.action !== "Delete" && !isClaim(change));
    const steps = brings ? puts : removals;
    steps.set(index, [...(steps.get(index) ?? []), ...together]);
  }
  return [...puts, ...removals].map(([index, made]) => ({ index, changes: made }));
}

const namesIn = ({ index, entries, claims }: Part): readonly (readonly [string, number])[] => {
  const names = [...claims.keys(), ...Array.from(entries.values(), ({ set }) => set.name)];
  return names.map((name) => [name, index]);
};

function firstWithRoom(sizes: readonly number[], room: number): number {
  const found = sizes.findIndex((size) => size < room);
  return found < 0 ? sizes.length : found;
}

/** Characters of the whole part, roughly. */
function sizeOf({ entries, claims }: Part): number {
  let size = 0;
  for (const { endpoint } of entries.values()) size += JSON.stringify(endpoint).length;
  for (const [name, { resource, types }] of claims) size += name.length + resource.length + types.length;
  return size;
}

/** Characters that a put may take, roughly; what makes room is not counted. */
const sizeOfChange = (change: Change): number => (change.action === "Delete" ? 0 : JSON.stringify(change.after).length);
