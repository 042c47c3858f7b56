/** What would change in a zone, as it is shown, saved, and compared with what would change when it is carried out. Pure. */
import type { Change, DesiredSet } from "./change.ts";
import type { DesiredDelegation, WaitingDelegation } from "./delegation/delegation.ts";
import type { Fence } from "./fence.ts";
import { isReserved, parseOwnership, registeredName } from "./ownership.ts";
import type { Conflict, Plan } from "./planner.ts";
import { type RecordSet, type SetPolicy, sameRecordSet } from "./record-set.ts";
import { setInWords } from "./set-in-words.ts";

export interface ZonePlan {
  /** Name of the DNSZone. */
  readonly zone: string;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** `RFC2136`. */
  readonly provider: string;
  readonly owner: string;
  readonly policy: "Sync" | "UpsertOnly" | "DryRun";
  /** Everything of ours is to go, whatever the objects ask for and the policy says. */
  readonly destroy?: true;
  /** As it was seen; null: nobody has written yet. */
  readonly fence: Fence | null;
  /** In the order in which they are made. Removals count as confirmed. */
  readonly changes: readonly PlannedChange[];
  /** Wanted, and not published, as what is there is not ours. */
  readonly conflicts: readonly PlannedConflict[];
  /** Removals among the changes that a sync holds back until they are confirmed, as they are too many. */
  readonly held: readonly SetName[];
  /** Ours, wanted no more, and not removed by policy. */
  readonly kept: readonly SetName[];
  /** Delegations that are not as they are wanted, and why. */
  readonly waiting?: readonly Pick<WaitingDelegation, "child" | "why">[];
}

export interface SetName {
  readonly name: string;
  readonly type: string;
  /** Where several sets have one name and type. */
  readonly setIdentifier?: string;
}

export interface PlannedChange extends SetName {
  readonly action: Change["action"];
  /** What it is made for: `GlobalRoute/web/shop`. */
  readonly resource?: string;
  /** Absent with Create. */
  readonly before?: SetContent;
  /** Absent with Delete. */
  readonly after?: SetContent;
}

/** A {@link RecordSet} without its name. */
export interface SetContent extends Pick<RecordSet, "ttl" | "values" | "alias" | "healthCheck"> {
  readonly policy?: SetPolicy;
}

export interface PlannedConflict extends Conflict {
  /** What it is wanted for. */
  readonly resource?: string;
}

/** Plans of several zones. */
export interface ZonePlans {
  readonly zones: readonly ZonePlan[];
  /** Zones that could not be planned. */
  readonly failures: readonly ZoneFailure[];
  /** What has to be known of all of it, in sentences. */
  readonly notes: readonly string[];
}

export interface ZoneFailure {
  readonly zone: string;
  readonly provider: string;
  /** A provider's, or `not-ready`, or `unknown`. */
  readonly code: string;
  /** With the remedy. */
  readonly message: string;
}

/** What became of plans that were to be carried out. */
export interface AppliedPlans {
  readonly zones: readonly AppliedZone[];
}

export interface AppliedZone {
  readonly zone: string;
  /** `Applied` alone has changed anything for certain; with `Failed` it is not known, and with the others nothing was. */
  readonly outcome: "Applied" | "Stale" | "Refused" | "Failed";
  /** Changes that were made. */
  readonly changes: number;
  /** Empty with `Applied`, else why not, and the remedy. */
  readonly message: string;
}

/** What a zone was found to have, and what follows. */
export interface PlannedZone {
  /** With all removals. */
  readonly plan: Plan;
  /** Of its removals those that are too many. */
  readonly held: readonly RecordSet[];
  readonly fence: Fence | undefined;
  readonly actual: readonly RecordSet[];
  readonly desired: readonly DesiredSet[];
  readonly delegations: readonly DesiredDelegation[];
}

/** A record that is ours alone, and no host's: registry, fence, helpers. */
export const isOwnRecord = ({ name }: Pick<RecordSet, "name">): boolean => isReserved(name);

export function toZonePlan(
  about: Pick<ZonePlan, "zone" | "domain" | "provider" | "owner" | "policy" | "destroy">,
  planned: PlannedZone,
): ZonePlan {
  const resources = new Map(
    planned.actual.flatMap((set): readonly (readonly [string, string])[] => {
      const name = registeredName(set.name);
      const resource = name === undefined ? undefined : parseOwnership(set)?.resource;
      return name === undefined || resource === undefined ? [] : [[name, resource]];
    }),
  );
  for (const { name, resource } of planned.desired) if (!isReserved(name)) resources.set(name, resource);
  for (const one of planned.delegations) {
    resources.set(one.child, one.resource);
    if (one.kind === "Known") for (const { name } of one.authority.glue) resources.set(name, one.resource);
  }
  const resourceOf = (name: string): { readonly resource?: string } => {
    const resource = resources.get(registeredName(name) ?? name);
    return resource === undefined || resource === "" ? {} : { resource };
  };
  return {
    ...about,
    fence: planned.fence ?? null,
    changes: planned.plan.groups
      .flatMap(({ changes }) => changes)
      .map((change) => ({
        action: change.action,
        ...nameOf(change.action === "Delete" ? change.before : change.after),
        ...resourceOf(change.action === "Delete" ? change.before.name : change.after.name),
        ...(change.action === "Create" ? {} : { before: contentOf(change.before) }),
        ...(change.action === "Delete" ? {} : { after: contentOf(change.after) }),
      })),
    conflicts: planned.plan.conflicts.map((conflict) => ({ ...conflict, ...resourceOf(conflict.name) })),
    held: planned.held.map(nameOf),
    kept: planned.plan.kept.map(nameOf),
    ...(planned.plan.waiting.length === 0 ? {} : { waiting: planned.plan.waiting.map(({ child, why }) => ({ child, why })) }),
  };
}

const nameOf = ({ name, type, routing }: RecordSet): SetName => ({
  ...{ name, type },
  ...(routing === undefined ? {} : { setIdentifier: routing.id }),
});

const contentOf = ({ ttl, values, routing, alias, healthCheck }: RecordSet): SetContent => ({
  ...{ ttl, values },
  ...(routing === undefined ? {} : { policy: routing.by }),
  ...(alias === undefined ? {} : { alias }),
  ...(healthCheck === undefined ? {} : { healthCheck }),
});

/** The set that a change found or leaves. */
export function setOf({ name, type, setIdentifier }: SetName, { policy, ...content }: SetContent): RecordSet {
  return { name, type, ...content, ...(policy === undefined ? {} : { routing: { id: setIdentifier ?? "", by: policy } }) };
}

/**
 * What is other than it was when the plan was made, the first of it, records of hosts before our own. What a change found is a part of it,
 * so plans that are the same are of records that are the same.
 *
 * @returns a clause for people; undefined when all is as it was
 */
export function firstDifference(saved: ZonePlan, now: ZonePlan): string | undefined {
  for (const field of ["domain", "provider", "owner"] as const)
    if (saved[field] !== now[field]) return `the ${field} of the DNSZone was ${saved[field]}, and is ${now[field]}`;
  if (saved.destroy !== now.destroy)
    return "it removes everything of ours, and the server that was asked publishes there: end it, and apply the plan with --config";
  const [then, today] = [byKey(saved.changes), byKey(now.changes)];
  const keys = [...new Set([...then.keys(), ...today.keys()])];
  const isHosts = (key: string): boolean => !isReserved((then.get(key) ?? today.get(key)!).name);
  for (const key of [...keys.filter(isHosts), ...keys.filter((one) => !isHosts(one))]) {
    const difference = differenceAt(then.get(key), today.get(key), now);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** A set may go and come again, as another kind: those are two changes. */
const byKey = (changes: readonly PlannedChange[]): ReadonlyMap<string, PlannedChange> =>
  new Map(
    changes.map((change) => [
      `${change.action === "Delete" ? "-" : "+"} ${change.setIdentifier ?? ""} ${change.name} ${change.type}`,
      change,
    ]),
  );

function differenceAt(saved: PlannedChange | undefined, now: PlannedChange | undefined, { conflicts }: ZonePlan): string | undefined {
  if (saved === undefined)
    return now === undefined ? undefined : `${title(now)} is now to be ${DONE[now.action]}, which the plan does not have`;
  if (now === undefined) {
    const conflict = conflicts.find(({ name, type }) => name === saved.name && type === saved.type);
    const why = conflict === undefined ? "nothing is to be done there any more" : `what is there now is not ours (${conflict.reason})`;
    return `${title(saved)} was to be ${DONE[saved.action]}, and ${why}`;
  }
  if (!isSame(saved, saved.before, now.before))
    return `${title(saved)} was ${told(saved, saved.before)}, and is ${told(saved, now.before)}`;
  if (!isSame(saved, saved.after, now.after))
    return `${title(saved)} was to become ${told(saved, saved.after)}, and is now to become ${told(saved, now.after)}`;
  return undefined;
}

const DONE = { Create: "created", Replace: "replaced", Delete: "removed" } as const satisfies Record<Change["action"], string>;

function isSame(name: SetName, a: SetContent | undefined, b: SetContent | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameRecordSet(setOf(name, a), setOf(name, b));
}

const title = ({ name, type, setIdentifier }: SetName): string =>
  `${name} ${type}${setIdentifier === undefined ? "" : ` ${setIdentifier}`}`;
const told = (name: SetName, content: SetContent | undefined): string =>
  content === undefined ? "not there" : setInWords(setOf(name, content));
