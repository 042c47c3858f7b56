/** What a thread counts while it answers: numbers in typed arrays, nothing about any client. */
import { sharedFloat64 } from "../model/shared-array.ts";
import type { CookieReading, DecisionReading, DnsQueryReading, RateLimitReading } from "../observe/metric-readings.ts";
import { modeName } from "../routing/decide.ts";
import { METERS } from "../routing/meters.ts";
import { Rcode, rcodeName, Type, typeName } from "./wire/codes.ts";

export const Transport = { UDP: 0, TCP: 1 } as const;
export type Transport = (typeof Transport)[keyof typeof Transport];
const TRANSPORTS = ["udp", "tcp"] as const;

/** Types that are counted by name; all others together are `other`, so that clients cannot make series. */
const TYPES = [Type.A, Type.AAAA, Type.ANY, Type.CNAME, Type.HTTPS, Type.MX, Type.NS, Type.SOA, Type.SRV, Type.TXT, Type.CAA] as const;
const OTHER = TYPES.length;
const RCODES: readonly number[] = [
  Rcode.NOERROR,
  Rcode.FORMERR,
  Rcode.SERVFAIL,
  Rcode.NXDOMAIN,
  Rcode.NOTIMP,
  Rcode.REFUSED,
  Rcode.NOTAUTH,
  Rcode.BADVERS,
  Rcode.BADCOOKIE,
];
/** RCODE → its place in {@link RCODES}. */
const RCODE_INDEX = Uint8Array.from({ length: 24 }, (_, rcode) => Math.max(0, RCODES.indexOf(rcode)));
const MODES = 8;
const LIMITED = ["slipped", "dropped"] as const;
/** By `CookieState` − 1. */
const COOKIES = ["valid", "client_only", "invalid"] as const;

/** Over SharedArrayBuffers: one thread writes, others read. Elements are whole numbers, exact up to 2^53. */
export interface QueryCounters {
  /** Index by {@link countAnswer}. */
  readonly answers: Float64Array;
  /** Transport → messages that got no answer: responses, what is shorter than a header, and what the rate limit drops. */
  readonly dropped: Float64Array;
  /** Answers over UDP that did not fit (TC). */
  readonly truncated: Float64Array;
  /** Answers of routes, by `Mode` of the choice. */
  readonly decisions: Float64Array;
  /** Answers of routes by cluster, under the numbers of `createMeters`. */
  readonly clusters: Float64Array;
  /** Answers that the rate limit sent truncated, and those that it dropped. */
  readonly limited: Float64Array;
  /** Queries with a COOKIE option, by `CookieState` − 1. */
  readonly cookies: Float64Array;
}

export const newQueryCounters = (): QueryCounters => ({
  answers: sharedFloat64(TRANSPORTS.length * RCODES.length * (TYPES.length + 1)),
  dropped: sharedFloat64(TRANSPORTS.length),
  truncated: sharedFloat64(1),
  decisions: sharedFloat64(MODES),
  clusters: sharedFloat64(METERS),
  limited: sharedFloat64(LIMITED.length),
  cookies: sharedFloat64(COOKIES.length),
});

export function countAnswer(counters: QueryCounters, transport: Transport, rcode: number, type: number): void {
  counters.answers[(transport * RCODES.length + RCODE_INDEX[rcode]!) * (TYPES.length + 1) + typeClass(type)]!++;
}

function typeClass(type: number): number {
  for (let i = 0; i < TYPES.length; i++) if (TYPES[i] === type) return i;
  return OTHER;
}

/** @returns one reading for each combination that has occurred; `rcode` is `dropped` for what got no answer */
export function readQueries(threads: OneOrMany): DnsQueryReading[] {
  const [answers, dropped] = [sumOf(threads, "answers"), sumOf(threads, "dropped")];
  const readings: DnsQueryReading[] = [];
  TRANSPORTS.forEach((transport, t) => {
    RCODES.forEach((rcode, r) => {
      for (let type = 0; type <= OTHER; type++) {
        const count = answers[(t * RCODES.length + r) * (TYPES.length + 1) + type] ?? 0;
        if (count === 0) continue;
        readings.push({ rcode: rcodeName(rcode), type: type === OTHER ? "other" : typeName(TYPES[type]!), transport, count });
      }
    });
    const count = dropped[t] ?? 0;
    if (count > 0) readings.push({ rcode: "dropped", type: "other", transport, count });
  });
  return readings;
}

/** @returns one reading for each mode that has occurred, named as in an explanation */
export function readDecisions(threads: OneOrMany): DecisionReading[] {
  return [...sumOf(threads, "decisions")].flatMap((count, mode) => (count > 0 ? [{ mode: modeName(mode), count }] : []));
}

/** @returns what the rate limit did, from the start */
export function readLimited(threads: OneOrMany): RateLimitReading[] {
  const limited = sumOf(threads, "limited");
  return LIMITED.map((action, i) => ({ action, count: limited[i] ?? 0 }));
}

/** @returns queries with a cookie, from the start */
export function readCookies(threads: OneOrMany): CookieReading[] {
  const cookies = sumOf(threads, "cookies");
  return COOKIES.map((state, i) => ({ state, count: cookies[i] ?? 0 }));
}

/** @returns answers from the start, under the numbers of `createMeters` */
export function readClusterAnswers(threads: readonly Pick<QueryCounters, "clusters">[]): Float64Array {
  const total = new Float64Array(METERS);
  for (const { clusters } of threads) for (let i = 0; i < METERS; i++) total[i]! += clusters[i]!;
  return total;
}

/** The counters of one thread, or of all that answer. */
export type OneOrMany = QueryCounters | readonly QueryCounters[];

/** @returns empty when there is no thread */
function sumOf(threads: OneOrMany, key: keyof QueryCounters): Float64Array {
  const all = "answers" in threads ? [threads] : threads;
  const total = new Float64Array(all[0]?.[key].length ?? 0);
  for (const { [key]: counts } of all) for (let i = 0; i < total.length; i++) total[i]! += counts[i]!;
  return total;
}
