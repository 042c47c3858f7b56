/**
 * Response-rate limiting: how many answers of one kind a network of clients gets a second over UDP, where senders can be forged. What is
 * beyond is dropped, or sent truncated so that an honest client asks again over TCP.
 *
 * Two limits hold at once: one for each (source prefix, ECS prefix, name, kind of answer), and a higher one for each source prefix over
 * everything, so that a public resolver that asks for many networks is limited by the second alone. A source that is far below the first
 * limit with all that it asks is let through by one look (see {@link isQuiet}).
 *
 * ```
 * table: sets of 32 bytes, found by a keyed hash     4 × 4  when the bucket is empty again, 1/1024 ms     4 × 4  tag: more of the hash
 * ```
 *
 * A bucket is the one number of the generic cell rate algorithm: each answer moves it `1 / limit` s ahead of the clock, and no further than
 * one second. One that the clock has passed knows nothing any more, so giving it to another key loses nothing. Only when all four of a set
 * are busy, the least charged one is forgotten: a flood of keys loosens limits and never tightens one. Steps are rounded down to whole
 * units, so a limit of 10,000 a second lets up to 1 % more pass. Hot: nothing is allocated.
 */
import type { Network } from "../model/ip.ts";
import type { Source } from "./source.ts";
import type { Query } from "./wire/query.ts";

/** Structured-cloneable. What operators choose, but for the seed. */
export interface RateLimitSettings {
  /** Answers a second for one source prefix, ECS prefix, name and kind; 0 = no limit. At most {@link MAX_LIMIT}. */
  readonly limit: number;
  /** Answers a second for one source prefix; 0 = no limit. At most {@link MAX_LIMIT}. */
  readonly sourceLimit: number;
  /** Of so many limited answers one is sent truncated; 0 = none, all are dropped. At most 255. */
  readonly slip: number;
  /** Clients that are never limited. */
  readonly exempt: readonly Network[];
  /** {@link SEED_WORDS} random words, drawn at each start: nobody outside can find keys that share a bucket. */
  readonly seed: Int32Array;
}

/** What to do with an answer. */
export const RateAction = { Answer: 0, Slip: 1, Drop: 2 } as const;
export type RateAction = (typeof RateAction)[keyof typeof RateAction];

/** Kinds of answers that are counted apart. */
export const AnswerKind = { Data: 0, NoName: 1, Referral: 2, Error: 3 } as const;
export type AnswerKind = (typeof AnswerKind)[keyof typeof AnswerKind];
/** Stand for the kind in the buckets of a whole source prefix: the one that limits it, and the one that tells whether it is quiet. */
const ALL_KINDS = 15;
const QUIETNESS = 14;

/** A step of one unit: beyond it no limit can be told from none. */
export const MAX_LIMIT = 1_000_000;

const SET_BITS = 14;
const SETS = 1 << SET_BITS;
const WAYS = 4;
/** Units of a millisecond. The 32 bits of a time wrap each 70 minutes; what is no more than {@link BURST} ahead is a charge, all else is past. */
const UNIT = 1024;
/** How much of a limit may be used up at once: one second. */
const BURST = 1000 * UNIT;
/** A source prefix with no more than this on its own account, at the rate of one answer's limit, has no answer beyond that limit. */
const QUIET = BURST / 8;
/** Beyond this step an eighth of a burst is so few answers that counting them apart would change what they get. */
const LARGEST_GATED_STEP = BURST / 64;

/** Words of a hash lane's seed, and of all three. */
const LANE = 12;
export const SEED_WORDS = 3 * LANE;

/** One thread's. */
export interface RateLimiter {
  /** Units of its bucket that one answer takes; 0 = no limit. */
  readonly step: number;
  readonly sourceStep: number;
  /** Whether quiet sources are let through by one look; only where the limits would let them through anyway. */
  readonly gated: boolean;
  readonly slip: number;
  readonly exemptV4: Int32Array;
  readonly exemptV6: readonly { readonly bytes: Uint8Array; readonly mask: Uint8Array }[];
  readonly seed: Int32Array;
  readonly table: Int32Array;
  /** Bucket → limited answers since the last slip. */
  readonly limited: Uint8Array;
  /** Scratch: two words of the client's network, and two of its ECS prefix. */
  readonly prefix: Int32Array;
  /** Scratch: hashes of the answer's key at even places, of its source's at odd ones. */
  readonly sums: Int32Array;
}

/** @param workers how many threads share the limits, each with a limiter of its own */
export function newRateLimiter(settings: RateLimitSettings, workers: number): RateLimiter {
  const step = (limit: number): number => (limit === 0 ? 0 : Math.floor((BURST * workers) / limit));
  const v4 = settings.exempt.filter(({ family }) => family === 4);
  const v6 = settings.exempt.filter(({ family }) => family === 6);
  const keyStep = step(settings.limit);
  const sourceStep = step(settings.sourceLimit);
  return {
    step: keyStep,
    sourceStep,
    gated: keyStep > 0 && keyStep <= LARGEST_GATED_STEP && sourceStep <= keyStep,
    slip: settings.slip,
    exemptV4: Int32Array.from(v4.flatMap(({ bytes, length }) => [wordOf(bytes), length === 0 ? 0 : -1 << (32 - length)])),
    exemptV6: v6.map(({ bytes, length }) => ({
      bytes,
      mask: Uint8Array.from({ length: 16 }, (_, i) => 0xff00 >> Math.min(8, Math.max(0, length - 8 * i))),
    })),
    seed: settings.seed,
    table: new Int32Array(SETS * 2 * WAYS),
    limited: new Uint8Array(SETS * WAYS),
    prefix: new Int32Array(4),
    sums: new Int32Array(6),
  };
}

const wordOf = (bytes: Uint8Array): number => (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;

/**
 * Counts one answer, before it is made.
 *
 * @param name hash of the name that it is counted for; 0 = none
 * @param now  milliseconds since the epoch; may step back, which forgets what buckets held
 */
export function limitRate(limiter: RateLimiter, source: Source, query: Query, kind: AnswerKind, name: number, now: number): RateAction {
  if (isExempt(limiter, source)) return RateAction.Answer;
  const { prefix, step, sourceStep, sums } = limiter;
  const time = Math.floor(now * UNIT) | 0;
  setPrefix(prefix, 0, source.isV6, source.v6, source.v4);
  if (limiter.gated && isQuiet(limiter, time)) return RateAction.Answer;
  const hasSubnet = query.hasSubnet && query.subnet.source > 0;
  if (hasSubnet) setPrefix(prefix, 2, query.subnet.family === 2, query.subnet.address, wordOf(query.subnet.address));
  hashKeys(limiter, name, kind, hasSubnet);
  // the stricter limit first, so that what it stops is not charged to the other
  let bucket = step === 0 ? -1 : charge(limiter.table, setOf(sums[0]!), tagOf(sums[2]!, sums[4]!), step, time);
  if (bucket < 0 && sourceStep !== 0) bucket = charge(limiter.table, setOf(sums[1]!), tagOf(sums[3]!, sums[5]!), sourceStep, time);
  return bucket < 0 ? RateAction.Answer : slipOrDrop(limiter, bucket);
}

/**
 * Counts an answer for its source prefix as if all of them were of one kind and name, and tells whether even then they would be far below the
 * limit of one kind and name: most sources are, and for them nothing else is looked at. What passes here is not charged to any other
 * bucket, so a source that turns loud has an eighth of a second's worth more than its limit, once.
 */
function isQuiet({ seed, prefix, table, step }: RateLimiter, now: number): boolean {
  const set = setOf(sumOfPrefix(seed, 0, prefix) + Math.imul(seed[7]!, QUIETNESS));
  const tag = tagOf(
    sumOfPrefix(seed, LANE, prefix) + Math.imul(seed[LANE + 7]!, QUIETNESS),
    sumOfPrefix(seed, 2 * LANE, prefix) + Math.imul(seed[2 * LANE + 7]!, QUIETNESS),
  );
  const times = set * 2 * WAYS;
  let way = 0;
  while (way < WAYS && table[times + WAYS + way] !== tag) way++;
  let ahead = 0;
  if (way < WAYS) {
    ahead = chargeOf(table[times + way]!, now, BURST + step);
  } else {
    way = leastCharged(table, times, now);
    table[times + WAYS + way] = tag;
  }
  table[times + way] = (now + Math.min(BURST, ahead + step)) | 0; // it stays loud for as long as it is
  return ahead <= QUIET;
}

/** The part of a lane's sum that the source prefix makes. */
const sumOfPrefix = (seed: Int32Array, lane: number, prefix: Int32Array): number =>
  (seed[lane]! +
    Math.imul(seed[lane + 1]!, prefix[0]! & 0xffff) +
    Math.imul(seed[lane + 2]!, prefix[0]! >>> 16) +
    Math.imul(seed[lane + 3]!, prefix[1]! & 0xffff) +
    Math.imul(seed[lane + 4]!, prefix[1]! >>> 16)) |
  0;

/**
 * Hashes both keys, that of the answer and that of its source prefix, in three lanes each: multilinear sums over 16-bit halves in 32-bit
 * arithmetic, whose upper 16 bits are strongly universal (Lemire and Kaser, "Strongly universal string hashing is fast", 2014). Two keys
 * that were chosen without knowing the seed share the 14 bits of a set and the 32 bits of a tag with one seed in 2^46. A half that is 0 adds
 * nothing, so parts of a key that are absent are left out.
 */
function hashKeys({ seed, prefix, sums }: RateLimiter, name: number, kind: number, hasSubnet: boolean): void {
  let at = 0;
  // a loop and not three copies, because V8 inlines only so much
  for (let lane = 0; lane < SEED_WORDS; lane += LANE) {
    const source = sumOfPrefix(seed, lane, prefix);
    let sum =
      source + Math.imul(seed[lane + 5]!, name & 0xffff) + Math.imul(seed[lane + 6]!, name >>> 16) + Math.imul(seed[lane + 7]!, kind);
    if (hasSubnet) {
      sum +=
        Math.imul(seed[lane + 8]!, prefix[2]! & 0xffff) +
        Math.imul(seed[lane + 9]!, prefix[2]! >>> 16) +
        Math.imul(seed[lane + 10]!, prefix[3]! & 0xffff) +
        Math.imul(seed[lane + 11]!, prefix[3]! >>> 16);
    }
    sums[at++] = sum;
    sums[at++] = source + Math.imul(seed[lane + 7]!, ALL_KINDS);
  }
}

const setOf = (sum: number): number => sum >>> (32 - SET_BITS);
const tagOf = (high: number, low: number): number => (high & 0xffff_0000) | (low >>> 16);

/** Two words of a network: an IPv4 /24 or an IPv6 /56, and in the lowest bits which of them. */
function setPrefix(out: Int32Array, at: number, isV6: boolean, v6: Uint8Array, v4: number): void {
  if (isV6) {
    out[at] = wordOf(v6);
    out[at + 1] = (v6[4]! << 24) | (v6[5]! << 16) | (v6[6]! << 8) | 2;
  } else {
    out[at] = v4 & 0xffff_ff00;
    out[at + 1] = 1;
  }
}

function isExempt({ exemptV4, exemptV6 }: RateLimiter, source: Source): boolean {
  if (!source.isV6) {
    for (let i = 0; i < exemptV4.length; i += 2) if ((source.v4 & exemptV4[i + 1]!) === exemptV4[i]!) return true;
    return false;
  }
  for (let i = 0; i < exemptV6.length; i++) {
    const { bytes, mask } = exemptV6[i]!;
    let k = 0;
    while (k < 16 && (source.v6[k]! & mask[k]!) === bytes[k]!) k++;
    if (k === 16) return true;
  }
  return false;
}

/**
 * Charges a bucket with one answer.
 *
 * @param step what an answer takes of it
 * @returns -1, or the number of the bucket when it is full
 */
function charge(table: Int32Array, set: number, tag: number, step: number, now: number): number {
  const burst = Math.max(BURST, step); // a share of less than one a second still lets one pass
  const times = set * 2 * WAYS;
  let way = 0;
  while (way < WAYS && table[times + WAYS + way] !== tag) way++;
  let ahead = 0;
  if (way < WAYS) {
    ahead = chargeOf(table[times + way]!, now, burst + step);
  } else {
    way = leastCharged(table, times, now);
    table[times + WAYS + way] = tag;
  }
  // half a step of tolerance, because steps are rounded
  if (ahead > burst - (step >> 1)) return set * WAYS + way;
  table[times + way] = (now + ahead + step) | 0;
  return -1;
}

/** How far a bucket is ahead of the clock: 0 when it is idle, or from before the clock was put back. */
function chargeOf(until: number, now: number, most: number): number {
  const ahead = (until - now) | 0;
  return ahead < 0 || ahead > most ? 0 : ahead;
}

function leastCharged(table: Int32Array, times: number, now: number): number {
  let best = 0;
  let least = chargeOf(table[times]!, now, 2 * BURST);
  for (let way = 1; way < WAYS && least > 0; way++) {
    const ahead = chargeOf(table[times + way]!, now, 2 * BURST);
    if (ahead >= least) continue;
    best = way;
    least = ahead;
  }
  return best;
}

function slipOrDrop({ limited, slip }: RateLimiter, bucket: number): RateAction {
  if (slip === 0) return RateAction.Drop;
  const count = limited[bucket]! + 1;
  limited[bucket] = count >= slip ? 0 : count;
  return count >= slip ? RateAction.Slip : RateAction.Drop;
}
