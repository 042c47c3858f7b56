/** What the API needs of whoever plans zones that are kept elsewhere. */
import type { AppliedPlans, ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";

export interface PlanDesk {
  /**
   * Lists zones anew and tells what would change. Writes nothing.
   *
   * @param zones names of DNSZones, or domains; none = all that are kept elsewhere
   * @throws ApiError `no-zone`; `plan-running` while another plan is made; `not-ready` before the first table
   */
  readonly plan: (zones: readonly string[]) => Promise<ZonePlans>;
  /**
   * Act: carries out plans, each if it is still all that would change in its zone.
   *
   * @throws ApiError as `plan`, and `not-writer`
   */
  readonly apply: (plans: readonly ZonePlan[]) => Promise<AppliedPlans>;
}

/** Of an engine without zones that are kept elsewhere. */
export const NOTHING_TO_PLAN: PlanDesk = {
  plan: async () => ({ zones: [], failures: [], notes: [] }),
  apply: async () => ({ zones: [] }),
};
