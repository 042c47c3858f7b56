/**
 * What the main thread and a DNS worker share. The worker blocks in a system call and has no event loop: it looks at {@link Control.Version}
 * after each batch, and takes its messages by `receiveMessageOnPort` when that has changed. An eventfd in its poll set wakes it up when idle.
 */
import type { MessagePort } from "node:worker_threads";
import { sharedFloat64, sharedInt32 } from "../../model/shared-array.ts";
import type { AnswerSettings } from "../answer-settings.ts";
import { newQueryCounters, type QueryCounters } from "../counters.ts";
import type { SlowLink } from "../slow/slow-link.ts";
import type { ServingTables } from "../zone-table.ts";
import type { Listener, Mapping } from "./xdp/xdp-rings.ts";
import type { XdpSocket } from "./xdp/xdp-socket.ts";

/** Words of {@link WorkerLink.control}. */
export const Control = {
  /** Grows with every message; written by the main thread. */
  Version: 0,
  /** 1 = end. */
  Stop: 1,
  /** The version up to which the worker has taken everything: tables sent before it are not read any more. Written by the worker. */
  Passed: 2,
  /** Answers that could not be sent, and errno of the last one. Written by the worker. */
  Unsent: 3,
  Errno: 4,
  /** Queries at which answering threw: a bug, but no reason to stop serving. */
  Faults: 5,
  /** Batches timed so far; the newest {@link SAMPLES} durations are kept. */
  Sampled: 6,
  /** What `warmPlaces` returned: of no meaning. */
  Warmed: 7,
} as const;
const CONTROL_WORDS = 16;

export const SAMPLES = 256;

export interface WorkerSocket {
  readonly fd: number;
  readonly isV6: boolean;
}

export type WorkerMessage =
  | { readonly kind: "tables"; readonly tables: ServingTables }
  /** Replaces the sockets that it reads. */
  | { readonly kind: "sockets"; readonly sockets: readonly WorkerSocket[] }
  /** One more queue of an interface to read. */
  | { readonly kind: "queue"; readonly socket: XdpSocket; readonly listeners: readonly Listener[] }
  /** No queues any more. */
  | { readonly kind: "no-queues" };

/** What the worker says: that it is up, that it reads a queue from now on, or what is wrong with it. */
export type WorkerReport =
  | { readonly kind: "ready" }
  | { readonly kind: "reading"; readonly fd: number; readonly mapped: readonly Mapping[] }
  | { readonly kind: "unreadable"; readonly fd: number; readonly message: string }
  | { readonly kind: "unavailable"; readonly message: string }
  | { readonly kind: "fault"; readonly message: string };

export interface WorkerLink {
  readonly control: Int32Array;
  /** Seconds, a ring of {@link SAMPLES}. */
  readonly samples: Float64Array;
  readonly counters: QueryCounters;
}

/** Passed to the thread at its start. */
export interface WorkerStart extends WorkerLink {
  readonly port: MessagePort;
  readonly wakeFd: number;
  readonly settings: AnswerSettings;
  /** Where queries go that this thread cannot answer; without it they get no answer. */
  readonly slow?: { readonly link: SlowLink; readonly producer: number };
}

export const newWorkerLink = (): WorkerLink => ({
  control: sharedInt32(CONTROL_WORDS),
  samples: sharedFloat64(SAMPLES),
  counters: newQueryCounters(),
});

/**
 * A worker needs the shared arrays; names and what places are called are for people, and copying those of ten thousand routes and of a
 * city file's hundred thousand places takes long, in which the worker that receives them answers nobody.
 */
export const forWorkers = (tables: ServingTables): ServingTables => ({
  ...tables,
  routing: {
    ...tables.routing,
    geo: { ...tables.routing.geo, places: [], subnets: [] },
    names: { clusters: [], routes: [], backends: [], addresses: [] },
  },
});
