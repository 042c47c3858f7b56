/** Many routes, few policies, fewer partitions: interns everything of a table that routes share. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import { buildPartition, type Partition, partitionBytes } from "../geo/partition.ts";
import { sharedFloat64, sharedInt16, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import { classifyPlaces, numberSpots, type Spots } from "./classify-places.ts";
import { mix32 } from "./hash.ts";
import type { Measures } from "./measure.ts";
import type { Policy } from "./policy.ts";
import { buildSlots } from "./slots.ts";
import { NO_SLOTS } from "./table.ts";

/** Owns policies, shapes, partitions, plans, tiers and slots while a table is built. */
export class PolicyTable {
  readonly partitions: Partition[] = [];
  scopeFallbacks = 0;
  private readonly byKey = new Map<string, number>();
  private readonly shapeByKey = new Map<string, Shape>();
  private readonly cutsByHash = new Map<number, Cut[]>();
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
  private readonly spots: Spots;

  constructor(geo: GeoTable, measures: Measures, scopeBudget: number) {
    this.geo = geo;
    this.spots = numberSpots(geo.places);
    this.measures = measures;
    this.scopeBudget = scopeBudget;
  }

  add(policy: Policy): number {
    const key = JSON.stringify(policy);
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
    const { classOfPlace, plans, requires } = classifyPlaces(policy, this.geo.places, this.spots, this.measures);
    const shape = { partition: this.partition({ classOfPlace, requires }), plans };
    this.shapeByKey.set(key, shape);
    return shape;
  }

  private partition({ classOfPlace, requires }: Omit<Cut, "partition">): number {
    const hash = hashNumbers(classOfPlace, hashNumbers(requires, 0));
    const cuts = this.cutsByHash.get(hash) ?? [];
    const known = cuts.find((cut) => equalNumbers(cut.classOfPlace, classOfPlace) && equalNumbers(cut.requires, requires));
    if (known !== undefined) return known.partition;
    const id = this.partitions.length;
    this.cutsByHash.set(hash, [...cuts, { classOfPlace, requires, partition: id }]);
    const size = partitionBytes(this.geo, requires.length);
    if (this.scopeBytes + size > this.scopeBudget) {
      this.scopeFallbacks++;
      this.partitions.push(leafScopes(classOfPlace, requires));
    } else {
      this.scopeBytes += size;
      this.partitions.push(buildPartition(this.geo, classOfPlace, requires.length, requires));
    }
    return id;
  }

  private tier(policy: Policy, positions: readonly number[]): number {
    // Standbys share alike; a tier never mixes them with weighted members.
    const members = positions.map((position) => ({
      ...policy.members[position]!,
      position,
      weight: policy.members[position]!.weight || 1,
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
    const built = buildSlots(members);
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

interface Cut {
  readonly classOfPlace: Uint32Array;
  /** class → 1 when a Require rule takes backends from it. */
  readonly requires: Uint8Array;
  readonly partition: number;
}

/** Beyond the scope budget: every leaf is its own scope, and a prefix shorter than a leaf gets a Require class if the policy has any. */
function leafScopes(classOfPlace: Uint32Array, requires: Uint8Array): Partition {
  const short = Math.max(requires.indexOf(1), 0);
  return { classOfPlace, marks: sharedUint16(0), classOfNode: sharedUint32([short]), classes: requires.length };
}

function hashNumbers(numbers: Uint32Array | Uint8Array, seed: number): number {
  let h = seed;
  for (const value of numbers) h = mix32(h ^ value);
  return h;
}

const equalNumbers = (a: Uint32Array | Uint8Array, b: Uint32Array | Uint8Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
