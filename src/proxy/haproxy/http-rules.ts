/** What HAProxy can follow of a route's `http`, as numbers and words of its configuration. Pure. */
import { formatDuration } from "../../model/duration.ts";
import { HTTP_DEFAULTS } from "../../model/to-http.ts";
import type { EdgeSettings } from "../envoy/edge-route.ts";
import { RANKS } from "./names.ts";

/** What a route says of its requests. */
export type HaproxyHttp = Pick<EdgeSettings, "requestTimeout" | "retry" | "limits">;

/** What a route that says nothing has. */
export const DEFAULT_HTTP: HaproxyHttp = {
  requestTimeout: HTTP_DEFAULTS.timeouts.request,
  retry: {
    attempts: HTTP_DEFAULTS.retry.attempts,
    attemptTimeout: HTTP_DEFAULTS.timeouts.backendRequest,
    codes: HTTP_DEFAULTS.retry.codes,
  },
  limits: HTTP_DEFAULTS.limits,
};

/** @returns undefined when it is what every route has that says nothing */
export function httpOf({ requestTimeout, retry, limits }: HaproxyHttp): HaproxyHttp | undefined {
  const http = { requestTimeout, retry, limits };
  return httpWord(http) === httpWord(DEFAULT_HTTP) ? undefined : http;
}

/** Short, as there are thousands: equal words mean equal rules. */
export const httpWord = ({ requestTimeout, retry, limits }: HaproxyHttp): string =>
  `${requestTimeout},${retry.attempts},${retry.attemptTimeout},${retry.codes.join("+")},${limits.bodyBytes},${limits.concurrentRequests}`;

/** How a request is tried at a plan's backends. Times in milliseconds. */
export interface TryRules {
  /** Until a response begins, of a request that may be repeated. */
  readonly patience: number;
  /** The same of any other. */
  readonly patienceOnce: number;
  readonly retries: number;
  /** HAProxy's words and statuses. */
  readonly retryOn: readonly (string | number)[];
  /** Who is silent for too long is followed by another try. */
  readonly leavesSilent: boolean;
  /** Statuses that say, where HAProxy itself made them, that a try failed, and that the route does not name: an endpoint's own are passed on. */
  readonly unnamed: readonly number[];
}

/** A request that must not be sent twice is waited for at least so long. */
const PATIENCE_ONCE = 60_000;
/** After the first try there are two clusters to go to. */
const MOST_ATTEMPTS = RANKS.length - 1;
/** What `retry-on` of HAProxy 2.6 takes. */
const STATUSES: readonly number[] = [401, 403, 404, 408, 425, 500, 501, 502, 503, 504];
/** What HAProxy answers for a server that breaks off, cannot be reached, is silent. */
const OWN_STATUSES: readonly number[] = [502, 503, 504];

/** Whether a response of that status can be followed by another try. */
const isRetriable = (status: number): boolean => STATUSES.includes(status);

export function tryRules({ requestTimeout, retry: { attempts, attemptTimeout, codes } }: HaproxyHttp): TryRules {
  const retries = Math.min(attempts, MOST_ATTEMPTS);
  const longest = requestTimeout === 0 ? Number.POSITIVE_INFINITY : requestTimeout;
  const times = { patience: attemptTimeout, patienceOnce: Math.min(longest, Math.max(PATIENCE_ONCE, attemptTimeout)) };
  // What could not be sent goes to the next cluster all the same.
  if (retries === 0) return { ...times, retries: MOST_ATTEMPTS, retryOn: ["conn-failure"], leavesSilent: false, unnamed: [] };
  // HAProxy has no time for all tries together, so those that take theirs whole must fit.
  const leavesSilent = (retries + 1) * attemptTimeout <= longest;
  const silence = leavesSilent ? ["response-timeout"] : [];
  return {
    ...{ ...times, retries, leavesSilent },
    retryOn: ["conn-failure", "empty-response", ...silence, ...codes.filter(isRetriable).toSorted((a, b) => a - b)],
    unnamed: OWN_STATUSES.filter((status) => !codes.includes(status)),
  };
}

/** @returns parts of a route's `http` that it says and HAProxy does not follow, in words */
export function unfollowedByHaproxy({ requestTimeout, retry }: HaproxyHttp): readonly string[] {
  const { attempts, codes, attemptTimeout } = retry;
  const strange = codes.filter((status) => !isRetriable(status));
  const { retries, leavesSilent } = tryRules({ requestTimeout, retry, limits: {} });
  return [
    ...(requestTimeout === 0 ? [] : ["timeouts.request once a response has begun"]),
    ...(attempts > 0 && !leavesSilent
      ? [`retry.attempts after silence (${retries + 1} × ${formatDuration(attemptTimeout)} is longer than timeouts.request)`]
      : []),
    ...(attempts > MOST_ATTEMPTS ? [`retry.attempts above ${MOST_ATTEMPTS}`] : []),
    ...(attempts > 0 && strange.length > 0 ? [`retry.codes ${strange.join(", ")}`] : []),
  ];
}
