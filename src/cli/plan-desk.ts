/** A server's plans of zones that are kept elsewhere: made for whoever asks, and carried out by the zone's own sync. */
import { type AppliedPlans, type AppliedZone, isOwnRecord, type ZonePlan } from "../../dns-providers/zone-plan.ts";
import { ApiError } from "../admin/api-error.ts";
import type { PlanDesk } from "../admin/plan-desk.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import { applyPlan, applyPlans, notApplied } from "./apply-plan.ts";
import { failureOf, makePlans, type Planning } from "./make-plans.ts";
import type { ProvidedZone, ProviderPublisher, ZoneInHand } from "./provider-publisher.ts";

export interface PlanDeskOptions extends Planning {
  readonly publisher: Pick<ProviderPublisher, "zones" | "isWriter">;
  /** Who has the writer's Lease; undefined when that is not known. */
  readonly writer: () => string | undefined;
  readonly metrics: Pick<Metrics, "providerChanges">;
  readonly log: Pick<Log, "info">;
}

export function createPlanDesk({ publisher, writer, metrics, log, ...planning }: PlanDeskOptions): PlanDesk {
  let isBusy = false;

  /** A plan is a listing of whole zones, and anybody may ask for it. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (isBusy) throw new ApiError("plan-running", "Another plan is being made or carried out.");
    isBusy = true;
    try {
      return await work();
    } finally {
      isBusy = false;
    }
  }

  function zonesInHand(): readonly ZoneInHand[] {
    const zones = publisher.zones();
    if (zones === undefined) throw new ApiError("not-ready", "No table is served yet, so nothing can be planned.");
    return zones;
  }

  async function applyOne(saved: ZonePlan, { zone, desired, delegations, act }: ZoneInHand): Promise<AppliedZone> {
    const applied = await act(async (sync, { capabilities }, epoch, signal) =>
      applyPlan({ saved, zone, desired: desired(capabilities), delegations: await delegations(), sync, epoch, signal }),
    ).catch((error: unknown) => notApplied(saved.zone, "Failed", failureOf(error).message)); // it could not even be begun
    if (applied === undefined) return notApplied(saved.zone, "Refused", notWriter().message); // it lost the Lease meanwhile
    if (applied.outcome === "Applied") {
      for (const { action } of saved.changes) metrics.providerChanges(zone.domain, action);
      const hosts = saved.changes.filter((change) => !isOwnRecord(change)).length;
      log.info({ zone: zone.domain, changes: applied.changes, hosts }, "a plan that somebody reviewed was carried out");
    }
    return applied;
  }

  function notWriter(): ApiError {
    const who = writer();
    return new ApiError("not-writer", `This replica is not the writer${who === undefined || who === "" ? "" : `: ${who} is`}.`);
  }

  return {
    plan: (names) => alone(async () => ({ ...(await makePlans(chooseZones(names, zonesInHand()), planning)), notes: [] })),
    apply: (plans) =>
      alone(async (): Promise<AppliedPlans> => {
        if (!publisher.isWriter()) throw notWriter();
        return applyPlans(plans, zonesInHand(), planning, applyOne);
      }),
  };
}

/**
 * @param names of DNSZones or domains; none = all
 * @throws ApiError `no-zone`
 */
export function chooseZones<T extends { readonly zone: Pick<ProvidedZone, "name" | "domain"> }>(
  names: readonly string[],
  zones: readonly T[],
): readonly T[] {
  const wanted = names.map((name) => name.toLowerCase().replace(/\.$/, ""));
  const isMeant = (name: string, { zone }: T): boolean => zone.name === name || zone.domain === name;
  const unknown = wanted.find((name) => !zones.some((one) => isMeant(name, one)));
  if (unknown !== undefined) {
    const there = zones.map(({ zone }) => zone.name).join(", ");
    throw new ApiError(
      "no-zone",
      `There is no DNSZone ${unknown} that is kept elsewhere. ${there === "" ? "No zone is" : `There are: ${there}`}.`,
    );
  }
  return wanted.length === 0 ? zones : zones.filter((one) => wanted.some((name) => isMeant(name, one)));
}
