/** Carries out plans, whoever holds the syncs of their zones. */
import type { DesiredSet } from "../../dns-providers/change.ts";
import type { DesiredDelegation } from "../../dns-providers/delegation/delegation.ts";
import {
  type AppliedPlans,
  type AppliedZone,
  firstDifference,
  toZonePlan,
  type ZonePlan,
  type ZonePlans,
} from "../../dns-providers/zone-plan.ts";
import type { ZoneSync } from "../../dns-providers/zone-sync.ts";
import { aboutZone, failureOf, makePlans, NOT_READY, type Planning, type ZoneToPlan } from "./make-plans.ts";
import type { ProvidedZone } from "./provider-publisher.ts";

export interface PlanToApply {
  readonly saved: ZonePlan;
  readonly zone: ProvidedZone;
  readonly desired: readonly DesiredSet[] | undefined;
  readonly delegations: readonly DesiredDelegation[];
  /** Everything of ours there is to go. */
  readonly destroy?: true | undefined;
  readonly sync: Pick<ZoneSync, "apply">;
  /** Of the writer's term. */
  readonly epoch: number;
  readonly signal: AbortSignal;
}

const PLAN_AGAIN = "Run `globalroute plan` again, and review what it shows now.";

/** Applies all of it or tells why not. Never rejects. */
export async function applyPlan({ saved, zone, desired, delegations, destroy, sync, epoch, signal }: PlanToApply): Promise<AppliedZone> {
  const not = (outcome: AppliedZone["outcome"], message: string): AppliedZone => notApplied(saved.zone, outcome, message);
  let hasBegun = false;
  if (desired === undefined) return not("Refused", NOT_READY);
  try {
    const outcome = await sync.apply({
      ...{ desired, delegations, epoch, signal },
      review(planned) {
        const difference = firstDifference(saved, toZonePlan(aboutZone(zone, destroy), planned));
        hasBegun = difference === undefined;
        return difference;
      },
    });
    switch (outcome.kind) {
      case "Synced":
      case "Planned":
        return { zone: saved.zone, outcome: "Applied", changes: saved.changes.length, message: "" };
      case "Stale":
        return stale(saved.zone, outcome.difference);
      case "LostFence": {
        const remedy = "Apply the plan there, or give each installation an owner of its own.";
        return not("Refused", `somebody else writes as owner ${zone.owner}, in term ${outcome.epoch}. ${remedy}`);
      }
    }
  } catch (error) {
    const { message } = failureOf(error, signal);
    return not("Failed", hasBegun ? `${message} A part of the plan may have been carried out. ${PLAN_AGAIN}` : message);
  }
}

/**
 * Several zones cannot be written in one step: none is unless all of them, so far as can be seen, are as they were, and the first that fails is
 * the last that is tried.
 *
 * @param zones    that there are
 * @param applyOne carries out the plan of one
 */
export async function applyPlans<T extends ZoneToPlan>(
  plans: readonly ZonePlan[],
  zones: readonly T[],
  planning: Planning,
  applyOne: (saved: ZonePlan, zone: T) => Promise<AppliedZone>,
): Promise<AppliedPlans> {
  const due = plans.filter(({ changes }) => changes.length > 0);
  const there = due.flatMap((saved) => zones.filter(({ zone }) => zone.name === saved.zone).map((one) => ({ saved, one })));
  const gone = due.filter((saved) => !there.some((one) => one.saved === saved));
  if (gone.length > 0)
    return { zones: due.map(({ zone }) => (gone.some((one) => one.zone === zone) ? stale(zone, GONE) : withheld(zone))) };
  if (due.length > 1) {
    const now = await makePlans(
      there.map(({ one }) => one),
      planning,
    );
    const faults = due.map((saved) => faultOf(saved, now));
    if (faults.some((fault) => fault !== undefined)) return { zones: due.map(({ zone }, i) => faults[i] ?? withheld(zone)) };
  }
  const applied: AppliedZone[] = [];
  for (const { saved, one } of there) {
    const isBroken = applied.some(({ outcome }) => outcome !== "Applied");
    applied.push(isBroken ? withheld(saved.zone) : await applyOne(saved, one));
  }
  return { zones: applied };
}

const GONE = "there is no such DNSZone that is kept elsewhere any more";

/** What keeps a plan from being carried out. */
function faultOf(saved: ZonePlan, { zones, failures }: Pick<ZonePlans, "zones" | "failures">): AppliedZone | undefined {
  const failure = failures.find(({ zone }) => zone === saved.zone);
  if (failure !== undefined) return notApplied(saved.zone, failure.code === "not-ready" ? "Refused" : "Failed", failure.message);
  const now = zones.find(({ zone }) => zone === saved.zone);
  const difference = now === undefined ? GONE : firstDifference(saved, now);
  return difference === undefined ? undefined : stale(saved.zone, difference);
}

export const notApplied = (zone: string, outcome: AppliedZone["outcome"], message: string): AppliedZone => ({
  ...{ zone, outcome, changes: 0, message },
});

/** @param difference a clause */
const stale = (zone: string, difference: string): AppliedZone => notApplied(zone, "Stale", `${difference}. ${PLAN_AGAIN}`);

const withheld = (zone: string): AppliedZone => notApplied(zone, "Refused", "not tried, as another zone of the plan could not be changed.");
