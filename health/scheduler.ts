/**
 * Starts the probes of thousands of endpoints, spread evenly over time, with one timer.
 *
 * Each endpoint owns a slot of its interval, given by a hash of its key, and starts up to {@link JITTER} of an interval after it, so that
 * instances do not knock in step. While its verdict is doubted it is probed sooner ({@link fastInterval}). Probes of one endpoint never
 * overlap. When more fall due than may run at once, those that have waited longest start first, one for each endpoint.
 */
import type { Endpoint, EndpointKey, ProbeResult } from "../src/model/health.ts";
import { type Milliseconds, ms } from "../src/model/units.ts";
import { createDueHeap } from "./due-heap.ts";
import type { HealthPorts } from "./ports.ts";

/** Share of the interval. */
export const JITTER = 0.1;
/** New endpoints are probed for the first time within this, ms… */
const FIRST_WITHIN = 1000;
/** …or, when there are many of them, this many a second: a start must not be a storm. Never later than their interval. */
const FIRST_RATE = 1000;
/** A timer this late means that the process was stopped or starved, ms. */
const STALL = 500;
const DEFAULT_CONCURRENCY = 4096;
/**
 * Starts per turn of the event loop. A turn also does the work of all probes under way, so a process that is short of CPU starts fewer
 * probes, late, instead of more than it can finish before their deadlines.
 */
const STARTS_PER_TURN = 16;

export interface ProbeTiming {
  /** Monotonic. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From when the probe was due to its start, ms. */
  readonly lateness: number;
  /** When the next probe starts, monotonic: at its usual time, or sooner because the verdict is doubted. */
  readonly next: { readonly usual: number; readonly soon: number };
}

export interface SchedulerOptions {
  readonly ports: Pick<HealthPorts, "now" | "setTimer" | "random" | "probe">;
  /** Most probes under way at one time. */
  readonly concurrency?: number;
  /** Called before each probe. */
  readonly onStart?: (endpoint: Endpoint) => void;
  /** Called at the end of each probe of a current target. @returns when it wants the next one */
  readonly onResult: (endpoint: Endpoint, result: ProbeResult, timing: ProbeTiming) => "usual" | "soon";
}

export interface Scheduler {
  /** Replaces the targets. Those that stay (by key) keep their schedule, those that go are cancelled, new ones start soon. */
  setTargets(endpoints: readonly Endpoint[]): void;
  /** Probes under way. */
  running(): number;
  /** Ends every probe under way; none starts any more. */
  close(): void;
}

interface Entry {
  endpoint: Endpoint;
  due: number;
  /** When it should have started; earlier than `due` after a stall. */
  plannedFor: number;
  /** Set while a probe is under way. */
  abort: AbortController | undefined;
}

/** Shortest time between two starts while the verdict is doubted (HAProxy's `fastinter`). */
export const fastInterval = ({ interval, timeout }: Endpoint["policy"]): Milliseconds => ms(Math.max(interval, timeout) / 2);

export function createScheduler({ ports, onStart, onResult, concurrency = DEFAULT_CONCURRENCY }: SchedulerOptions): Scheduler {
  const entries = new Map<EndpointKey, Entry>();
  const waiting = createDueHeap<Entry>();
  let running = 0;
  let armed: { readonly due: number; readonly firesAt: number; readonly cancel: () => void } | undefined;
  let closed = false;

  function arm(): void {
    const first = waiting.peek();
    if (closed || first === undefined || running >= concurrency) return;
    if (armed !== undefined && armed.due <= first.due) return;
    armed?.cancel();
    const now = ports.now();
    const delay = ms(Math.max(0, first.due - now));
    armed = { due: first.due, firesAt: now + delay, cancel: ports.setTimer(delay, wake) };
  }

  function wake(): void {
    const now = ports.now();
    const late = armed === undefined ? 0 : now - armed.firesAt;
    armed = undefined;
    if (late > STALL) spreadOverdue(now, late);
    startDue();
  }

  /**
   * After a stall: what is overdue starts once, spread over as long as the stall lasted, at most one interval. By chance and not by
   * slot, because what fell due meanwhile are just those whose slots lie together.
   */
  function spreadOverdue(now: number, late: number): void {
    const all: Entry[] = [];
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      if (entry.due < now) entry.due = now + ports.random() * Math.min(late, entry.endpoint.policy.interval);
      all.push(entry);
    }
    waiting.reset(all);
  }

  function startDue(): void {
    const now = ports.now();
    for (let started = 0; started < STARTS_PER_TURN && running < concurrency; started++) {
      const first = waiting.peek();
      if (closed || first === undefined || first.due > now) break;
      waiting.pop();
      start(first);
    }
    arm();
  }

  function start(entry: Entry): void {
    const { endpoint } = entry;
    const startedAt = ports.now();
    const abort = new AbortController();
    entry.abort = abort;
    running++;
    onStart?.(endpoint);
    void ports.probe(endpoint, { timeout: endpoint.policy.timeout, signal: abort.signal }).then((result) => {
      running--;
      entry.abort = undefined;
      if (!closed && entries.get(endpoint.key) === entry) {
        const timing = timingOf(entry, startedAt);
        entry.due = timing.next[onResult(entry.endpoint, result, timing)];
        entry.plannedFor = entry.due;
        waiting.push(entry);
      }
      arm();
    });
  }

  function timingOf(entry: Entry, startedAt: number): ProbeTiming {
    const { key, policy } = entry.endpoint;
    const endedAt = ports.now();
    const { interval } = policy;
    const slot = keyFraction(key) * interval;
    // The first own slot at least half an interval after this start: rounds that were missed are not made up for.
    const round = Math.ceil((startedAt + interval / 2 - slot) / interval);
    const usual = Math.max(slot + round * interval + ports.random() * JITTER * interval, endedAt);
    // The pause after the end keeps two probes of a slow endpoint apart.
    const soon = Math.max(startedAt + fastInterval(policy), endedAt + interval / 10);
    return { startedAt, endedAt, lateness: startedAt - entry.plannedFor, next: { usual, soon: Math.min(usual, soon) } };
  }

  function setTargets(endpoints: readonly Endpoint[]): void {
    const now = ports.now();
    const before = new Map(entries);
    entries.clear();
    const firstWithin = Math.max(FIRST_WITHIN, (1000 * endpoints.filter(({ key }) => !before.has(key)).length) / FIRST_RATE);
    for (const endpoint of endpoints) {
      if (entries.has(endpoint.key)) continue;
      const kept = before.get(endpoint.key);
      if (kept !== undefined) kept.endpoint = endpoint;
      entries.set(endpoint.key, kept ?? firstEntry(endpoint, now, firstWithin));
      before.delete(endpoint.key);
    }
    for (const gone of before.values()) gone.abort?.abort();
    waiting.reset([...entries.values()].filter((entry) => entry.abort === undefined));
    arm();
  }

  return {
    setTargets,
    running: () => running,
    close: () => {
      closed = true;
      armed?.cancel();
      for (const entry of entries.values()) entry.abort?.abort();
      entries.clear();
      waiting.reset([]);
    },
  };
}

function firstEntry(endpoint: Endpoint, now: number, within: number): Entry {
  const due = now + keyFraction(endpoint.key) * Math.min(endpoint.policy.interval, within);
  return { endpoint, due, plannedFor: due, abort: undefined };
}

/** [0, 1), the same on every instance: FNV-1a, finished as in MurmurHash3 so that keys that differ in the last letter lie far apart. */
export function keyFraction(key: EndpointKey): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
