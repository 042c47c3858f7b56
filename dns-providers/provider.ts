/** What a DNS provider must do for us, and what it says of itself. Whoever shares code between providers reads this, never their names. */
import type { Change } from "./change.ts";
import type { RecordSet, SetPolicy } from "./record-set.ts";

export interface Provider {
  /** For people: `rfc2136 192.0.2.53:53`. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * The whole zone as it is now, without what its server makes by itself (SOA, signatures).
   *
   * @throws ProviderError
   */
  list(signal: AbortSignal): Promise<readonly RecordSet[]>;
  /**
   * Makes all changes of the batch or none, and none unless the fence is as the batch says. When this rejects it is not known whether they
   * were made, unless the code is `conflict`.
   *
   * @throws ProviderError
   */
  apply(batch: ChangeBatch, signal: AbortSignal): Promise<void>;
  /**
   * Makes what sets need besides records, as health checks, and looks whether there is room for them. Before they are written.
   *
   * @param zone what the whole zone is going to be
   * @throws ProviderError `refused` when a quota leaves no room, with the number to ask for; then it is asked again without what needs room
   */
  readonly prepare?: (zone: readonly RecordSet[], epoch: number, signal: AbortSignal) => Promise<void>;
  /**
   * Removes what {@link prepare} made and no set of the zone needs any more.
   *
   * @param isLast nothing of ours comes again, so nothing is kept for a while either
   * @throws ProviderError
   */
  readonly tidy?: (zone: readonly RecordSet[], epoch: number, signal: AbortSignal, isLast?: boolean) => Promise<void>;
  /**
   * What the zone says of its own servers and keys. Absent: the provider does not tell, so that nobody can keep the zone's delegation by it.
   *
   * @throws ProviderError
   */
  readonly authority?: ((signal: AbortSignal) => Promise<ZoneAuthority>) | undefined;
  /** Ends what it does by itself. */
  readonly close?: () => void;
}

/** What a provider notices between batches, where what it takes is published by somebody else. */
export type ProviderNews =
  /** What was accepted has been taken up, or is again. */
  | { readonly kind: "Published" }
  /** It is not, for longer than it should take. */
  | { readonly kind: "NotPublished"; readonly fact: string; readonly remedy: string }
  /** Somebody else has these names of ours too; empty when nobody has any more. Told when they change. */
  | { readonly kind: "Disputed"; readonly names: readonly string[]; readonly remedy: string };

/** What a zone says of its own servers and keys, as the zone above is to say it. */
export interface ZoneAuthority {
  /** Lower case, without the trailing dot; at least one. */
  readonly nameServers: readonly string[];
  /** A and AAAA of those that lie in the zone. */
  readonly glue: readonly RecordSet[];
  /** Of the zone's own NS, seconds. */
  readonly ttl: number;
  /** RDATA, in presentation form, of the DS that it asks for; none: it asks for their removal; absent: it says nothing of them. */
  readonly ds?: readonly string[];
  /** For how long caches may hold anything of it, seconds. */
  readonly longestTtl: number;
}

export interface ChangeBatch {
  /** Also the first of the changes that the batch makes. `Delete` goes with the last batch of all: nothing of ours is left then. */
  readonly fence: Change;
  readonly changes: readonly Change[];
  /** Clients get other answers than before: where requests queue, it goes before others. */
  readonly isUrgent?: boolean;
}

export interface Capabilities {
  /**
   * `Atomic`: a batch is refused at the provider when the fence is another. `BestEffort`: only read before; an older writer's batch that was
   * under way is repaired by the next sync.
   */
  readonly fencing: "Atomic" | "BestEffort";
  /** Types that can be published. */
  readonly types: readonly string[];
  /** By what several sets of one name and type can be told apart. Empty: everyone gets the same set. */
  readonly policies: readonly SetPolicy["kind"][];
  /** Rights are given by name: `unauthorized` may be meant for one name of a batch alone. */
  readonly authorizesNames?: true;
  /** What one sync may take, ms. Where nothing is compared it is less than a Lease, so that a writer that lost it has nothing under way for long. */
  readonly deadline: number;
  /** How often the zone is read anew when nothing else asks for it, ms: what others did to it is seen then. */
  readonly lookEvery: number;
  /** Most that one batch may cost. */
  readonly maxBatchCost: number;
  /** What a change costs of {@link maxBatchCost}. */
  readonly cost: (change: Change) => number;
}

/** What can go wrong → what helps. */
export const PROVIDER_ERRORS = {
  /** The batch met something other than what it was planned on: list and plan anew. */
  conflict: "Relist",
  /** No answer, or not in time. */
  unreachable: "Backoff",
  "rate-limited": "Backoff",
  /** The provider failed. */
  unavailable: "Backoff",
  /** The credentials are wrong, have ended, or may not do this. */
  unauthorized: "Operator",
  /** There is no such zone. */
  "zone-missing": "Operator",
  /** It understood, and will not. */
  refused: "Operator",
} as const satisfies Readonly<Record<string, "Relist" | "Backoff" | "Operator">>;
export type ProviderErrorCode = keyof typeof PROVIDER_ERRORS;

/** What of a batch is not to be had, when the rest is: whatever needs room (a quota), or these names. */
export type Refused = "Room" | { readonly names: readonly string[] };

export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;
  /** Where the provider tells it. */
  readonly refused: Refused | undefined;

  /**
   * @param at     `rfc2136 192.0.2.53:53 example.org`
   * @param remedy the next step, a sentence
   */
  constructor(code: ProviderErrorCode, at: string, fact: string, remedy: string, cause?: unknown, refused?: Refused) {
    super(`${at}: ${fact}. ${remedy}`, { cause });
    this.code = code;
    this.refused = refused;
  }
}
