/** One zone of a provider kept as it should be: list, plan, apply, under the writer's fence. */
import { type Batch, changesOf, halves, toBatches } from "./batches.ts";
import { applyChanges, type Change, type DesiredSet, type NameChanges, putSet } from "./change.ts";
import { createContest } from "./contest.ts";
import { asFarAsPublishable, type DesiredDelegation } from "./delegation/delegation.ts";
import { joinPlans, planDelegations } from "./delegation/plan-delegations.ts";
import { type Fence, fenceName, formatFence, nextFence, parseFence } from "./fence.ts";
import { growingNames, leaveNames } from "./left-names.ts";
import { isReserved } from "./ownership.ts";
import { type Conflict, type Plan, planChanges } from "./planner.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { type RecordSet, recordSetKey, sameRecordSet } from "./record-set.ts";
import { createRefusedNames } from "./refused-names.ts";
import type { PlannedZone } from "./zone-plan.ts";
import { createZonePlanner } from "./zone-planner.ts";

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
      /** Some names were left as they are, because the provider will not have what is wanted there; everything else is made. */
      readonly refusal?: ProviderError;
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

/** Nothing but the fence. */
const BARE: Batch = { groups: [], isUrgent: false };

type Wanted = Pick<SyncRequest, "desired" | "delegations">;

interface KnownZone {
  readonly sets: readonly RecordSet[];
  /** That of ours among them. */
  readonly fence: RecordSet | undefined;
  readonly listedAt: number;
}

/** How often a sync lists anew because somebody else was writing. */
const RELISTS = 3;
/** How many names one sync finds out about that the provider will not have; what is left is found by the next. */
const MOST_REFUSED = 4;

export type { Conflict };

export function createZoneSync(options: ZoneSyncOptions): ZoneSync {
  const { provider, domain, owner, policy, now } = options;
  /** The zone as it was listed, with what was written since. Undefined when what is there is not known. */
  let known: KnownZone | undefined;
  /** Batches that were made, since somebody began to count. */
  let written = 0;

  const planner = createZonePlanner();
  const contest = createContest(now, (name) => !isReserved(name));
  /** The fence of a batch of which it is not known whether it was made, or will be. */
  let unanswered: RecordSet | undefined;
  const refused = createRefusedNames(now);
  /** Of whoever wrote what is believed: a writer of another term may have written otherwise. */
  let lastEpoch: number | undefined;

  const fenceAt = fenceName(domain, owner);
  const findFence = (sets: readonly RecordSet[]): RecordSet | undefined =>
    sets.find(({ name, type, routing }) => name === fenceAt && type === "TXT" && routing === undefined);

  async function look(signal: AbortSignal): Promise<KnownZone> {
    if (known !== undefined && now() - known.listedAt < (options.relistAfter ?? provider.capabilities.lookEvery / 2)) return known;
    known = undefined;
    const listedAt = now();
    const sets = await provider.list(signal);
    known = { sets, fence: findFence(sets), listedAt };
    contest.judge(known.sets);
    return known;
  }

  /** @param isStubborn it was read again and again, and is not somebody else's writing: something that is wanted here cannot be */
  async function attempt(request: SyncRequest, isStubborn: boolean): Promise<SyncOutcome> {
    const { desired, delegations = [], epoch, isRemovalConfirmed = false, signal } = request;
    if (epoch !== lastEpoch) contest.doubt();
    lastEpoch = epoch;
    let leave = refused.still(desired);
    let refusal = refused.error();
    for (let found = 0; ; found++) {
      const seen = await look(signal);
      const newer = newerFence(seen, epoch);
      if (newer !== undefined) return { kind: "LostFence", epoch: newer.epoch };
      const plan = planOn(seen.sets, { desired, delegations }, isRemovalConfirmed, leave);
      if (policy === "DryRun") return { kind: "Planned", plan, batches: batchesOf(plan, epoch).length };
      try {
        const outcome = await write(plan, seen, epoch, signal, isStubborn ? "Stubborn" : "Isolating");
        const sets = known?.sets ?? [];
        if (plan.groups.length > 0) planOn(sets, { desired, delegations }, false, leave); // what was written is thought about now, not in the next failover's way
        contest.believe(() => {
          const delegated = delegations.flatMap(({ child }) => ["NS", "DS"].map((type) => ({ name: child, type })));
          const ours = new Set([...desired, ...delegated].filter(({ name }) => !plan.contested.includes(name)).map(recordSetKey));
          return sets.filter((set) => ours.has(recordSetKey(set)));
        });
        return { ...outcome, ...(refusal === undefined ? {} : { refusal }) };
      } catch (error) {
        if (!(error instanceof ProviderError) || error.refused === undefined || found === MOST_REFUSED) throw error;
        const names = error.refused === "Room" ? growingNames(plan.groups, seen.sets) : new Set(error.refused.names);
        const isMeant = ({ name, changes }: NameChanges): boolean =>
          names.has(name) || changes.some((change) => names.has((change.action === "Delete" ? change.before : change.after).name));
        const news = plan.groups.filter((group) => isMeant(group) && !leave.has(group.name)).map(({ name }) => name);
        if (news.length === 0) throw error;
        if (error.refused !== "Room") for (const name of news) refused.remember(name, desired, error);
        leave = new Set([...leave, ...news]);
        refusal ??= error;
      }
    }
  }

  /** @param leave names at which nothing is done */
  function planOn(actual: readonly RecordSet[], wanted: Wanted, isRemovalConfirmed: boolean, leave: ReadonlySet<string> = new Set()): Plan {
    const contested = contest.names();
    const { desired, left } = leaveNames(wanted.desired, actual, leave, { domain, owner });
    const common = { domain, owner, actual, isRemovalConfirmed, contested: new Set([...contested, ...left]) };
    const mode = policy === "DryRun" ? "Sync" : policy;
    const hosts = planner({
      ...{ ...common, desired, policy: mode },
      ...(options.adoptFrom === undefined ? {} : { adoptFrom: options.adoptFrom }),
    });
    const delegations = (wanted.delegations ?? []).map((one) => asFarAsPublishable(one, provider.capabilities.types));
    const plan = joinPlans(hosts, planDelegations({ ...common, desired: delegations, policy: mode }));
    return { ...plan, contested: plan.contested.filter((name) => contested.has(name)) };
  }

  function planReviewed(actual: readonly RecordSet[], { desired, delegations = [] }: Wanted): PlannedZone {
    const { held } = planOn(actual, { desired, delegations }, false);
    const plan = planOn(actual, { desired, delegations }, true);
    return { plan, held, fence: readFence(findFence(actual)), actual, desired, delegations };
  }

  function batchesOf({ groups }: Plan, epoch: number): readonly Batch[] {
    const { maxBatchCost, cost } = provider.capabilities;
    const raised = formatFence(domain, owner, { epoch, write: Number.MAX_SAFE_INTEGER });
    return toBatches(groups, cost, maxBatchCost - cost(putSet(raised, raised)));
  }

  function mayMeanOneName({ code }: ProviderError, isStubborn: boolean): boolean {
    if (code === "unauthorized") return provider.capabilities.authorizesNames === true;
    return code === "refused" || (isStubborn && code === "conflict");
  }

  /** @param how when a batch is refused: leave it at that, or find the name that is meant; stubbornly: also when it is a conflict each time */
  async function write(
    plan: Plan,
    seen: KnownZone,
    epoch: number,
    signal: AbortSignal,
    how: "Whole" | "Isolating" | "Stubborn",
  ): Promise<Extract<SyncOutcome, { readonly plan: Plan }>> {
    let { sets, fence: stands } = seen;
    let fence = readFence(stands);
    const batches = batchesOf(plan, epoch);
    const planned = batches.flatMap(changesOf);
    if (planned.length > 0) await provider.prepare?.(applyChanges(sets, planned), epoch, signal);
    // A term begins with a write even when there is nothing to change: whatever the writer before has under way comes too late.
    // So does a sync after a batch that nobody answered and that has not arrived: it may still come, when something else is wanted.
    const mayStillCome = unanswered !== undefined && (stands === undefined || !sameRecordSet(stands, unanswered));
    const isBare = batches.length === 0 && (fence?.epoch !== epoch || mayStillCome);
    const due: Batch[] = isBare ? [BARE] : [...batches];
    /** Why a batch was cut in two: a name in it, or all of the zone. */
    let doubt: ProviderError | undefined;
    let made = 0;
    for (let batch = due.shift(); batch !== undefined; batch = due.shift()) {
      try {
        await make(batch);
        made++;
      } catch (error) {
        if (!(error instanceof ProviderError) || !mayMeanOneName(error, how === "Stubborn")) throw error;
        known = { sets, fence: stands, listedAt: seen.listedAt }; // it was answered: nothing was made
        if (how === "Whole" || error.refused !== undefined || batch.groups.length === 0) throw doubt ?? error;
        const { name } = batch.groups[0]!;
        if (batch.groups.length > 1) due.unshift(...(doubt === undefined ? [BARE] : []), ...halves(batch));
        else if (doubt === undefined) due.unshift(BARE, batch);
        else
          throw new ProviderError("refused", name, error.message.replace(/\.$/, ""), "Everything else is written.", error, {
            names: [name],
          });
        doubt ??= error;
      }
    }
    await provider.tidy?.(sets, epoch, signal);
    return { kind: "Synced", plan, batches: made };

    async function make(batch: Batch): Promise<void> {
      fence = nextFence(readFence(stands), epoch)!;
      const put = putSet(stands, formatFence(domain, owner, fence));
      const changes = changesOf(batch);
      known = undefined; // until it is known that all of it was made
      contest.doubt();
      unanswered = put.after;
      await provider.apply({ fence: put, changes, isUrgent: batch.isUrgent }, signal);
      unanswered = undefined;
      sets = applyChanges(sets, [put, ...changes]);
      known = { sets, fence: put.after, listedAt: seen.listedAt };
      written++;
      stands = put.after;
    }
  }

  async function removeOurs({ epoch, signal }: Pick<SyncRequest, "epoch" | "signal">): Promise<RemovalOutcome> {
    const removed: Change[] = [];
    for (let rounds = 0; ; rounds++) {
      known = undefined; // what is there counts, not what was written
      const seen = await look(signal);
      const newer = newerFence(seen, epoch);
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
        await write(plan, seen, epoch, signal, "Whole");
        removed.push(...changes);
        continue;
      }
      await provider.tidy?.(seen.sets, epoch, signal, true);
      known = undefined;
      if (seen.fence !== undefined) await provider.apply({ fence: { action: "Delete", before: seen.fence }, changes: [] }, signal);
      return { kind: "Removed", changes: removed };
    }
  }

  /** Again from the beginning, when somebody else wrote meanwhile. */
  async function untilAlone<T>(attemptOnce: (tries: number) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attemptOnce(tries);
      } catch (error) {
        known = undefined;
        if (error instanceof ProviderError && error.code === "conflict") unanswered = undefined; // it was refused
        if (!(error instanceof ProviderError) || error.code !== "conflict" || tries > RELISTS) throw error;
      }
    }
  }

  /** Of a writer with a later term. */
  function newerFence({ fence: stands }: KnownZone, epoch: number): Fence | undefined {
    const fence = readFence(stands);
    return fence !== undefined && fence.epoch > epoch ? fence : undefined;
  }

  function readFence(stands: RecordSet | undefined): Fence | undefined {
    const fence = stands === undefined ? undefined : parseFence(stands);
    if (stands === undefined || fence !== undefined) return fence;
    const at = `${provider.name} ${domain}`;
    throw new ProviderError("refused", at, `${stands.name} TXT is no fence of ours`, "Delete that record: the next sync makes it anew.");
  }

  return {
    async lastEpoch(signal) {
      return readFence((await look(signal)).fence)?.epoch ?? 0;
    },
    plan: async ({ signal, ...wanted }) => planReviewed(await provider.list(signal), wanted),
    async apply({ epoch, signal, review, ...wanted }) {
      known = undefined; // what was reviewed is compared with what is there now
      written = 0;
      try {
        const seen = await look(signal);
        const newer = newerFence(seen, epoch);
        if (newer !== undefined) return { kind: "LostFence", epoch: newer.epoch };
        const planned = planReviewed(seen.sets, wanted);
        const difference = review(planned);
        return difference === undefined ? await write(planned.plan, seen, epoch, signal, "Whole") : { kind: "Stale", difference };
      } catch (error) {
        known = undefined;
        if (error instanceof ProviderError && error.code === "conflict" && written === 0)
          return { kind: "Stale", difference: "somebody wrote to the zone at this very moment" };
        throw error;
      }
    },
    sync: (request) => untilAlone((tries) => attempt(request, tries > RELISTS)),
    remove: (request) => untilAlone(() => removeOurs(request)),
  };
}
