/**
 * What the threads that answer at once share with those that answer slowly: the queues of every producer, and a few words to wait on and to be
 * told by. A slow worker sleeps on {@link SlowControl.Wake} and has no event loop: it takes messages by `receiveMessageOnPort`.
 */
import type { MessagePort } from "node:worker_threads";
import { sharedInt32 } from "../../model/shared-array.ts";
import type { AnswerSettings } from "../answer-settings.ts";
import type { QueryCounters } from "../counters.ts";
import type { SigningKey } from "../dnssec/zone-key.ts";
import type { TsigKey } from "../transfer/tsig.ts";
import type { ServingTables } from "../zone-table.ts";
import { newRing, type Ring } from "./rings.ts";
import type { SignatureCache } from "./signature-cache.ts";

/** Words of {@link SlowLink.control}, which all threads share. */
export const SlowControl = {
  /** Grows whenever there may be something to do. */
  Wake: 0,
  /** Workers that sleep, or are about to: only then is anybody woken. */
  Sleeping: 16,
} as const;
const CONTROL_WORDS = 32;

/** Words of {@link SlowSeat.state}, one worker's own. */
export const SeatState = {
  /** Grows with every message to it; written by the main thread. */
  Version: 0,
  /** 1 = end. */
  Stop: 1,
  /** Signatures made. Written by the worker, as are those below. */
  Signed: 2,
  /** Queries at which answering threw: a bug, but no reason to stop. */
  Faults: 3,
  /** Answers that could not be sent, and errno of the last one. */
  Unsent: 4,
  Errno: 5,
} as const;
const SEAT_WORDS = 16;

/** Slots of each lane's queue, and how many of them one source network may fill. At 10,000 answers a second lane 1 is 25 ms long. */
const CAPACITY: readonly [number, number] = [512, 256];
const SHARE: readonly [number, number] = [128, 32];

/** One producer's queues, by lane. */
export type SlowQueues = readonly [Ring, Ring];

/** Structured-cloneable; a clone shares the memory. */
export interface SlowLink {
  readonly control: Int32Array;
  readonly queues: readonly SlowQueues[];
  /** Signatures made on demand, for every thread. */
  readonly recent: SignatureCache;
}

/** @param producers how many threads hand queries over */
export const newSlowLink = (producers: number, recent: SignatureCache): SlowLink => ({
  control: sharedInt32(CONTROL_WORDS),
  queues: Array.from({ length: producers }, (): SlowQueues => [newRing(CAPACITY[0], SHARE[0]), newRing(CAPACITY[1], SHARE[1])]),
  recent,
});

export const newSeatState = (): Int32Array => sharedInt32(SEAT_WORDS);

/** Secrets that only threads that sign are given. */
export interface SlowSecrets {
  /** Zone → the key that signs it; undefined = not signed. In the order of the zone table. */
  readonly zoneKeys: readonly (SigningKey | undefined)[];
  readonly tsigKeys: readonly TsigKey[];
}

export const NO_SECRETS: SlowSecrets = { zoneKeys: [], tsigKeys: [] };

export interface SlowMessage {
  readonly tables: ServingTables;
  readonly secrets: SlowSecrets;
}

/** Passed to a slow worker at its start. */
export interface SlowStart {
  readonly link: SlowLink;
  readonly state: Int32Array;
  readonly port: MessagePort;
  readonly counters: QueryCounters;
  readonly settings: AnswerSettings;
}

/** What a slow worker says: the answer of a query that came by the main thread (no bytes = send nothing), or what is wrong. */
export type SlowReport =
  | { readonly kind: "answer"; readonly ticket: number; readonly bytes: Uint8Array }
  | { readonly kind: "fault"; readonly message: string };

/** To be called after anything that a sleeping worker should look at. */
export function wakeSlowWorkers(control: Int32Array): void {
  Atomics.add(control, SlowControl.Wake, 1);
  if (Atomics.load(control, SlowControl.Sleeping) > 0) Atomics.notify(control, SlowControl.Wake);
}
