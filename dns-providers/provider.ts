/** What a DNS provider must do for us, and what it says of itself. Whoever shares code between providers reads this, never their names. */
import type { Change } from "./planner.ts";
import type { RecordSet } from "./record-set.ts";

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
}

export interface ChangeBatch {
  /** Also the first of the changes that the batch makes. */
  readonly fence: Extract<Change, { readonly after: RecordSet }>;
  readonly changes: readonly Change[];
}

export interface Capabilities {
  /**
   * `Atomic`: a batch is refused at the provider when the fence is another. `BestEffort`: only read before; an older writer's batch that was
   * under way is repaired by the next sync.
   */
  readonly fencing: "Atomic" | "BestEffort";
  /** Types that can be published. */
  readonly types: readonly string[];
  /** Answers that differ by client. Empty: everyone gets the same set. */
  readonly policies: readonly ("Weighted" | "Geo" | "GeoProximity" | "Latency" | "Failover")[];
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

export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;

  /**
   * @param at     `rfc2136 192.0.2.53:53 example.org`
   * @param remedy the next step, a sentence
   */
  constructor(code: ProviderErrorCode, at: string, fact: string, remedy: string, cause?: unknown) {
    super(`${at}: ${fact}. ${remedy}`, { cause });
    this.code = code;
  }
}
