/** Many routes, few policies, fewer partitions: interns everything of a table that routes share. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import { buildPartition, type Partition, partitionBytes } from "../geo/partition.ts";
import { sharedFloat64, sharedInt16, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import { classifyPlaces } from "./classify-places.ts";
import type { BuiltCut, MemoUse } from "./compile-memo.ts";
import { mix32 } from "./hash.ts";
import type { Measures } from "./measure.ts";
import { type Policy, tierWeight } from "./policy.ts";
import { buildSlots } from "./slots.ts";
import { NO_SLOTS } from "./table.ts";

/** Owns policies, shapes, partitions, plans, tiers and slots while a table is built. */
export class PolicyTable {
  readonly partitions: Partition[] = [];
  scopeFallbacks = 0;
  private readonly byKey = new Map<string, number>();
  private readonly shapeByKey = new Map<string, Shape>();
  private readonly cuts = new Map<BuiltCut, number>();
  private readonly tierByKey = new Map<string, number>();
  private readonly slotsByKey = new Map<string, { start: number; bits: number; owned: Uint32Array }>();
  private readonly policyPartition: number[] = [];
  private readonly policyPlans: number[] = [];
  private readonly planLone: number[] = [];
  private readonly planTiers: number[] = [0];
  private readonly planTierIds: number[] = [];
  private readonly tierMembers: number[] = [0];
  private readonly tierSlots: number[] = [];
  private readonly tierSlotBits: number[] = [];
  private readonly memberBackend: number[] = [];
  private readonly memberWeight: number[] = [];
  private readonly memberHash: number[] = [];
  private readonly memberOwned: number[] = [];
  private readonly slotOwner: Uint8Array[] = [];
  private readonly slotRank: Uint16Array[] = [];
  private slotCount = 0;
  private scopeBytes = 0;
  private readonly geo: GeoTable;
  private readonly measures: Measures;
  private readonly scopeBudget: number;
  private readonly memo: MemoUse;

  constructor(geo: GeoTable, measures: Measures, scopeBudget: number, memo: MemoUse) {
    this.geo = geo;
    this.memo = memo;
    this.measures = measures;
    this.scopeBudget = scopeBudget;
  }

  /** @param key equal for equal policies */
  add(policy: Policy, key: string): number {
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const id = this.policyPartition.length;
    this.byKey.set(key, id);
    const { partition, plans } = this.shape(policy);
    this.policyPartition.push(partition);
    this.policyPlans.push(this.planTiers.length - 1);
    for (const tiers of plans) {
      const [first = []] = tiers;
      this.planLone.push(first.length === 1 ? first[0]! : -1);
      for (const tier of tiers) this.planTierIds.push(this.tier(policy, tier));
      this.planTiers.push(this.planTierIds.length);
    }
    return id;
  }

  /** Classifying all places is the dear part of a policy, and weights above 0 do not matter to it. */
  private shape(policy: Policy): Shape {
    const members = policy.members.map(({ cluster, weight, priority, bias }) => [cluster, weight > 0, priority, bias]);
    const key = JSON.stringify({ ...policy, rules: policy.rules.map(({ name, ...rest }) => rest), members });
    const known = this.shapeByKey.get(key);
    if (known !== undefined) return known;
    const make = () => classifyPlaces(policy, this.geo.places, this.memo.spots, this.measures);
    const { classOfPlace, plans, requires } = this.memo.classes(key, make);
    const shape = { partition: this.partition({ classOfPlace, requires }), plans };
    this.shapeByKey.set(key, shape);
    return shape;
  }

  private partition({ classOfPlace, requires }: Omit<BuiltCut, "partition">): number {
    const hash = hashNumbers(classOfPlace, hashNumbers(requires, 0));
    const fits = this.scopeBytes + partitionBytes(this.geo, requires.length) <= this.scopeBudget;
    const isSame = (cut: BuiltCut): boolean => equalNumbers(cut.classOfPlace, classOfPlace) && equalNumbers(cut.requires, requires);
    // one that did not fit may fit now, and the other way round
    const isUsable = (cut: BuiltCut): boolean => isSame(cut) && (this.cuts.has(cut) || hasScopes(cut.partition) === fits);
    const cut = this.memo.cut(hash, isUsable, () => {
      const partition = fits ? buildPartition(this.geo, classOfPlace, requires.length, requires) : leafScopes(classOfPlace, requires);
      return { classOfPlace, requires, partition };
    });
    const known = this.cuts.get(cut);
    if (known !== undefined) return known;
    const id = this.partitions.push(cut.partition) - 1;
    this.cuts.set(cut, id);
    if (hasScopes(cut.partition)) this.scopeBytes += partitionBytes(this.geo, requires.length);
    else this.scopeFallbacks++;
    return id;
  }

  private tier(policy: Policy, positions: readonly number[]): number {
    const members = positions.map((position) => ({
      ...policy.members[position]!,
      position,
      weight: tierWeight(policy.members[position]!),
    }));
    const slotKey = members.map((member) => `${member.hash}:${member.weight}`).join();
    const key = `${positions.join()};${slotKey}`;
    const known = this.tierByKey.get(key);
    if (known !== undefined) return known;
    const id = this.tierSlots.length;
    this.tierByKey.set(key, id);
    const slots = members.length > 1 ? this.slots(slotKey, members) : { start: NO_SLOTS, bits: 0, owned: new Uint32Array(1) };
    this.tierSlots.push(slots.start);
    this.tierSlotBits.push(slots.bits);
    members.forEach((member, i) => {
      this.memberBackend.push(member.position);
      this.memberWeight.push(member.weight);
      this.memberHash.push(member.hash);
      this.memberOwned.push(slots.owned[i]!);
    });
    this.tierMembers.push(this.memberBackend.length);
    return id;
  }

  private slots(key: string, members: readonly { readonly weight: number; readonly hash: number }[]) {
    const known = this.slotsByKey.get(key);
    if (known !== undefined) return known;
    const built = this.memo.slots(key, () => buildSlots(members));
    const entry = { start: this.slotCount, bits: built.bits, owned: built.owned };
    this.slotOwner.push(built.owner);
    this.slotRank.push(built.rank);
    this.slotCount += built.owner.length;
    this.slotsByKey.set(key, entry);
    return entry;
  }

  columns() {
    const slotOwner = sharedUint8(this.slotCount);
    const slotRank = sharedUint16(this.slotCount);
    let at = 0;
    this.slotOwner.forEach((owner, i) => {
      slotOwner.set(owner, at);
      slotRank.set(this.slotRank[i]!, at);
      at += owner.length;
    });
    return {
      policyPartition: sharedUint32(this.policyPartition),
      policyPlans: sharedUint32(this.policyPlans),
      planLone: sharedInt16(this.planLone),
      planTiers: sharedUint32(this.planTiers),
      planTierIds: sharedUint32(this.planTierIds),
      tierMembers: sharedUint32(this.tierMembers),
      tierSlots: sharedUint32(this.tierSlots),
      tierSlotBits: sharedUint8(this.tierSlotBits),
      memberBackend: sharedUint16(this.memberBackend),
      memberWeight: sharedFloat64(this.memberWeight),
      memberHash: sharedUint32(this.memberHash),
      memberOwned: sharedUint32(this.memberOwned),
      slotOwner,
      slotRank,
    };
  }
}

/** What a policy makes of all places, weights aside. */
interface Shape {
  readonly partition: number;
  /** class → tiers of backend positions. */
  readonly plans: readonly (readonly (readonly number[])[])[];
}

/** Beyond the scope budget: every leaf is its own scope, and a prefix shorter than a leaf gets a Require class if the policy has any. */
function leafScopes(classOfPlace: Uint32Array, requires: Uint8Array): Partition {
  const short = Math.max(requires.indexOf(1), 0);
  return { classOfPlace, marks: sharedUint16(0), classOfNode: sharedUint32([short]), classes: requires.length };
}

const hasScopes = (partition: Partition): boolean => partition.marks.length > 0;

function hashNumbers(numbers: Uint32Array | Uint8Array, seed: number): number {
  let h = seed;
  for (const value of numbers) h = mix32(h ^ value);
  return h;
}

const equalNumbers = (a: Uint32Array | Uint8Array, b: Uint32Array | Uint8Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
