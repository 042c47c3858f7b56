/**
 * Which backend a slot gets (docs/decisions.md), one sentence after another. Imports nothing of what it judges.
 */
import { type OracleMember, oracleHash, oracleMix, oracleOrder, oracleScore, oracleSlots } from "./slots.ts";

/** The ladder, best first; `Excluded` is cordoned, `Absent` has no address of the family. */
export const LADDER = ["Usable", "Pending", "Unknown", "Unhealthy", "Draining", "Excluded", "Absent"] as const;
export type OracleStanding = (typeof LADDER)[number];

export interface OracleBackend extends OracleMember {
  readonly position: number;
  readonly standing: OracleStanding;
  /** 0..65535 of its own slots that it keeps. */
  readonly keep: number;
  /** When it last stopped being usable; 0 = never was. */
  readonly lastUsable: number;
}

export interface OracleAsk {
  readonly tiers: readonly (readonly OracleBackend[])[];
  /** 32 bits, from the client or from chance. */
  readonly slotHash: number;
  /** 0..65535 of the first serving tier's slots that go to the next one. */
  readonly trickle: number;
  readonly holdLast: boolean;
}

export interface OracleDecision {
  readonly backend: OracleBackend;
  readonly tier: number;
  readonly mode: OracleStanding | "Held";
}

const WHOLE = 65_535;

/** A sticky client's slot hash. @param network the client's address cut to /24 (one number) or /48 (its first 32 bits, the next 16) */
export function oracleSlotHash(network: readonly number[], route: string): number {
  const client = network.length === 1 ? oracleMix(network[0]!) : oracleMix((oracleMix(network[0]!) ^ network[1]!) >>> 0);
  return oracleMix((client ^ oracleHash(route)) >>> 0);
}

export function oracleDecide(ask: OracleAsk): OracleDecision | undefined {
  const by = (standing: OracleStanding) => standingDecision(ask, standing);
  return (
    usableDecision(ask) ??
    by("Pending") ??
    (ask.holdLast ? heldDecision(ask, "Draining") : undefined) ??
    by("Unknown") ??
    by("Unhealthy") ??
    by("Draining") ??
    heldDecision(ask, "Excluded")
  );
}

/** Slot of a tier, and the backend that owns it. A tier of one has no slots: it owns everything. */
function slotOf(tier: readonly OracleBackend[], slotHash: number) {
  if (tier.length === 1) return { slot: slotHash, owner: tier[0]!, rank: slotHash >>> 16, owned: 65_536 };
  const { bits, owner, rank, owned } = oracleSlots(tier);
  const slot = slotHash >>> (32 - bits);
  return { slot, owner: tier[owner[slot]!]!, rank: rank[slot]!, owned: owned[owner[slot]!]! };
}

const inOrder = (tier: readonly OracleBackend[], slot: number): readonly OracleBackend[] => oracleOrder(slot, tier).map((i) => tier[i]!);

function usableDecision({ tiers, slotHash, trickle }: OracleAsk): OracleDecision | undefined {
  const serving = tiers.flatMap((tier, i) => (tier.some(({ standing }) => standing === "Usable") ? [{ tier, i }] : []));
  const offers = serving.map(({ tier, i }, nth) => {
    const { slot, owner, rank, owned } = slotOf(tier, slotHash);
    const ordered = inOrder(tier, slot).filter(({ standing }) => standing === "Usable");
    const fallback = owner.standing === "Usable" ? owner : ordered[0]!;
    const given = (share: number): number => (tier.length === 1 ? share : Math.round((owned * share) / WHOLE));
    const isTrickled = nth === 0 && trickle > 0 && rank >= owned - given(trickle);
    const keeps = owner.standing === "Usable" && (owner.keep === WHOLE || rank < given(owner.keep));
    const substitute = ordered.find((backend) => backend !== owner && backend.keep === WHOLE);
    const taker = isTrickled ? undefined : keeps ? owner : substitute;
    return { tier: i, taker, fallback };
  });
  const taken = offers.find(({ taker }) => taker !== undefined);
  if (taken?.taker !== undefined) return { backend: taken.taker, tier: taken.tier, mode: "Usable" };
  return offers[0] && { backend: offers[0].fallback, tier: offers[0].tier, mode: "Usable" };
}

function standingDecision({ tiers, slotHash }: OracleAsk, wanted: OracleStanding): OracleDecision | undefined {
  const tier = tiers.findIndex((members) => members.some(({ standing }) => standing === wanted));
  if (tier < 0) return undefined;
  const { slot, owner } = slotOf(tiers[tier]!, slotHash);
  const backend = owner.standing === wanted ? owner : inOrder(tiers[tier]!, slot).find(({ standing }) => standing === wanted)!;
  return { backend, tier, mode: wanted };
}

function heldDecision({ tiers, slotHash }: OracleAsk, worst: OracleStanding): OracleDecision | undefined {
  const candidates = tiers
    .flatMap((members, tier) => members.map((backend) => ({ backend, tier })))
    .filter(({ backend }) => backend.lastUsable > 0 && LADDER.indexOf(backend.standing) <= LADDER.indexOf(worst));
  const score = (backend: OracleBackend): number => oracleScore(slotHash >>> 20, backend);
  candidates.sort((a, b) => b.backend.lastUsable - a.backend.lastUsable || a.tier - b.tier || score(b.backend) - score(a.backend));
  return candidates[0] && { ...candidates[0], mode: "Held" };
}

/** The backends that an answer names: the chosen one, then up to `spread − 1` of its tier and standing. */
export function oracleSpread(ask: OracleAsk, decision: OracleDecision, spread: number): readonly OracleBackend[] {
  if (decision.mode === "Held") return [decision.backend];
  const tier = ask.tiers[decision.tier]!;
  const share = oracleMix(ask.slotHash) >>> 16;
  const others = inOrder(tier, slotOf(tier, ask.slotHash).slot).filter(
    (backend) => backend !== decision.backend && backend.standing === decision.mode && (backend.keep === WHOLE || share < backend.keep),
  );
  return [decision.backend, ...others.slice(0, spread - 1)];
}
