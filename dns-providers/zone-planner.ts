/**
 * Plans one zone again and again: the same plans as {@link planChanges}, of which only names that changed since the time before are thought
 * about. A failover in a zone of ten thousand names so waits for the names that it moves, not for the others. No IO.
 */
import { applyChanges, type Change, type DesiredSet, type NameChanges } from "./change.ts";
import { isHelper, planHelpers } from "./helper-sets.ts";
import { namesToldAt, registeredName, registryName } from "./ownership.ts";
import {
  byKey,
  changesAt,
  type DraftedName,
  draftName,
  type Owned,
  ownedBy,
  type Plan,
  type PlanInput,
  planOf,
  readZone,
  requireValues,
  type Zone,
} from "./planner.ts";
import { inOwnerOrder, type RecordSet, recordSetKey } from "./record-set.ts";
import { isIdentical, type SetDifferences, setDifferences } from "./set-differences.ts";

/** @throws RangeError as {@link planChanges} */
export type ZonePlanner = (input: PlanInput) => Plan;

export function createZonePlanner(): ZonePlanner {
  let memory: Memory | undefined;
  return (input) => {
    const known = memory !== undefined && isOfSameZone(memory.input, input) ? memory : emptyMemory(input);
    memory = undefined; // until it is whole again
    renew(known, input);
    memory = known;
    const { zone, wanted, helpers, drafts, busy } = known;
    const contested = [...(input.contested ?? [])].filter((name) => drafts.has(name));
    const names = inOwnerOrder(new Set([...busy, ...contested])).map((name) => drafts.get(name)!);
    const others = names.reduce((rest, { draft }) => rest - draft.existing, known.existing);
    return planOf(input, names, helpersAfter, others);

    function helpersAfter(changes: readonly Change[]): ReturnType<typeof planHelpers> {
      if (helpers.size === 0) return { before: [], after: [] };
      const hosts = input.actual.filter(({ name, alias }) => alias !== undefined && !helpers.has(name)); // others lead nowhere
      return planHelpers({
        actual: [...helpers].flatMap((name) => zone.byName.get(name) ?? []),
        desired: [...helpers].flatMap((name) => wanted.get(name) ?? []),
        hosts: applyChanges(hosts, changes),
      });
    }
  };
}

interface Memory {
  input: PlanInput;
  readonly zone: Zone & {
    readonly sets: Map<string, RecordSet>;
    readonly byName: Map<string, readonly RecordSet[]>;
    readonly owned: Map<string, Owned>;
  };
  /** Sets of a name, as {@link Zone.byName}. */
  readonly wanted: Map<string, readonly DesiredSet[]>;
  /** Names that exist to be aliased, there or wanted. */
  readonly helpers: Set<string>;
  /** Of all names that are wanted or ours. */
  readonly drafts: Map<string, DraftedName>;
  /** Those that are not fine as they are. */
  readonly busy: Set<string>;
  /** Types at names that are ours. */
  existing: number;
}

const emptyMemory = (input: PlanInput): Memory => ({
  input: { ...input, desired: [], actual: [] },
  zone: { owner: input.owner, sets: new Map(), byName: new Map(), owned: new Map() },
  ...{ wanted: new Map(), helpers: new Set(), drafts: new Map(), busy: new Set(), existing: 0 },
});

const isOfSameZone = (a: PlanInput, b: PlanInput): boolean =>
  a.domain === b.domain && a.owner === b.owner && (a.adoptFrom ?? []).join("\0") === (b.adoptFrom ?? []).join("\0");

/** Brings what is remembered to another input. */
function renew(memory: Memory, input: PlanInput): void {
  const { zone, wanted, helpers } = memory;
  const found = setDifferences(memory.input.actual, input.actual);
  const wished = setDifferences(memory.input.desired, input.desired);
  requireValues(wished.come);
  memory.input = input;
  for (const set of found.gone) zone.sets.delete(recordSetKey(set));
  for (const set of found.come) zone.sets.set(recordSetKey(set), set);
  const touched = new Set(exchange(wanted, wished));
  for (const name of exchange(zone.byName, found)) for (const one of namesThatLookAt(name)) touched.add(one);
  for (const name of touched)
    if (isHelper(name, input) && (zone.byName.has(name) || wanted.has(name))) helpers.add(name);
    else helpers.delete(name);
  for (const name of touched) think(memory, name, input);
}

/** Puts sets that have come in the place of those that have gone. @returns the names */
function exchange<T extends RecordSet>(known: Map<string, readonly T[]>, { gone, come }: SetDifferences<T>): ReadonlySet<string> {
  const names = new Set<string>();
  const [goneFrom, comeTo] = [Map.groupBy(gone, ({ name }) => name), Map.groupBy(come, ({ name }) => name)];
  for (const name of [...goneFrom.keys(), ...comeTo.keys()]) {
    if (names.has(name)) continue;
    names.add(name);
    const left = [...(known.get(name) ?? [])];
    for (const set of goneFrom.get(name) ?? []) {
      const at = left.findIndex((one) => isIdentical(one, set));
      if (at >= 0) left.splice(at, 1);
    }
    const sets = [...left, ...(comeTo.get(name) ?? [])];
    if (sets.length === 0) known.delete(name);
    else known.set(name, sets.sort(byKey));
  }
  return names;
}

/** Works out anew what is to become of a name. */
function think(memory: Memory, name: string, input: PlanInput): void {
  const { zone, wanted, helpers, drafts, busy } = memory;
  memory.existing -= drafts.get(name)?.draft.existing ?? 0;
  drafts.delete(name);
  busy.delete(name);
  const owned = ownedAt(name, memory, input);
  if (owned === undefined) zone.owned.delete(name);
  else zone.owned.set(name, owned);
  const wish = helpers.has(name) ? [] : (wanted.get(name) ?? []);
  if (owned === undefined && wish.length === 0) return;
  const draft = draftName(name, wish, zone);
  const known: (readonly NameChanges[] | undefined)[] = [];
  const changes = (stays: boolean): readonly NameChanges[] => {
    const remembered = known[Number(stays)] ?? changesAt(draft, stays, zone);
    known[Number(stays)] = remembered;
    return remembered;
  };
  drafts.set(name, { draft, changes });
  if (draft.conflicts.length + draft.leaving.length + changes(false).length > 0) busy.add(name);
  memory.existing += draft.existing;
}

/** Types of which ExternalDNS says at a name beside the set's whose it is. */
const CLAIMED = ["a", "aaaa", "cname"] as const;

/** Names whose ownership may be told at a name, and the name itself. */
function namesThatLookAt(name: string): readonly string[] {
  const claimed = CLAIMED.flatMap((type) => (name.startsWith(`${type}-`) ? [name.slice(type.length + 1)] : []));
  return [name, ...namesToldAt(name), ...claimed];
}

function ownedAt(name: string, { zone }: Memory, input: PlanInput): Owned | undefined {
  const at = registryName(name);
  const registry = at === undefined || registeredName(at) !== name ? [] : (zone.byName.get(at) ?? []);
  if ((input.adoptFrom ?? []).length === 0)
    return registry.map((set) => ownedBy(input.owner, set)).findLast((owned) => owned !== undefined);
  const around = [name, ...CLAIMED.map((type) => `${type}-${name}`)].flatMap((one) => zone.byName.get(one) ?? []);
  return readZone({ ...input, actual: [...registry, ...around].sort(byKey) }).owned.get(name);
}
