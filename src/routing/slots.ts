/** Slots of a tier: which member serves which share of clients, exactly and stably. */
import { mix32, rendezvousScore } from "./hash.ts";

export interface TierMember {
  /** Above 0; only ratios count. */
  readonly weight: number;
  /** From the cluster's identity, so that slots survive reordering and renaming of backends. */
  readonly hash: number;
}

export interface SlotTable {
  /** 12 or 16: 4,096 or 65,536 slots. */
  readonly bits: number;
  /** slot → member position. */
  readonly owner: Uint8Array;
  /** slot → rank among its owner's slots in hash order, 0 first; the highest ranks are given away first and come back last. */
  readonly rank: Uint16Array;
  /** member → slots owned. */
  readonly owned: Uint32Array;
}

const MANY_SLOTS_BELOW_SHARE = 1 / 400;

/**
 * Seats in proportion to weights by the method of Webster (Sainte-Laguë), at least one each. Of equal claims to a last seat the member
 * of the lower hash gets it, whatever the order of members.
 *
 * @param members fewer than `seats`
 * @returns member → seats, `seats` in all
 */
export function apportion(members: readonly TierMember[], seats: number): Uint32Array {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  // A divisor that gives out too few for certain: what Webster's quotients down to it grant, he grants. The rest goes one by one.
  const divisor = total / (seats - members.length);
  const out = Uint32Array.from(members, ({ weight }) => Math.max(1, Math.floor(weight / divisor + 0.5)));
  for (let given = out.reduce((sum, own) => sum + own, 0); given < seats; given++) {
    let best = 0;
    let bestQuotient = -1;
    for (let i = 0; i < members.length; i++) {
      const { weight, hash } = members[i]!;
      const quotient = weight / (2 * out[i]! + 1);
      if (quotient > bestQuotient || (quotient === bestQuotient && hash < members[best]!.hash)) {
        best = i;
        bestQuotient = quotient;
      }
    }
    out[best]!++;
  }
  return out;
}

/**
 * Fills the slots of a tier: every slot goes to the first member of its rendezvous order that has seats left.
 *
 * @param members two or more, at most 256
 */
export function buildSlots(members: readonly TierMember[]): SlotTable {
  const weights = members.map((member) => member.weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const bits = Math.min(...weights) / total < MANY_SLOTS_BELOW_SHARE ? 16 : 12;
  const slots = 1 << bits;
  const owned = apportion(members, slots);
  const left = Uint32Array.from(owned);
  const owner = new Uint8Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    let best = -1;
    let bestScore = -1;
    for (let m = 0; m < members.length; m++) {
      if (left[m] === 0) continue;
      const score = rendezvousScore(slot, members[m]!.hash, members[m]!.weight);
      if (score > bestScore) {
        best = m;
        bestScore = score;
      }
    }
    owner[slot] = best;
    left[best]!--;
  }
  return { bits, owner, rank: rankWithinOwner(owner, members, owned), owned };
}

function rankWithinOwner(owner: Uint8Array, members: readonly TierMember[], owned: Uint32Array): Uint16Array {
  const rank = new Uint16Array(owner.length);
  // Hash and slot in one number, so that a plain numeric sort orders by hash, then slot.
  const keys = members.map((_, m) => new Float64Array(owned[m]!));
  const filled = new Uint32Array(members.length);
  for (let slot = 0; slot < owner.length; slot++) {
    const m = owner[slot]!;
    keys[m]![filled[m]!++] = mix32(slot ^ Math.imul(members[m]!.hash, 0x27d4eb2f)) * 0x1_0000 + slot;
  }
  for (const own of keys) {
    own.sort().forEach((key, i) => {
      rank[key % 0x1_0000] = i;
    });
  }
  return rank;
}
