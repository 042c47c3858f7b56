/** Keeps one zone of a provider as it should be: syncs when something changed, looks again from time to time, tries again after failures. */
import type { DesiredSet } from "./change.ts";
import { type Capabilities, PROVIDER_ERRORS, ProviderError } from "./provider.ts";
import type { SyncOutcome, ZoneSync } from "./zone-sync.ts";

/** Of the writer's term; `Own`: nobody else is meant to write, so the term is one more than the zone's last; undefined: not the writer. */
export type Term = number | "Own" | undefined;

export interface ZoneKeeperOptions {
  readonly sync: Pick<ZoneSync, "sync" | "lastEpoch">;
  /** @throws ProviderError when nothing is known of the provider yet */
  readonly capabilities: () => Pick<Capabilities, "deadline" | "lookEvery">;
  /** What the zone should have now; undefined while that is not known. @throws ProviderError when nothing is known of the provider yet */
  readonly desired: () => readonly DesiredSet[] | undefined;
  readonly isRemovalConfirmed: () => boolean;
  /** Aborts after so many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** @returns what cancels it */
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  readonly onOutcome: (outcome: SyncOutcome) => void;
  /** It is tried again in so many milliseconds. */
  readonly onFailure: (error: unknown, retryAfter: number) => void;
}

export interface ZoneKeeper {
  /** Something may have changed. Several at once are one sync; one that comes while a sync runs is followed by another. */
  request(): void;
  term(term: Term): void;
  /**
   * Does an operator's work between two syncs, as the writer that this process is.
   *
   * @param work is given the epoch of the writer's term, and what ends it
   * @returns what the work returns; undefined, and it is not done, when another process is the writer
   * @throws what the work throws; ProviderError when the zone's last term cannot be read
   */
  act<T>(work: (epoch: number, signal: AbortSignal) => Promise<T>): Promise<T | undefined>;
  /** @returns once nothing is under way any more */
  close(): Promise<void>;
}

/** What fails together is written together, ms. */
const COALESCE = 20;
/** After a sync the next waits so many times as long as it took, and at most {@link LONGEST_REST} ms: planning is work of the main thread. */
const REST = 4;
const LONGEST_REST = 1000;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;

export function createZoneKeeper(options: ZoneKeeperOptions): ZoneKeeper {
  const { sync, setTimer } = options;
  let term: Term;
  /** Of a term that is our own: what the zone was found to have, and one more. */
  let epoch: number | undefined;
  let failures = 0;
  /** A sync was asked for and has not begun. */
  let isAsked = false;
  /** When the next may begin. */
  let restUntil = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let cancel = () => {};
  let isClosed = false;

  function schedule(delay: number): void {
    cancel();
    if (!isClosed && term !== undefined) cancel = setTimer(delay, start);
  }

  function start(): void {
    if (isClosed || term === undefined || running !== undefined) return;
    isAsked = false;
    const began = options.now();
    running = run().then((delay) => {
      running = undefined;
      const now = options.now();
      restUntil = now + Math.min(LONGEST_REST, REST * (now - began));
      schedule(isAsked && failures === 0 ? soon() : delay);
    });
  }

  const soon = (): number => Math.max(COALESCE, restUntil - options.now());

  /** @returns when to look again, ms */
  async function run(): Promise<number> {
    try {
      const desired = options.desired();
      if (desired === undefined || term === undefined) return LONGEST_RETRY;
      const { deadline, lookEvery } = options.capabilities();
      const signal = options.deadline(deadline);
      epoch = await epochOf(term, signal);
      const outcome = await sync.sync({ desired, epoch, isRemovalConfirmed: options.isRemovalConfirmed(), signal });
      failures = 0;
      options.onOutcome(outcome);
      if (outcome.kind === "LostFence" || outcome.refusal === undefined) return lookEvery;
      options.onFailure(outcome.refusal, LONGEST_RETRY);
      return LONGEST_RETRY;
    } catch (error) {
      const delay = Math.min(LONGEST_RETRY, isOperators(error) ? LONGEST_RETRY : FIRST_RETRY * 2 ** failures++);
      options.onFailure(error, delay);
      return delay;
    }
  }

  const epochOf = async (of: NonNullable<Term>, signal: AbortSignal): Promise<number> =>
    of === "Own" ? (epoch ?? (await sync.lastEpoch(signal)) + 1) : of;

  return {
    async act(work) {
      while (running !== undefined) await running;
      if (isClosed || term === undefined) return undefined;
      cancel();
      const of = term;
      const done = (async () => {
        const signal = options.deadline(options.capabilities().deadline);
        epoch = await epochOf(of, signal);
        return work(epoch, signal);
      })();
      const ended = (): void => {
        running = undefined;
        schedule(failures === 0 ? soon() : FIRST_RETRY); // what became of it is seen by the next sync
      };
      running = done.then(ended, ended);
      return done;
    },
    request() {
      if (isAsked) return;
      isAsked = true;
      // After failures it is tried soon anyway, and not more often because health flaps.
      if (running === undefined && failures === 0) schedule(soon());
    },
    term(next) {
      if (next === term) return;
      term = next;
      epoch = undefined;
      failures = 0;
      cancel();
      isAsked = next !== undefined;
      if (isAsked && running === undefined) schedule(soon());
    },
    async close() {
      isClosed = true;
      cancel();
      await running;
    },
  };
}

const isOperators = (error: unknown): boolean => error instanceof ProviderError && PROVIDER_ERRORS[error.code] === "Operator";
