/**
 * What clients have done wrong lately, so that whoever goes on at it costs the others little:
 *
 *     a fault now and then      is answered at once
 *     more than its allowance   is answered late (a tarpit): that one connection waits, others of the address do not
 *     far more                  its connections are not read any more, until it has kept still for a while
 *
 * Behind one address there may be many people, so the first two are for the one who errs, and only a flood closes the door to all of them.
 */
import type { Milliseconds } from "../../../model/units.ts";
import { type Allowance, leftOf, newAllowance, type Rate, spend } from "./allowance.ts";

export interface ConductLimits {
  /** Faults that are answered at once: requests that are refused for what they are, handshakes that fail. */
  readonly faults: Rate;
  /** Faults beyond these, at which the client's connections are no longer read. */
  readonly debt: number;
  /** Of a client that is not listened to: connections that are kept waiting rather than closed, because whoever waits does not come again. */
  readonly waiting: number;
}

/** The client has done something wrong, or `count` things. @returns true when it has too often, and an answer is to wait */
export type OnFault = (count?: number) => boolean;

/** A connection of HTTP/2 that is cut has cost as much as so many refused requests. */
export const CUT_FAULTS = 20;

/** Clients of one generation; beyond it the oldest are forgotten. */
const MOST_CLIENTS = 100_000;

export class ClientConduct {
  readonly #limits: ConductLimits;
  /** What is held against one at most: what its connections do that were open when it came to be shunned is not forgiven, and not without bound. */
  readonly #most: number;
  /** Milliseconds until whoever has done all the wrong there is has the whole allowance again. */
  readonly #memory: number;
  #young = new Map<string, Allowance>();
  /** Those of before, which come back to the young when they are heard of. */
  #old = new Map<string, Allowance>();
  #youngSince = 0;

  constructor(limits: ConductLimits) {
    this.#limits = limits;
    this.#most = 2 * limits.debt;
    this.#memory = (1000 * (limits.faults.burst + this.#most)) / limits.faults.perSecond;
  }

  /** The client has done `count` things wrong. @returns true when it has more often than it may, and its answer is to wait */
  fault(client: string, now: Milliseconds, count = 1): boolean {
    this.#age(now);
    const allowance = this.#young.get(client) ?? this.#old.get(client) ?? newAllowance(this.#limits.faults, now);
    this.#young.set(client, allowance);
    spend(allowance, now, count, this.#most);
    return allowance.left < 0;
  }

  /** Is it not to be listened to? */
  isShunned(client: string, now: Milliseconds): boolean {
    const allowance = this.#young.get(client) ?? this.#old.get(client);
    return allowance !== undefined && leftOf(allowance, now) < 1 - this.#limits.debt;
  }

  /** Clients that are remembered. */
  get clients(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size;
  }

  /** Forgets by generations: whoever has not been heard of for a whole one has its whole allowance again. */
  #age(now: number): void {
    if (now - this.#youngSince < this.#memory && this.#young.size < MOST_CLIENTS) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSince = now;
  }
}
