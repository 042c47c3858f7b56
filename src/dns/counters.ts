/** What a thread counts while it answers: numbers in typed arrays, nothing about any client. */
import { sharedFloat64 } from "../model/shared-array.ts";
import type { DecisionReading, DnsQueryReading } from "../observe/metrics.ts";
import { modeName } from "../routing/decide.ts";
import { Rcode, rcodeName, Type, typeName } from "./wire/codes.ts";

export const Transport = { UDP: 0, TCP: 1 } as const;
export type Transport = (typeof Transport)[keyof typeof Transport];
const TRANSPORTS = ["udp", "tcp"] as const;

/** Types that are counted by name; all others together are `other`, so that clients cannot make series. */
const TYPES = [Type.A, Type.AAAA, Type.ANY, Type.CNAME, Type.HTTPS, Type.MX, Type.NS, Type.SOA, Type.SRV, Type.TXT, Type.CAA] as const;
const OTHER = TYPES.length;
const RCODES = [Rcode.NOERROR, Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NXDOMAIN, Rcode.NOTIMP, Rcode.REFUSED, Rcode.BADVERS] as const;
const MODES = 8;

/** Over SharedArrayBuffers: one thread writes, others read. Elements are whole numbers, exact up to 2^53. */
export interface QueryCounters {
  /** Index by {@link countAnswer}. */
  readonly answers: Float64Array;
  /** Transport → messages that got no answer: responses, and what is shorter than a header. */
  readonly dropped: Float64Array;
  /** Answers over UDP that did not fit (TC). */
  readonly truncated: Float64Array;
  /** Answers of routes, by `Mode` of the choice. */
  readonly decisions: Float64Array;
}

export const newQueryCounters = (): QueryCounters => ({
  answers: sharedFloat64(TRANSPORTS.length * RCODES.length * (TYPES.length + 1)),
  dropped: sharedFloat64(TRANSPORTS.length),
  truncated: sharedFloat64(1),
  decisions: sharedFloat64(MODES),
});

export function countAnswer(counters: QueryCounters, transport: Transport, rcode: number, type: number): void {
  const code = rcode === Rcode.BADVERS ? RCODES.length - 1 : rcode;
  counters.answers[(transport * RCODES.length + code) * (TYPES.length + 1) + typeClass(type)]!++;
}

function typeClass(type: number): number {
  for (let i = 0; i < TYPES.length; i++) if (TYPES[i] === type) return i;
  return OTHER;
}

/** @returns one reading for each combination that has occurred; `rcode` is `dropped` for what got no answer */
export function readQueries(threads: OneOrMany): DnsQueryReading[] {
  const counters = sumCounters(threads);
  const readings: DnsQueryReading[] = [];
  TRANSPORTS.forEach((transport, t) => {
    RCODES.forEach((rcode, r) => {
      for (let type = 0; type <= OTHER; type++) {
        const count = counters.answers[(t * RCODES.length + r) * (TYPES.length + 1) + type]!;
        const name = type === OTHER ? "other" : typeName(TYPES[type]!);
        if (count > 0) readings.push({ rcode: rcodeName(rcode), type: name, transport, count });
      }
    });
    const dropped = counters.dropped[t]!;
    if (dropped > 0) readings.push({ rcode: "dropped", type: "other", transport, count: dropped });
  });
  return readings;
}

/** @returns one reading for each mode that has occurred, named as in an explanation */
export function readDecisions(threads: OneOrMany): DecisionReading[] {
  return [...sumCounters(threads).decisions].flatMap((count, mode) => (count > 0 ? [{ mode: modeName(mode), count }] : []));
}

/** The counters of one thread, or of all that answer. */
export type OneOrMany = QueryCounters | readonly QueryCounters[];

function sumCounters(threads: OneOrMany): QueryCounters {
  const all = "answers" in threads ? [threads] : threads;
  const total = newQueryCounters();
  for (const one of all) {
    for (const key of Object.keys(total) as (keyof QueryCounters)[]) {
      one[key].forEach((count, i) => {
        total[key][i]! += count;
      });
    }
  }
  return total;
}
