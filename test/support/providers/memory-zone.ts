/** A zone in memory behind the provider contract, as strict as a real one: batches are atomic and the fence is compared. */
import { isIP } from "node:net";
import type { Change } from "../../../dns-providers/change.ts";
import { applyChanges, setAt } from "../../../dns-providers/change.ts";
import { type Capabilities, type ChangeBatch, type Provider, ProviderError } from "../../../dns-providers/provider.ts";
import { type RecordSet, recordSetKey, sameRecordSet } from "../../../dns-providers/record-set.ts";

export interface MemoryZone extends Provider {
  /** What is in it, to look at and to change behind our back. */
  sets: readonly RecordSet[];
  readonly batches: ChangeBatch[];
  lists: number;
  /** Thrown by the next call, once. `after`: the changes were made all the same. */
  failNext: { readonly error: ProviderError; readonly after?: boolean } | undefined;
}

const CAPABILITIES: Capabilities = {
  fencing: "Atomic",
  types: ["A", "AAAA", "CNAME", "DS", "HTTPS", "NS", "TXT"],
  policies: [],
  deadline: 10_000,
  lookEvery: 60_000,
  maxBatchCost: 50,
  cost: () => 1,
};

/** @param isFenced false: a provider that compares nothing */
export function memoryZone(sets: readonly RecordSet[] = [], { isFenced = true, maxBatchCost = 50 } = {}): MemoryZone {
  const conflict = (fact: string): ProviderError => new ProviderError("conflict", "memory example.org", fact, "It is read again.");
  const fail = (after: boolean): void => {
    const due = zone.failNext;
    if (due === undefined || (due.after ?? false) !== after) return;
    zone.failNext = undefined;
    throw due.error;
  };
  const check = (change: Change): void => {
    const there = zone.sets.find((set) => recordSetKey(set) === recordSetKey(change.action === "Create" ? change.after : change.before));
    if (change.action === "Create" && there !== undefined) throw conflict(`${recordSetKey(change.after)} is there`);
    const values = change.action === "Delete" || change.after.type !== "A" ? [] : change.after.values;
    const bad = values.find((value) => isIP(value) === 0);
    if (bad !== undefined) throw new ProviderError("refused", "memory example.org", `${bad} is no address`, "Correct it.");
  };
  const zone: MemoryZone = {
    name: "memory",
    capabilities: { ...CAPABILITIES, fencing: isFenced ? "Atomic" : "BestEffort", maxBatchCost },
    sets,
    batches: [],
    lists: 0,
    failNext: undefined,
    async list(signal) {
      signal.throwIfAborted();
      fail(false);
      zone.lists++;
      return zone.sets;
    },
    async apply(batch, signal) {
      signal.throwIfAborted();
      fail(false);
      const { fence, changes } = batch;
      if (isFenced) {
        const stands = zone.sets.find((set) => recordSetKey(set) === recordSetKey(setAt(fence)));
        const expected = fence.action === "Create" ? undefined : fence.before;
        const isSame = stands === undefined ? expected === undefined : expected !== undefined && sameRecordSet(stands, expected);
        if (!isSame) throw conflict("the fence is another");
        for (const change of changes) check(change);
      }
      zone.sets = applyChanges(zone.sets, [fence, ...changes]);
      zone.batches.push(batch);
      fail(true);
    },
  };
  return zone;
}
