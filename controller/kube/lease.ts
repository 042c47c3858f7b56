/**
 * Who may write: a Lease that one of several electors holds. Expiry is measured by each observer's own monotonic clock from when it saw the
 * Lease change, so that wrong wall clocks harm nobody. Each term has an epoch of its own, even if the same process returns.
 *
 *     duration 10 s   an observer takes over when it has seen no change for so long
 *     renewal   6 s   the holder's term ends so long after the last renewal that succeeded was sent
 *     retry     1.5 s between renewals, and between looks at the Lease of another
 *
 * What the holder sent just before its end has 4 s to arrive before anybody else may begin; what arrives later still is refused by the
 * hub's admission policy (docs/adr/0011-fence-by-admission.md).
 */

import type { KubeApi } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject } from "./kube-object.ts";
import type { KubePorts } from "./kube-ports.ts";
import { type LeaseRecord, leaseObject, readLease } from "./lease-record.ts";
import { pause } from "./pause.ts";
import { LEASES } from "./resources.ts";
import { WRITER_LEASE, type WriterTerm } from "./writer-fence.ts";

const DURATION = 10_000;
const RENEW_DEADLINE = 6_000;
const RETRY = 1_500;
/** Between renewals of which the last one failed. */
const RETRY_RENEWAL = 300;
/** Of one request: one that hangs must leave time for another before the term ends. */
const REQUEST = 2_500;
/** Milliseconds: nobody can make us wait longer for a holder that does not renew. */
export const MAX_DURATION = 60_000;

export interface ElectionOptions {
  readonly api: Pick<KubeApi, "create" | "get" | "replace">;
  readonly namespace: string;
  readonly name?: string;
  /** Unique for each process: pod name and a random part. */
  readonly identity: string;
  /**
   * A term has begun. A promise settles when all writing has ended, which it must soon after `term.signal` is aborted: `close` waits for it
   * before it gives the Lease away.
   */
  readonly onTerm: (term: WriterTerm) => void | Promise<void>;
  /** Requests that failed, and what `onTerm` throws. */
  readonly onError?: (error: unknown) => void;
}

export interface WriterElection {
  /** Our term, while we have one. */
  term(): WriterTerm | undefined;
  /** Identity of the holder as last seen; empty = nobody, undefined = not known yet. */
  holder(): string | undefined;
  /** Ends our term and lets the next writer start at once. */
  close(): Promise<void>;
}

interface OwnTerm {
  readonly term: WriterTerm;
  readonly end: AbortController;
  readonly work: Promise<void>;
  /** The Lease as we wrote it last. */
  lease: KubeObject;
  deadline: number;
}

export function startElection(options: ElectionOptions, ports: KubePorts): WriterElection {
  const { api, namespace, name = WRITER_LEASE, identity } = options;
  const closing = new AbortController();
  let own: OwnTerm | undefined;
  /** The Lease of another, since when it has looked like this. */
  let seen: { readonly key: string; readonly at: number; readonly record: LeaseRecord } | undefined;
  let lastEpoch = 0;

  const endTerm = (): void => {
    own?.end.abort();
    own = undefined;
  };

  /** Our term ends by time, whatever the requests are doing. */
  let cancelEnd = (): void => undefined;
  const watchDeadline = (): void => {
    cancelEnd();
    const current = own;
    if (current === undefined) return;
    cancelEnd = ports.setTimer(Math.max(0, current.deadline - ports.now()), () => {
      if (own === current) endTerm();
    });
  };

  const write = (before: KubeObject | undefined, record: LeaseRecord): Promise<KubeObject> => {
    const lease = leaseObject(namespace, name, record, before);
    return limited(ports, closing.signal, (signal) =>
      before === undefined ? api.create(LEASES, lease, { signal }) : api.replace(LEASES, lease, { signal }),
    );
  };
  const read = (): Promise<KubeObject | undefined> =>
    limited(ports, closing.signal, (signal) => api.get(LEASES, namespace, name, { signal }));

  async function acquire(before: KubeObject | undefined, last: LeaseRecord | undefined): Promise<void> {
    const sentAt = ports.now();
    const at = ports.wallClock();
    // A Lease that somebody deleted starts above whatever this process has seen.
    const epoch = Math.max(last?.transitions ?? 0, lastEpoch) + 1;
    const lease = await write(before, { holder: identity, transitions: epoch, acquired: at, renewed: at, duration: DURATION });
    const deadline = sentAt + RENEW_DEADLINE;
    lastEpoch = epoch;
    seen = undefined;
    // The answer came too late: the Lease is ours, but nobody must believe that its time has just begun.
    if (closing.signal.aborted || ports.now() >= deadline) return;
    const end = new AbortController();
    const created: OwnTerm = {
      term: { epoch, deadline: () => created.deadline, signal: end.signal },
      end,
      work: settled(),
      lease,
      deadline,
    };
    own = created;
    own = Object.assign(created, { work: begin(created.term) });
    watchDeadline();
  }

  /** What `onTerm` throws is told, and does not end the term: that is for its own signal. */
  const begin = async (term: WriterTerm): Promise<void> => {
    try {
      await options.onTerm(term);
    } catch (error) {
      options.onError?.(error);
    }
  };

  async function renew(current: OwnTerm): Promise<void> {
    const sentAt = ports.now();
    const record = readLease(current.lease);
    const renewed: LeaseRecord = {
      ...record,
      holder: identity,
      transitions: current.term.epoch,
      renewed: ports.wallClock(),
      duration: DURATION,
    };
    try {
      current.lease = await write(current.lease, renewed);
    } catch (error) {
      if (!(error instanceof KubeError) || !(error.isConflict || error.isNotFound)) throw error;
      // A renewal whose answer was lost looks like this, too: then the Lease still names this very term.
      const now = await read();
      const found = now === undefined ? undefined : readLease(now);
      if (now === undefined || found?.holder !== identity || found.transitions !== current.term.epoch) {
        if (own === current) endTerm();
        if (found !== undefined) notice(found);
        throw error;
      }
      current.lease = now;
      current.lease = await write(now, renewed);
    }
    if (own !== current) return;
    current.deadline = Math.max(current.deadline, sentAt + RENEW_DEADLINE);
    watchDeadline();
  }

  /** The Lease looks like this now: another holder's time begins anew with each change of it. */
  const notice = (record: LeaseRecord): { readonly at: number } => {
    lastEpoch = Math.max(lastEpoch, record.transitions);
    const key = JSON.stringify(record);
    if (seen?.key !== key) seen = { key, at: ports.now(), record };
    return seen;
  };

  /** @returns milliseconds until there is something to do again */
  async function contend(): Promise<number> {
    const lease = await read();
    const now = ports.now();
    if (lease === undefined) {
      await acquire(undefined, undefined);
      return RETRY;
    }
    const record = readLease(lease);
    const { at } = notice(record);
    const expires = at + Math.min(MAX_DURATION, Math.max(DURATION, record.duration));
    if (record.holder === "" || record.holder === identity || now >= expires) {
      await acquire(lease, record);
      return RETRY;
    }
    // Candidates that look at the same instant would only collide; at the end each is there on time.
    return Math.min(RETRY * (1 - ports.random() / 10), expires - now);
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      let wait = RETRY;
      try {
        if (own === undefined) wait = await contend();
        else await renew(own);
      } catch (error) {
        if (closing.signal.aborted) break;
        if (own !== undefined) wait = RETRY_RENEWAL;
        if (!(error instanceof KubeError && error.isConflict)) options.onError?.(error);
      }
      await pause(ports, wait, closing.signal);
    }
  }
  const running = run();

  /** Gives the Lease away, if it is still of our last term. */
  async function release(epoch: number, signal: AbortSignal): Promise<void> {
    const lease = await limited(ports, signal, (limit) => api.get(LEASES, namespace, name, { signal: limit }));
    const record = lease === undefined ? undefined : readLease(lease);
    if (record?.holder !== identity || record.transitions !== epoch) return;
    const released = leaseObject(namespace, name, { ...record, holder: "", renewed: ports.wallClock(), duration: 1_000 }, lease);
    await limited(ports, signal, (limit) => api.replace(LEASES, released, { signal: limit }));
  }

  return {
    term: () => own?.term,
    holder: () => (own === undefined ? seen?.record.holder : identity),
    async close() {
      if (closing.signal.aborted) return;
      const last = own;
      closing.abort();
      cancelEnd();
      endTerm();
      await running;
      if (last === undefined) return;
      const expired = new AbortController();
      const cancel = ports.setTimer(Math.max(0, last.deadline - ports.now()), () => expired.abort());
      try {
        await limited(ports, expired.signal, () => last.work, Number.POSITIVE_INFINITY);
        await release(last.term.epoch, expired.signal);
      } catch (error) {
        options.onError?.(error); // the next writer then waits for the Lease to expire
      } finally {
        cancel();
      }
    },
  };
}

const settled = (): Promise<void> => Promise.resolve();

/** Gives a request up after its time, and when the signal says so. */
async function limited<T>(ports: KubePorts, signal: AbortSignal, request: (signal: AbortSignal) => Promise<T>, time = REQUEST): Promise<T> {
  const limit = new AbortController();
  const abort = (): void => limit.abort();
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const gaveUp = new Promise<never>((_, reject) => {
    const giveUp = (): void =>
      reject(new KubeError("the request for the Lease was given up. It is tried again.", { status: 0, reason: "Timeout" }));
    if (limit.signal.aborted) giveUp();
    limit.signal.addEventListener("abort", giveUp);
  });
  const cancel = Number.isFinite(time) ? ports.setTimer(time, abort) : abort;
  try {
    // Raced, because an implementation that ignores the signal must not keep us past our term.
    return await Promise.race([request(limit.signal), gaveUp]);
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
  }
}
