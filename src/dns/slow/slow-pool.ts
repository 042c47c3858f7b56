/**
 * The main thread's side of the slow answers: it starts the threads that sign, replaces one that dies, and keeps track of queries that came
 * by itself (TCP, `node:dgram`). Threads are started when there is a key, or something waits for them: most servers have none.
 */
import "../collect-garbage.ts";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type Milliseconds, ms } from "../../model/units.ts";
import type { SlowReading } from "../../observe/metric-readings.ts";
import { type AnswerSettings, NO_SETTINGS } from "../answer-settings.ts";
import { newQueryCounters, type QueryCounters } from "../counters.ts";
import { forWorkers } from "../fast/worker-link.ts";
import type { Source } from "../source.ts";
import type { ServingTables } from "../zone-table.ts";
import type { Lane } from "./lane.ts";
import { type RingReading, readRing } from "./rings.ts";
import { newSignatureCache, type SignatureCache } from "./signature-cache.ts";
import {
  newSeatState,
  newSlowLink,
  SeatState,
  SlowControl,
  type SlowLink,
  type SlowMessage,
  type SlowReport,
  type SlowSecrets,
  type SlowStart,
  wakeSlowWorkers,
} from "./slow-link.ts";
import { createSlowQueue } from "./slow-queue.ts";

export interface SlowPoolOptions {
  /** Threads that hand queries over; number 0 is the main thread. */
  readonly producers: number;
  /** Threads that sign; 1 if not given. */
  readonly workers?: number;
  readonly settings?: AnswerSettings;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** [0, 1) */
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** What is wrong with a thread; the others go on. */
  readonly onError: (error: Error) => void;
}

/** What the main thread hands its own queries over by. */
export interface SlowSubmit {
  /**
   * Has a query answered.
   *
   * @param lane     see {@link AnswerContext.lane}
   * @param callback gets the answer: no bytes = send nothing, also when nobody answered in time. Called once, later
   * @returns false when it was dropped: the callback is never called then
   */
  readonly submit: (message: Uint8Array, length: number, lane: Lane, source: Source, callback: (answer: Uint8Array) => void) => boolean;
}

export interface SlowPool extends SlowSubmit {
  /** For the threads of a transport, which hand over as producers from 1 on. */
  readonly link: SlowLink;
  /** Signatures made on demand; every answering thread looks here. */
  readonly recent: SignatureCache;
  /** Answers by these tables and with these keys from the next query on. */
  readonly swap: (tables: ServingTables, secrets: SlowSecrets) => void;
  /** What the slow threads have answered. */
  readonly counters: readonly QueryCounters[];
  readonly reading: () => SlowPoolReading;
  /** Ends the threads; queries that wait get no answer. To be called while the sockets are still open. */
  readonly close: () => Promise<void>;
}

export interface SlowPoolReading extends SlowReading {
  readonly lanes: readonly [RingReading, RingReading];
}

/** Signatures kept on demand: 3 MiB, which is a minute of negative answers at the rate of one thread. */
const RECENT = 32_768;
/** A worker that dies is replaced at once; one that dies again within this time, after it. */
const RESTART = ms(1000);
/** A worker that does not end by itself within this time is terminated. */
const GRACE = ms(500);
/** A query that nobody has answered by then never will be. */
const PATIENCE = 5000;
const SWEEP = ms(1000);
/** Queries of the main thread under way; more than that fit no queue. */
const MOST_TICKETS = 2048;

interface Seat {
  readonly index: number;
  /** The present worker's; a new one starts from nothing. */
  state: Int32Array;
  readonly counters: QueryCounters;
  worker: Worker | undefined;
  port: MessagePort | undefined;
  startedAt: number;
  /** Of workers before the present one. */
  signedBefore: number;
  unsent: number;
}

export function startWorker(workerData: SlowStart, index: number): Worker {
  // tsc leaves URLs alone, so the worker's ending follows this file's own: .ts in a checkout, .js in a package.
  const url = new URL(`./slow-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  return new Worker(url, { name: `slow-${index}`, workerData, transferList: [workerData.port] });
}

/** @param newWorker starts a thread that does as `slow-worker.ts` does */
export function createSlowPool(options: SlowPoolOptions, newWorker = startWorker): SlowPool {
  const { producers, workers = 1, settings = NO_SETTINGS, now, wallClock, setTimer, onError } = options;
  const recent = newSignatureCache(RECENT);
  const link = newSlowLink(producers, recent);
  const queue = createSlowQueue(link, 0, options.random() * 0x1_0000_0000);
  const tickets = new Map<number, { readonly since: number; readonly callback: (answer: Uint8Array) => void }>();
  let nextTicket = 1;
  let cancelSweep: (() => void) | undefined;
  let cancelCollect: (() => void) | undefined;
  let latest: SlowMessage | undefined;
  let isStarted = false;
  let isWatching = false;
  let stopping = false;
  const cancels = new Set<() => void>();
  const { rateLimit: _, ...unlimited } = settings; // who handed a query over has counted it already
  const seats = Array.from(
    { length: workers },
    (_, index): Seat => ({
      index,
      state: newSeatState(),
      counters: newQueryCounters(),
      worker: undefined,
      port: undefined,
      startedAt: 0,
      signedBefore: 0,
      unsent: 0,
    }),
  );

  function after(delay: Milliseconds, callback: () => void): void {
    const cancel = setTimer(delay, () => {
      cancels.delete(cancel);
      callback();
    });
    cancels.add(cancel);
  }

  function tell(seat: Seat, message: SlowMessage): void {
    if (seat.port === undefined) return;
    seat.port.postMessage(message);
    Atomics.add(seat.state, SeatState.Version, 1);
    wakeSlowWorkers(link.control);
  }

  function finish(ticket: number, bytes: Uint8Array): void {
    const waiting = tickets.get(ticket);
    tickets.delete(ticket);
    waiting?.callback(bytes);
  }

  function start(seat: Seat): void {
    const { port1, port2 } = new MessageChannel();
    seat.signedBefore += seat.state[SeatState.Signed]! >>> 0;
    seat.state = newSeatState();
    seat.unsent = 0;
    const worker = newWorker({ link, state: seat.state, port: port2, counters: seat.counters, settings: unlimited }, seat.index);
    port1.unref();
    seat.worker = worker;
    seat.port = port1;
    seat.startedAt = now();
    worker.on("message", (report: SlowReport) => {
      if (report.kind === "answer") finish(report.ticket, report.bytes);
      else onError(new Error(`a slow worker could not answer a query: ${report.message}`));
    });
    worker.on("error", (cause) => onError(new Error("a slow worker ended", { cause })));
    worker.on("exit", () => {
      port1.close();
      if (seat.worker !== worker) return;
      seat.worker = undefined;
      seat.port = undefined;
      if (stopping) return;
      if (now() - seat.startedAt < RESTART) after(RESTART, () => start(seat));
      else start(seat);
    });
    if (latest !== undefined) tell(seat, latest);
  }

  function startAll(): void {
    if (isStarted || stopping) return;
    isStarted = true;
    seats.forEach(start);
    cancelCollect = setTimer(SWEEP, collect);
  }

  /** Sleeps in place of the workers: the first query that waits for them starts them. */
  function startWhenNeeded(): void {
    if (isStarted || isWatching) return;
    isWatching = true;
    const woken = Atomics.load(link.control, SlowControl.Wake);
    Atomics.add(link.control, SlowControl.Sleeping, 1);
    const { async, value } = Atomics.waitAsync(link.control, SlowControl.Wake, woken);
    const end = (): void => {
      Atomics.sub(link.control, SlowControl.Sleeping, 1);
      startAll();
    };
    if (async) void value.then(end);
    else end();
  }

  function sweep(): void {
    const oldest = now() - PATIENCE;
    for (const [ticket, { since }] of tickets) if (since <= oldest) finish(ticket, new Uint8Array(0));
    cancelSweep = tickets.size > 0 ? setTimer(SWEEP, sweep) : undefined;
  }

  function collect(): void {
    cancelCollect = setTimer(SWEEP, collect);
    for (const seat of seats) {
      const unsent = Atomics.load(seat.state, SeatState.Unsent);
      if (unsent !== seat.unsent)
        onError(new Error(`${unsent - seat.unsent} slow answers could not be sent (errno ${seat.state[SeatState.Errno]})`));
      seat.unsent = unsent;
    }
  }

  function reading(): SlowPoolReading {
    const lane = (number: Lane): RingReading => link.queues.map((queues) => readRing(queues[number])).reduce(sum);
    const signed = seats.reduce((total, seat) => total + seat.signedBefore + (seat.state[SeatState.Signed]! >>> 0), 0);
    return { lanes: [lane(0), lane(1)], signed };
  }

  async function end(seat: Seat): Promise<void> {
    const { worker } = seat;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    Atomics.store(seat.state, SeatState.Stop, 1);
    wakeSlowWorkers(link.control);
    const cancel = setTimer(GRACE, () => void worker.terminate());
    await ended;
    cancel();
  }

  return {
    link,
    recent,
    counters: seats.map(({ counters }) => counters),
    swap(tables, secrets) {
      latest = { tables: forWorkers(tables), secrets };
      for (const seat of seats) tell(seat, latest);
      if (secrets.tsigKeys.length > 0 || secrets.zoneKeys.some((key) => key !== undefined)) startAll();
      else startWhenNeeded();
    },
    submit(message, length, lane, source, callback) {
      if (stopping || tickets.size >= MOST_TICKETS) return false;
      const ticket = nextTicket;
      if (!queue.deferTicket(message, length, lane, source, ticket, wallClock())) return false;
      nextTicket = (nextTicket + 1) & 0x7fff_ffff;
      tickets.set(ticket, { since: now(), callback });
      cancelSweep ??= setTimer(SWEEP, sweep);
      return true;
    },
    reading,
    async close() {
      stopping = true;
      cancelSweep?.();
      cancelCollect?.();
      for (const cancel of cancels) cancel();
      cancels.clear();
      await Promise.all(seats.map(end));
      tickets.clear();
    },
  };
}

const sum = (a: RingReading, b: RingReading): RingReading => ({
  queued: a.queued + b.queued,
  dropped: a.dropped + b.dropped,
  refused: a.refused + b.refused,
  stale: a.stale + b.stale,
  waiting: a.waiting + b.waiting,
});
