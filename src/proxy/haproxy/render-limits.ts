/** `limits` of a route's `http`, as rules of a plan's own backend: what is beyond them never gets to a cluster. Pure. */
import type { HaproxyHttp } from "./http-rules.ts";
import type { PlanBackends } from "./layout.ts";

/** Seconds after which a client that was one too many may ask again. */
const RETRY_AFTER = 1;
/** A body whose length nobody has told is waited for until it is whole, or as large as the buffer. */
const BODY_WAIT = "30s";
/** Bytes of a body that are in the buffer for sure, of its 16 kB: headers are there, too. */
const IN_BUFFER = 8192;
/** Nothing but the body itself will tell how long it is. */
const UNTOLD = "!{ req.hdr(content-length) -m found } !{ internal.htx.has_eom }";

export const limitLines = ({ siblings }: Pick<PlanBackends, "siblings">, { limits }: HaproxyHttp): readonly string[] => [
  ...(limits.concurrentRequests === undefined ? [] : concurrency(siblings, limits.concurrentRequests)),
  ...(limits.bodyBytes === undefined ? [] : body(limits.bodyBytes)),
];

/** A request is counted by the backend that it is in, this one too. */
const concurrency = (siblings: readonly string[], most: number): readonly string[] => [
  ...siblings.map((name, i) => `    http-request set-var(txn.underway) be_conn(${name})${i === 0 ? "" : ",add(txn.underway)"}`),
  `    http-request return status 503 hdr retry-after ${RETRY_AFTER} if { var(txn.underway) -m int gt ${most} }`,
];

const body = (most: number): readonly string[] => [
  `    http-request wait-for-body time ${BODY_WAIT}${most < IN_BUFFER ? ` at-least ${most + 1}` : ""} if ${UNTOLD}`,
  `    http-request deny deny_status 413 if { req.body_size gt ${most} }`,
  // It may be within the bound or not: with a length the client will know.
  `    http-request return status 411 if ${UNTOLD}`,
];
