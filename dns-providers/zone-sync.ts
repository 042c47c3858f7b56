/** One zone of a provider kept as it should be: list, plan, apply, under the writer's fence. */
import { toBatches } from "./batches.ts";
import { type Fence, fenceName, formatFence, nextFence, parseFence } from "./fence.ts";
import { applyChanges, type Conflict, type DesiredSet, type Plan, planChanges, putSet } from "./planner.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { type RecordSet, recordSetKey } from "./record-set.ts";

export interface ZoneSyncOptions {
  readonly provider: Provider;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** Ownership id of this installation. */
  readonly owner: string;
  /** `DryRun` plans and writes nothing. */
  readonly policy: "Sync" | "UpsertOnly" | "DryRun";
  readonly adoptFrom?: readonly string[];
  /** What was listed or written is believed for so long, ms: what others do to the zone is seen after it. */
  readonly relistAfter: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface SyncRequest {
  readonly desired: readonly DesiredSet[];
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
  /** Term of whoever wrote last; 0 when nobody did. @throws ProviderError */
  lastEpoch(signal: AbortSignal): Promise<number>;
}

/** How often a sync lists anew because somebody else was writing. */
const RELISTS = 3;

export type { Conflict };

export function createZoneSync(options: ZoneSyncOptions): ZoneSync {
  const { provider, domain, owner, policy, now } = options;
  /** The zone as it was listed, with what was written since. Undefined when what is there is not known. */
  let known: { readonly sets: readonly RecordSet[]; readonly listedAt: number } | undefined;

  const fenceKey = recordSetKey({ name: fenceName(domain, owner), type: "TXT" });
  const findFence = (sets: readonly RecordSet[]): RecordSet | undefined => sets.find((set) => recordSetKey(set) === fenceKey);

  async function look(signal: AbortSignal): Promise<NonNullable<typeof known>> {
    if (known !== undefined && now() - known.listedAt < options.relistAfter) return known;
    known = undefined;
    const listedAt = now();
    known = { sets: await provider.list(signal), listedAt };
    return known;
  }

  async function attempt({ desired, epoch, isRemovalConfirmed = false, signal }: SyncRequest): Promise<SyncOutcome> {
    const { sets: actual, listedAt } = await look(signal);
    let sets = actual;
    let stands = findFence(actual);
    let fence = stands === undefined ? undefined : readFence(stands);
    const before = fence;
    if (before !== undefined && before.epoch > epoch) return { kind: "LostFence", epoch: before.epoch };

    const plan = planChanges({
      ...{ domain, owner, desired, actual, isRemovalConfirmed },
      policy: policy === "DryRun" ? "Sync" : policy,
      ...(options.adoptFrom === undefined ? {} : { adoptFrom: options.adoptFrom }),
    });
    const { maxBatchCost, cost } = provider.capabilities;
    const raised = formatFence(domain, owner, { epoch, write: Number.MAX_SAFE_INTEGER });
    const batches = toBatches(plan.groups, cost, maxBatchCost - cost(putSet(raised, raised)));
    if (policy === "DryRun") return { kind: "Planned", plan, batches: batches.length };

    // A term begins with a write even when there is nothing to change: whatever the writer before has under way comes too late.
    const due = batches.length === 0 && before?.epoch !== epoch ? [[]] : batches;
    for (const changes of due) {
      fence = nextFence(fence, epoch)!;
      const put = putSet(stands, formatFence(domain, owner, fence));
      known = undefined; // until it is known that all of it was made
      await provider.apply({ fence: put, changes }, signal);
      sets = applyChanges(sets, [put, ...changes]);
      known = { sets, listedAt };
      stands = put.after;
    }
    return { kind: "Synced", plan, batches: due.length };
  }

  function readFence(stands: RecordSet): Fence {
    const fence = parseFence(stands);
    if (fence !== undefined) return fence;
    const at = `${provider.name} ${domain}`;
    throw new ProviderError("refused", at, `${stands.name} TXT is no fence of ours`, "Delete that record: the next sync makes it anew.");
  }

  return {
    async lastEpoch(signal) {
      const stands = findFence((await look(signal)).sets);
      return stands === undefined ? 0 : readFence(stands).epoch;
    },
    async sync(request) {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(request);
        } catch (error) {
          known = undefined;
          if (!(error instanceof ProviderError) || error.code !== "conflict" || tries > RELISTS) throw error;
        }
      }
    },
  };
}
