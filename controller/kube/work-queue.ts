/** Work that is named by keys: each key waits at most once, runs never twice at a time, and not faster than allowed. */
import { type Backoff, type BackoffBounds, createBackoff } from "./backoff.ts";
import type { KubePorts } from "./kube-ports.ts";

/** `Retry` waits longer each time; `retryAfter` is in milliseconds, and a lower bound of that. */
export type WorkResult = "Done" | "Retry" | { readonly retryAfter: number };

export interface WorkQueueOptions {
  /** Starts of work a second, in the long run. */
  readonly rate: number;
  /** Starts at once after a rest. */
  readonly burst: number;
  /** Keys that run at a time; 1 if not given. */
  readonly concurrency?: number;
  /** Of a key that failed. */
  readonly backoff?: BackoffBounds;
  /** What `work` rejected with; the key is tried again. */
  readonly onError?: (key: string, error: unknown) => void;
}

export interface WorkQueue {
  /** Lower priorities go first, equal ones in the order they came. A key that waits already takes the lower of both. */
  add(key: string, priority?: number): void;
  /** As `add`, in so many milliseconds; a key that waits already waits no longer for it. */
  addAfter(key: string, delay: number, priority?: number): void;
  /** Takes back what has not started. */
  drop(key: string): void;
  /** Keys that wait or run. */
  readonly size: number;
  /** Starts nothing more. Resolves when nothing runs any more. */
  shutdown(): Promise<void>;
}

interface Entry {
  readonly key: string;
  priority: number;
  /** Order of arrival. */
  order: number;
  state: "waiting" | "delayed" | "running" | "idle";
  /** Priority to run again with, asked for while it ran. */
  again: number | undefined;
  cancelDelay: (() => void) | undefined;
  backoff: Backoff | undefined;
}

/** @param work does what a key stands for, reading the newest facts when it starts */
export function createWorkQueue(work: (key: string) => Promise<WorkResult>, options: WorkQueueOptions, ports: KubePorts): WorkQueue {
  const { rate, burst, concurrency = 1 } = options;
  const entries = new Map<string, Entry>();
  let order = 0;
  let running = 0;
  let tokens = burst;
  let filledAt = ports.now();
  let cancelRefill: (() => void) | undefined;
  let isOver = false;
  const whenQuiet: (() => void)[] = [];

  const entryOf = (key: string): Entry => {
    const found = entries.get(key);
    if (found !== undefined) return found;
    const entry: Entry = { key, priority: 0, order: 0, state: "idle", again: undefined, cancelDelay: undefined, backoff: undefined };
    entries.set(key, entry);
    return entry;
  };

  const wait = (entry: Entry, priority: number): void => {
    entry.cancelDelay?.();
    entry.cancelDelay = undefined;
    entry.state = "waiting";
    entry.priority = priority;
    entry.order = order++;
  };

  const delay = (entry: Entry, milliseconds: number, priority: number): void => {
    entry.state = "delayed";
    entry.priority = priority;
    entry.cancelDelay = ports.setTimer(milliseconds, () => {
      wait(entry, entry.priority);
      start();
    });
  };

  /** @returns whether there is a token; else sees to it that work starts when there is */
  const takeToken = (): boolean => {
    const now = ports.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * rate);
    filledAt = now;
    if (tokens >= 1) {
      tokens -= 1;
      return true;
    }
    cancelRefill ??= ports.setTimer(Math.ceil(((1 - tokens) / rate) * 1000), () => {
      cancelRefill = undefined;
      start();
    });
    return false;
  };

  function start(): void {
    while (!isOver && running < concurrency) {
      const next = firstOf(entries.values());
      if (next === undefined || !takeToken()) return;
      void run(next);
    }
  }

  async function run(entry: Entry): Promise<void> {
    entry.state = "running";
    running++;
    let result: WorkResult;
    try {
      result = await work(entry.key);
    } catch (error) {
      options.onError?.(entry.key, error);
      result = "Retry";
    }
    running--;
    finish(entry, result);
    if (running === 0) for (const tell of whenQuiet.splice(0)) tell();
    start();
  }

  function finish(entry: Entry, result: WorkResult): void {
    const { again } = entry;
    entry.again = undefined;
    entry.state = "idle";
    if (result === "Done") {
      entry.backoff = undefined;
      if (again === undefined) entries.delete(entry.key);
      else wait(entry, again);
      return;
    }
    if (isOver) return void entries.delete(entry.key);
    entry.backoff ??= createBackoff(ports.random, options.backoff);
    const least = result === "Retry" ? 0 : result.retryAfter;
    // What was asked for meanwhile waits, too: it would meet the same failure.
    delay(entry, Math.max(entry.backoff.next(), least), Math.min(entry.priority, again ?? entry.priority));
  }

  return {
    add: (key, priority = 0) => {
      if (isOver) return;
      const entry = entryOf(key);
      if (entry.state === "running") entry.again = Math.min(entry.again ?? priority, priority);
      else if (entry.state === "waiting") entry.priority = Math.min(entry.priority, priority);
      else if (entry.state === "delayed" && entry.backoff !== undefined) entry.priority = Math.min(entry.priority, priority);
      else wait(entry, priority);
      start();
    },

    addAfter: (key, milliseconds, priority = 0) => {
      if (isOver) return;
      const entry = entryOf(key);
      if (entry.state === "idle") delay(entry, milliseconds, priority);
      else if (entry.state === "running") entry.again = Math.min(entry.again ?? priority, priority);
      else entry.priority = Math.min(entry.priority, priority);
    },

    drop: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entry.again = undefined;
      if (entry.state === "running") return;
      entry.cancelDelay?.();
      entries.delete(key);
    },

    get size() {
      return entries.size;
    },

    shutdown: () => {
      isOver = true;
      cancelRefill?.();
      for (const entry of [...entries.values()]) {
        entry.cancelDelay?.();
        if (entry.state !== "running") entries.delete(entry.key);
      }
      return running === 0 ? Promise.resolve() : new Promise((resolve) => void whenQuiet.push(resolve));
    },
  };
}

/** Linear: there are thousands of keys at most, and tens of starts a second. */
function firstOf(entries: Iterable<Entry>): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of entries) {
    if (entry.state !== "waiting") continue;
    if (first === undefined || entry.priority < first.priority || (entry.priority === first.priority && entry.order < first.order))
      first = entry;
  }
  return first;
}
