/** Step `drift` of `check zone`: whether a zone that is kept elsewhere has what a running server publishes, or what the objects of a folder ask for. */
import type { ZoneFailure, ZonePlan } from "../../dns-providers/zone-plan.ts";
import { zonePlansSchema } from "../admin/plan-schemas.ts";
import type { StepResult } from "../dns/check/step.ts";
import { count } from "../model/count.ts";
import type { ApiClient } from "./api-client.ts";
import { CommandError, type Io } from "./io.ts";
import { type OfflinePlanning, planOffline } from "./plan-offline.ts";

/** Changes and conflicts that are named. */
const MOST = 5;

export interface DriftOf {
  readonly domain: string;
  /** Name of the DNSZone. */
  readonly zone: string;
  /** Whether it is kept elsewhere itself. */
  readonly isElsewhere: boolean;
  /** Name of the DNSZone in which its delegation is kept. */
  readonly parent?: string;
}

/** @throws CommandError (exit 2) for a folder with errors */
export async function zoneDrift(
  { domain, zone, isElsewhere, parent }: DriftOf,
  planning: OfflinePlanning,
  io: Pick<Io, "now" | "cwd">,
): Promise<StepResult> {
  const names = [...(isElsewhere ? [zone] : []), ...(parent === undefined ? [] : [parent])];
  const { zones, failures } = await planOffline(names, planning, io);
  const judge = (name: string, only: (plan: ZonePlan) => ZonePlan): StepResult => {
    const plan = zones.find((one) => one.zone === name);
    return judgeDrift(
      plan === undefined ? undefined : only(plan),
      failures.find((one) => one.zone === name),
      "Folder",
    );
  };
  return worst([
    ...(isElsewhere ? [judge(zone, (plan) => plan)] : []),
    ...(parent === undefined ? [] : [judge(parent, (plan) => delegationIn(plan, zone, domain))]),
  ]);
}

/** Of the plan of a zone what is about the delegation of another one. @param child name of its DNSZone */
export function delegationIn(plan: ZonePlan, child: string, domain: string): ZonePlan {
  const resource = `DNSZone/${child}`;
  const isOf = (one: { readonly resource?: string }): boolean => one.resource === resource;
  const waiting = (plan.waiting ?? []).filter((one) => one.child === domain);
  return { ...plan, changes: plan.changes.filter(isOf), conflicts: plan.conflicts.filter(isOf), held: [], kept: [], waiting };
}

const BADNESS = ["failed", "warning", "skipped", "ok"] as const;

/** Several results as one. @param results at least one */
export function worst(results: readonly StepResult[]): StepResult {
  const sorted = results.toSorted((a, b) => BADNESS.indexOf(a.status) - BADNESS.indexOf(b.status));
  return { ...sorted[0]!, facts: sorted.flatMap(({ facts }) => facts) };
}

/** Longer than a server takes at most, ms. */
const PATIENCE = 75_000;

/** @throws CommandError (exit 2) when the server cannot be asked, or keeps no such zone elsewhere */
export async function servedDrift(domain: string, client: Pick<ApiClient, "get">): Promise<StepResult> {
  try {
    const { zones, failures } = await client.get(`/v1/plan?${new URLSearchParams({ zone: domain })}`, zonePlansSchema, [], PATIENCE);
    return judgeDrift(zones[0], failures[0], "Server");
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(2, error.message, { cause: error }) : error;
  }
}

/** What differs may be a failover of which a folder tells nothing, or a write that is just due: that is no fault. */
export function judgeDrift(plan: ZonePlan | undefined, failure: ZoneFailure | undefined, by: "Folder" | "Server"): StepResult {
  if (plan === undefined) {
    const fact = failure?.message ?? "the zone could not be planned";
    return { status: "failed", facts: [fact], remedy: "Mend what is said; `globalroute plan` tries the same." };
  }
  const { conflicts, changes, kept, provider, waiting = [] } = plan;
  const named = <T extends { readonly name: string; readonly type: string }>(
    list: readonly T[],
    tell: (one: T) => string,
  ): readonly string[] => [...list.slice(0, MOST).map(tell), ...(list.length > MOST ? [`and ${list.length - MOST} more`] : [])];
  const wanted = by === "Folder" ? "the objects ask for" : "the server publishes it";
  const differs = [
    ...named(changes, ({ name, type, action }) => `${name} ${type} is not as ${wanted}: ${VERBS[action]}`),
    ...waiting.map(({ child, why }) => `the delegation of ${child} is not as ${wanted}, and waits: ${why}`),
  ];
  if (conflicts.length > 0) {
    const told = named(
      conflicts,
      ({ name, type, reason, owner }) => `${name} ${type} is not ours: ${reason}${owner === undefined ? "" : ` ${owner}`}`,
    );
    return { status: "failed", facts: [...told, ...differs], remedy: "Remove these records there, or take the hosts out of the routes." };
  }
  if (differs.length > 0)
    return {
      status: "warning",
      facts: differs,
      remedy: by === "Folder" ? ASK_SERVER : LOOK_AGAIN,
    };
  const left = kept.length === 0 ? "" : `; ${count(kept.length, "record set")} of ours that nobody asks for stay by policy UpsertOnly`;
  return { status: "ok", facts: [`${provider} has what ${by === "Folder" ? "the objects ask for" : "the server publishes"}${left}`] };
}

const ASK_SERVER = "Look with `globalroute plan` whether the running server would change it: here every backend is taken for healthy.";
const LOOK_AGAIN =
  "The writer mends it within a minute (Route 53: five), unless the zone's policy is DryRun or UpsertOnly, or removals are held: if it stays, its log and /readyz tell why.";

const VERBS = { Create: "it is missing", Replace: "it is another", Delete: "nobody asks for it" } as const;
