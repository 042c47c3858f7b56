/**
 * The main thread's side of the fast transport: it opens every socket and hands the descriptors to worker threads, so that the queries of a
 * worker that died wait in its sockets for its successor, or for a neighbour that reads them meanwhile.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type ListenAddress, systemCode } from "../../model/listen-address.ts";
import { type Milliseconds, ms } from "../../model/units.ts";
import "../collect-garbage.ts";
import { type AnswerSettings, NO_SETTINGS } from "../answer-settings.ts";
import type { SlowLink } from "../slow/slow-link.ts";
import type { TransportHooks, UdpTransport } from "../udp-transport.ts";
import type { ServingTables } from "../zone-table.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, FastTransportUnavailable, type Libc, loadLibc, systemError } from "./libc.ts";
import { openSharedPort, type SharedPort } from "./socket-set.ts";
import {
  Control,
  forWorkers,
  newWorkerLink,
  SAMPLES,
  type WorkerLink,
  type WorkerMessage,
  type WorkerReport,
  type WorkerSocket,
  type WorkerStart,
} from "./worker-link.ts";
import { loadXdpLibc, type XdpLibc } from "./xdp/xdp-libc.ts";
import { listenersOf, openXdpQueues, type XdpQueues } from "./xdp/xdp-queues.ts";
import type { Mapping } from "./xdp/xdp-rings.ts";

export interface FastPorts extends TransportHooks {
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
}

/** A worker that dies is replaced at once; one that dies again within this time, after it. */
const RESTART = ms(1000);
/** How often timings and errors of the workers are collected. */
const COLLECT = ms(1000);
/** A worker that does not end by itself within this time is terminated. */
const GRACE = ms(500);
/** How long a queue of an interface that is busy is waited for. */
const BUSY_WAIT = ms(100);
const BUSY_TRIES = 30;

/** One place for a worker; whoever fills it keeps its counters and sockets. */
interface Seat extends WorkerLink {
  readonly index: number;
  readonly wakeFd: number;
  worker: Worker | undefined;
  port: MessagePort | undefined;
  /** The present worker has said that it is up. */
  ready: boolean;
  startedAt: number;
  /** By the present worker. */
  readonly mapped: Mapping[];
  unsent: number;
  sampled: number;
}

/** One thread; `index` names it. */
export function startWorker(workerData: WorkerStart, index: number): Worker {
  // tsc leaves URLs alone, so the worker's ending follows this file's own: .ts in a checkout, .js in a package.
  const url = new URL(`./dns-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  return new Worker(url, { name: `dns-${index}`, workerData, transferList: [workerData.port] });
}

/**
 * @param workers how many threads answer, at least 1
 * @param settings of each worker, which shares the rate limits with the others
 * @param slow    takes what workers cannot answer, as producers from 1 on
 * @param newWorker starts a thread that does as `dns-worker.ts` does
 * @param interfaces whose queries are taken by AF_XDP where that can be had; where not it is told, and they come to the sockets
 * @throws {@link FastTransportUnavailable} where its system calls cannot be had
 */
export function createFastTransport(
  workers: number,
  ports: FastPorts,
  settings: AnswerSettings = NO_SETTINGS,
  slow?: SlowLink,
  newWorker = startWorker,
  interfaces: readonly string[] = [],
): UdpTransport {
  const libc = loadLibc();
  const seats = Array.from({ length: workers }, (_, index) => newSeat(libc, index));
  const open: SharedPort[] = [];
  const wakeWord = new Uint8Array(BigUint64Array.of(1n).buffer);
  let tables: ServingTables | undefined;
  let queues: XdpQueues | undefined;
  let xdpLibc: XdpLibc | undefined;
  let stopping = false;
  const cancels = new Set<() => void>();

  function after(delay: Milliseconds, callback: () => void): void {
    const cancel = ports.setTimer(delay, () => {
      cancels.delete(cancel);
      callback();
    });
    cancels.add(cancel);
  }

  /** Wakes a worker up to look at its control words. */
  function wake(seat: Seat): void {
    Atomics.add(seat.control, Control.Version, 1);
    libc.write(seat.wakeFd, wakeWord, wakeWord.length);
  }

  function tell(seat: Seat, message: WorkerMessage): void {
    if (seat.port === undefined) return;
    seat.port.postMessage(message);
    wake(seat);
  }

  const socketsOf = (seat: Seat): readonly WorkerSocket[] => open.map(({ descriptors, isV6 }) => ({ fd: descriptors[seat.index]!, isV6 }));

  /** Each worker reads its own sockets; those of a dead one are read by the next that lives. */
  function shareSockets(): void {
    for (const seat of seats) {
      if (!seat.ready) continue;
      const orphans = seats.filter((other) => !other.ready && guardian(other) === seat);
      tell(seat, { kind: "sockets", sockets: [seat, ...orphans].flatMap(socketsOf) });
    }
  }

  const guardian = (dead: Seat): Seat | undefined =>
    [...seats.slice(dead.index + 1), ...seats.slice(0, dead.index)].find(({ ready }) => ready);

  /** Resolves when the worker is up; rejects when it never will be. */
  function start(seat: Seat): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const data: WorkerStart = {
      ...linkOf(seat),
      port: port2,
      wakeFd: seat.wakeFd,
      settings: { ...settings, workers },
      ...(slow === undefined ? {} : { slow: { link: slow, producer: 1 + seat.index } }),
    };
    const worker = newWorker(data, seat.index);
    port1.unref();
    seat.worker = worker;
    seat.port = port1;
    seat.ready = false;
    seat.startedAt = ports.now();
    return new Promise((resolve, reject) => {
      worker.on("message", (report: WorkerReport) => {
        if (report.kind === "reading") {
          seat.mapped.push(...report.mapped);
          admit(report.fd);
        } else if (report.kind === "unreadable") refuseXdp(new Error(report.message));
        else if (report.kind === "unavailable") reject(new FastTransportUnavailable(report.message));
        else if (report.kind === "fault") ports.onError(new Error(`a DNS worker could not answer a query: ${report.message}`));
        else {
          seat.ready = true;
          if (tables !== undefined) tell(seat, { kind: "tables", tables });
          resolve();
        }
      });
      worker.on("error", (error) => ports.onError(new Error("a DNS worker ended", { cause: error })));
      worker.on("exit", (code) => {
        port1.close();
        if (seat.worker !== worker) return;
        seat.worker = undefined;
        seat.port = undefined;
        const served = seat.ready;
        seat.ready = false;
        queues?.release(seat.index);
        for (const { address, length } of seat.mapped.splice(0)) xdpLibc?.munmap(address, length); // nobody reads them any more
        reject(new Error(`a DNS worker ended before it was up (exit code ${code})`));
        if (!stopping && served) replace(seat);
      });
    });
  }

  /** Everybody's queries come to the sockets instead. */
  function refuseXdp(cause: unknown): void {
    dropQueues();
    const why = cause instanceof Error ? cause.message : String(cause);
    ports.onError(new Error(`AF_XDP cannot be had on ${interfaces.join(", ")} (${why}): its queries come through sockets`, { cause }));
  }

  function admit(fd: number): void {
    try {
      if (queues?.admit(fd) === true) ports.onTaken?.(interfaces);
    } catch (error) {
      refuseXdp(error);
    }
  }

  /** The kernel gives a queue back some time after the process that had it is gone. */
  function openQueues(tries = BUSY_TRIES): void {
    if (interfaces.length === 0 || stopping) return;
    try {
      xdpLibc ??= loadXdpLibc(libc);
      queues = openXdpQueues(xdpLibc, interfaces, workers, open);
      for (const seat of seats) if (seat.ready) readQueues(seat);
    } catch (error) {
      if (systemCode(error) !== "EBUSY" || tries === 1) {
        refuseXdp(error);
        return;
      }
      dropQueues();
      after(BUSY_WAIT, () => openQueues(tries - 1));
    }
  }

  function dropQueues(): void {
    for (const seat of seats) if (seat.ready) tell(seat, { kind: "no-queues" });
    queues?.close();
    queues = undefined;
  }

  function readQueues(seat: Seat): void {
    const listeners = listenersOf(open, seat.index);
    for (const socket of queues?.open(seat.index) ?? []) tell(seat, { kind: "queue", socket, listeners });
  }

  function resume(seat: Seat): void {
    shareSockets();
    try {
      readQueues(seat);
    } catch (error) {
      refuseXdp(error);
    }
  }

  function replace(seat: Seat): void {
    shareSockets();
    const attempt = (): void => {
      if (stopping) return;
      start(seat).then(
        () => resume(seat),
        (error: Error) => {
          ports.onError(error);
          after(RESTART, attempt);
        },
      );
    };
    if (ports.now() - seat.startedAt < RESTART) after(RESTART, attempt);
    else attempt();
  }

  function collect(): void {
    for (const seat of seats) {
      const sampled = seat.control[Control.Sampled]!;
      for (let i = Math.max(seat.sampled, sampled - SAMPLES); i < sampled; i++) ports.onDuration(seat.samples[i % SAMPLES]!);
      seat.sampled = sampled;
      const unsent = Atomics.load(seat.control, Control.Unsent);
      if (unsent !== seat.unsent) ports.onError(unsentError(unsent - seat.unsent, seat.control[Control.Errno]!));
      seat.unsent = unsent;
    }
    after(COLLECT, collect);
  }

  async function end(seat: Seat): Promise<void> {
    const { worker } = seat;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    Atomics.store(seat.control, Control.Stop, 1);
    wake(seat);
    const cancel = ports.setTimer(GRACE, () => void worker.terminate());
    await ended;
    cancel();
  }

  return {
    kind: "fast",
    counters: seats.map(({ counters }) => counters),
    bind: async (listen: ListenAddress) => {
      const shared = openSharedPort(libc, listen, workers);
      open.push(shared);
      return {
        port: shared.port,
        close: async () => {
          open.splice(open.indexOf(shared), 1);
          closeAll(libc, shared.descriptors);
        },
      };
    },
    start: async () => {
      await Promise.all(seats.map(start));
      shareSockets();
      openQueues();
      after(COLLECT, collect);
    },
    swap: (next) => {
      tables = forWorkers(next);
      for (const seat of seats) if (seat.ready) tell(seat, { kind: "tables", tables });
    },
    isCurrent: () =>
      seats.every(({ ready, control }) => ready && Atomics.load(control, Control.Passed) === Atomics.load(control, Control.Version)),
    stop: async () => {
      stopping = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
      queues?.close();
      queues = undefined;
      await Promise.all(seats.map(end));
      for (const { descriptors } of open.splice(0)) closeAll(libc, descriptors);
      closeAll(
        libc,
        seats.map(({ wakeFd }) => wakeFd),
      );
    },
  };
}

function newSeat(libc: Libc, index: number): Seat {
  const wakeFd = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wakeFd < 0) throw systemError(libc, "eventfd");
  return {
    ...newWorkerLink(),
    index,
    wakeFd,
    worker: undefined,
    port: undefined,
    ready: false,
    startedAt: 0,
    mapped: [],
    unsent: 0,
    sampled: 0,
  };
}

const linkOf = ({ control, samples, counters }: WorkerLink): WorkerLink => ({ control, samples, counters });

function unsentError(count: number, errno: number): Error {
  return new Error(`${count} answers over UDP could not be sent`, { cause: new Error(`errno ${errno}`) });
}

function closeAll(libc: Libc, descriptors: readonly number[]): void {
  for (const fd of descriptors) libc.close(fd);
}
