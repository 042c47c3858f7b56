/** What the operator chose for the threads that answer, beside what zones and routes say. */
import type { CookieSecrets } from "./cookies.ts";
import type { RateLimitSettings } from "./rate-limit.ts";

/** Structured-cloneable; cookie secrets stay shared with whoever replaces them. What is left out is off. */
export interface AnswerSettings {
  /** This server's name for whoever asks which one answers: NSID (RFC 5001), `id.server` (RFC 4892). At most {@link MAX_NSID} bytes. */
  readonly nsid?: Uint8Array;
  /** What `version.bind` is answered. At most {@link MAX_TEXT} bytes. */
  readonly versionBind?: Uint8Array;
  readonly cookies?: CookieSecrets;
  /** Leave it out for a thread whose queries another one has counted already. */
  readonly rateLimit?: RateLimitSettings;
  /** Threads that share the rate limits. */
  readonly workers: number;
}

/** Longer identifiers would crowd records out of small answers. */
export const MAX_NSID = 128;
/** One character-string (RFC 1035 §3.3). */
export const MAX_TEXT = 255;

/** Everything off: a bare server. */
export const NO_SETTINGS: AnswerSettings = { workers: 1 };
