/** One zone of a provider kept as it should be: list, plan, apply, under the writer's fence. */
import { type Batch, toBatches } from "./batches.ts";
import { applyChanges, type Change, type DesiredSet, putSet } from "./change.ts";
import { createContest } from "./contest.ts";
import { asFarAsPublishable, type DesiredDelegation } from "./delegation/delegation.ts";
import { joinPlans, planDelegations } from "./delegation/plan-delegations.ts";
import { type Fence, fenceName, formatFence, nextFence, parseFence } from "./fence.ts";
import { isReserved } from "./ownership.ts";
import { type Conflict, type Plan, planChanges } from "./planner.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { type RecordSet, recordSetKey, sameRecordSet } from "./record-set.ts";
import type { PlannedZone } from "./zone-plan.ts";

export interface ZoneSyncOptions {
  readonly provider: Provider;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** Ownership id of this installation. */
  readonly owner: string;
  /** `DryRun` plans and writes nothing. */
  readonly policy: "Sync" | "UpsertOnly" | "DryRun";
  readonly adoptFrom?: readonly string[];
  /** What was listed or written is believed for so long, ms; by default half as long as the provider is looked at. */
  readonly relistAfter?: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface SyncRequest {
  readonly desired: readonly DesiredSet[];
  /** Zones that this one delegates. */
  readonly delegations?: readonly DesiredDelegation[];
  /** Of the writer's term. */
  readonly epoch: number;
  readonly isRemovalConfirmed?: boolean;
  /** Ends the sync; what is under way then may or may not be made. */
  readonly signal: AbortSignal;
}

export type SyncOutcome =
  | {
      readonly kind: "Synced" | "Planned";
      /** Of the last plan; with `Synced` its changes are made. */
      readonly plan: Plan;
      readonly batches: number;
    }
  /** A writer with a later term has the zone; nothing was written. */
  | { readonly kind: "LostFence"; readonly epoch: number };

export interface ZoneSync {
  /**
   * One at a time: the next begins when the one before has ended.
   *
   * @throws ProviderError when the provider failed; the next sync begins by listing
   */
  sync(request: SyncRequest): Promise<SyncOutcome>;
  /**
   * What there would be to do, from a listing of its own. Writes nothing, and a sync that runs meanwhile goes on with what it knows.
   *
   * @throws ProviderError
   */
  plan(request: Pick<SyncRequest, "desired" | "delegations" | "signal">): Promise<PlannedZone>;
  /**
   * Makes what somebody has reviewed, removals and all, whatever the policy, or nothing. Not while a sync runs.
   *
   * @throws ProviderError A part of it may have been made then, which the next plan sees
   */
  apply(request: ReviewedRequest): Promise<SyncOutcome | StaleReview>;
  /**
   * Removes everything of ours in the zone but the delegations of zones below, whatever the policy: hosts before their helpers, then what
   * {@link Provider.prepare} made, last the fence. Not while a sync runs, and no sync may follow. To do it again goes on where it broke off.
   *
   * @throws ProviderError A part of it may have been made then
   */
  remove(request: Pick<SyncRequest, "epoch" | "signal">): Promise<RemovalOutcome>;
  /** Term of whoever wrote last; 0 when nobody did. @throws ProviderError */
  lastEpoch(signal: AbortSignal): Promise<number>;
}

export interface ReviewedRequest extends Pick<SyncRequest, "desired" | "delegations" | "epoch" | "signal"> {
  /** Whether this is what was reviewed. @returns what is not, in words; undefined: make it */
  readonly review: (planned: PlannedZone) => string | undefined;
}

/** It was not what was reviewed, and nothing was written. */
export interface StaleReview {
  readonly kind: "Stale";
  readonly difference: string;
}

export type RemovalOutcome =
  | { readonly kind: "Removed"; readonly changes: readonly Change[] }
  | Extract<SyncOutcome, { readonly kind: "LostFence" }>;

/** How often a sync lists anew because somebody else was writing. */
const RELISTS = 3;

export type { Conflict };

export function createZoneSync(options: ZoneSyncOptions): ZoneSync {
  const { provider, domain, owner, policy, now } = options;
  /** The zone as it was listed, with what was written since. Undefined when what is there is not known. */
  let known: { readonly sets: readonly RecordSet[]; readonly listedAt: number } | undefined;
  /** Batches that were made, since somebody began to count. */
  let written = 0;

  const contest = createContest(now, (name) => !isReserved(name));
  /** The fence of a batch of which it is not known whether it was made, or will be. */
  let unanswered: RecordSet | undefined;
  /** Of whoever wrote what is believed: a writer of another term may have written otherwise. */
  let lastEpoch: number | undefined;

  const fenceKey = recordSetKey({ name: fenceName(domain, owner), type: "TXT" });
  const findFence = (sets: readonly RecordSet[]): RecordSet | undefined => sets.find((set) => recordSetKey(set) === fenceKey);

  async function look(signal: AbortSignal): Promise<NonNullable<typeof known>> {
    if (known !== undefined && now() - known.listedAt < (options.relistAfter ?? provider.capabilities.lookEvery / 2)) return known;
    known = undefined;
    const listedAt = now();
    known = { sets: await provider.list(signal), listedAt };
    contest.judge(known.sets);
    return known;
  }

  async function attempt({ desired, delegations = [], epoch, isRemovalConfirmed = false, signal }: SyncRequest): Promise<SyncOutcome> {
    if (epoch !== lastEpoch) contest.doubt();
    lastEpoch = epoch;
    const seen = await look(signal);
    const newer = newerFence(seen.sets, epoch);
    if (newer !== undefined) return { kind: "LostFence", epoch: newer.epoch };
    const plan = planOn(seen.sets, desired, delegations, isRemovalConfirmed);
    if (policy === "DryRun") return { kind: "Planned", plan, batches: batchesOf(plan, epoch).length };
    const outcome = await write(plan, seen, epoch, signal);
    const delegated = delegations.flatMap(({ child }) => ["NS", "DS"].map((type) => ({ name: child, type })));
    const ours = new Set([...desired, ...delegated].filter(({ name }) => !plan.contested.includes(name)).map(recordSetKey));
    contest.believe((known?.sets ?? []).filter((set) => ours.has(recordSetKey(set))));
    return outcome;
  }

  function planOn(
    actual: readonly RecordSet[],
    desired: readonly DesiredSet[],
    delegations: readonly DesiredDelegation[],
    isRemovalConfirmed: boolean,
  ): Plan {
    const common = { domain, owner, actual, isRemovalConfirmed, contested: contest.names() };
    const mode = policy === "DryRun" ? "Sync" : policy;
    const adopting = options.adoptFrom === undefined ? {} : { adoptFrom: options.adoptFrom };
    const hosts = planChanges({ ...common, ...adopting, desired, policy: mode });
    const possible = delegations.map((one) => asFarAsPublishable(one, provider.capabilities.types));
    return joinPlans(hosts, planDelegations({ ...common, desired: possible, policy: mode }));
  }

  function planReviewed(
    actual: readonly RecordSet[],
    desired: readonly DesiredSet[],
    delegations: readonly DesiredDelegation[] = [],
  ): PlannedZone {
    const { held } = planOn(actual, desired, delegations, false);
    return { plan: planOn(actual, desired, delegations, true), held, fence: fenceIn(actual), actual, desired, delegations };
  }

  function batchesOf({ groups }: Plan, epoch: number): readonly Batch[] {
    const { maxBatchCost, cost } = provider.capabilities;
    const raised = formatFence(domain, owner, { epoch, write: Number.MAX_SAFE_INTEGER });
    return toBatches(groups, cost, maxBatchCost - cost(putSet(raised, raised)));
  }

  async function write(plan: Plan, seen: NonNullable<typeof known>, epoch: number, signal: AbortSignal): Promise<SyncOutcome> {
    let { sets } = seen;
    let stands = findFence(sets);
    let fence = fenceIn(sets);
    const batches = batchesOf(plan, epoch);
    const planned = batches.flatMap(({ changes }) => changes);
    if (planned.length > 0) await provider.prepare?.(applyChanges(sets, planned), epoch, signal);
    // A term begins with a write even when there is nothing to change: whatever the writer before has under way comes too late.
    // So does a sync after a batch that nobody answered and that has not arrived: it may still come, when something else is wanted.
    const mayStillCome = unanswered !== undefined && (stands === undefined || !sameRecordSet(stands, unanswered));
    const isBare = batches.length === 0 && (fence?.epoch !== epoch || mayStillCome);
    const due: readonly Batch[] = isBare ? [{ changes: [], isUrgent: false }] : batches;
    for (const { changes, isUrgent } of due) {
      fence = nextFence(fence, epoch)!;
      const put = putSet(stands, formatFence(domain, owner, fence));
      known = undefined; // until it is known that all of it was made
      contest.doubt();
      unanswered = put.after;
      await provider.apply({ fence: put, changes, isUrgent }, signal);
      unanswered = undefined;
      sets = applyChanges(sets, [put, ...changes]);
      known = { sets, listedAt: seen.listedAt };
      written++;
      stands = put.after;
    }
    await provider.tidy?.(sets, epoch, signal);
    return { kind: "Synced", plan, batches: due.length };
  }

  async function removeOurs({ epoch, signal }: Pick<SyncRequest, "epoch" | "signal">): Promise<RemovalOutcome> {
    const removed: Change[] = [];
    for (let rounds = 0; ; rounds++) {
      known = undefined; // what is there counts, not what was written
      const seen = await look(signal);
      const newer = newerFence(seen.sets, epoch);
      if (newer !== undefined) return { kind: "LostFence", epoch: newer.epoch };
      // What ExternalDNS has, and we have not taken over yet, is not ours.
      const plan = planChanges({ domain, owner, desired: [], actual: seen.sets, policy: "Sync", isRemovalConfirmed: true });
      const changes = plan.groups.flatMap((group) => group.changes);
      if (changes.length > 0) {
        if (rounds > RELISTS)
          throw new ProviderError(
            "conflict",
            `${provider.name} ${domain}`,
            "what was removed is there again",
            "Find who else writes there.",
          );
        await write(plan, seen, epoch, signal);
        removed.push(...changes);
        continue;
      }
      await provider.tidy?.(seen.sets, epoch, signal, true);
      const stands = findFence(seen.sets);
      known = undefined;
      if (stands !== undefined) await provider.apply({ fence: { action: "Delete", before: stands }, changes: [] }, signal);
      return { kind: "Removed", changes: removed };
    }
  }

  /** Again from the beginning, when somebody else wrote meanwhile. */
  async function untilAlone<T>(attemptOnce: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attemptOnce();
      } catch (error) {
        known = undefined;
        if (error instanceof ProviderError && error.code === "conflict") unanswered = undefined; // it was refused
        if (!(error instanceof ProviderError) || error.code !== "conflict" || tries > RELISTS) throw error;
      }
    }
  }

  function fenceIn(sets: readonly RecordSet[]): Fence | undefined {
    const stands = findFence(sets);
    return stands === undefined ? undefined : readFence(stands);
  }

  /** Of a writer with a later term. */
  function newerFence(sets: readonly RecordSet[], epoch: number): Fence | undefined {
    const fence = fenceIn(sets);
    return fence !== undefined && fence.epoch > epoch ? fence : undefined;
  }

  function readFence(stands: RecordSet): Fence {
    const fence = parseFence(stands);
    if (fence !== undefined) return fence;
    const at = `${provider.name} ${domain}`;
    throw new ProviderError("refused", at, `${stands.name} TXT is no fence of ours`, "Delete that record: the next sync makes it anew.");
  }

  return {
    async lastEpoch(signal) {
      return fenceIn((await look(signal)).sets)?.epoch ?? 0;
    },
    plan: async ({ desired, delegations, signal }) => planReviewed(await provider.list(signal), desired, delegations),
    async apply({ desired, delegations, epoch, signal, review }) {
      known = undefined; // what was reviewed is compared with what is there now
      written = 0;
      try {
        const seen = await look(signal);
        const newer = newerFence(seen.sets, epoch);
        if (newer !== undefined) return { kind: "LostFence", epoch: newer.epoch };
        const planned = planReviewed(seen.sets, desired, delegations);
        const difference = review(planned);
        return difference === undefined ? await write(planned.plan, seen, epoch, signal) : { kind: "Stale", difference };
      } catch (error) {
        known = undefined;
        if (error instanceof ProviderError && error.code === "conflict" && written === 0)
          return { kind: "Stale", difference: "somebody wrote to the zone at this very moment" };
        throw error;
      }
    },
    sync: (request) => untilAlone(() => attempt(request)),
    remove: (request) => untilAlone(() => removeOurs(request)),
  };
}
