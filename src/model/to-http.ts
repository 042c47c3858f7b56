/** From a route's `http` to the policy that proxies work by. */
import { formatDuration } from "./duration.ts";
import type { Findings } from "./findings.ts";
import type { HttpPolicy, Route } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { type Milliseconds, ms } from "./units.ts";

/** The policy of a route that says nothing. */
export const HTTP_DEFAULTS: HttpPolicy = {
  timeouts: { request: ms(0), backendRequest: ms(10_000) },
  retry: { attempts: 2, codes: [502, 503, 504] },
  limits: {},
};

/** The route's own, or the defaults; the same object each time. */
export const httpPolicyOf = (route: Pick<Route, "http">): HttpPolicy => route.http ?? HTTP_DEFAULTS;

type HttpSpec = ObjectOf<"GlobalRoute">["spec"]["http"];

/** @returns undefined when the route says nothing */
export function toHttpPolicy(http: HttpSpec, findings: Findings): HttpPolicy | undefined {
  if (http === undefined) return undefined;
  const { request } = http.timeouts;
  const most = request === 0 ? Infinity : request;
  const backendRequest = http.timeouts.backendRequest ?? ms(Math.min(HTTP_DEFAULTS.timeouts.backendRequest, most));
  const tooLong = (path: readonly string[], duration: Milliseconds, than: string, bound: number, remedy: string): void => {
    if (duration <= bound) return;
    const message = `${formatDuration(duration)} is longer than ${than}, ${formatDuration(ms(bound))}`;
    findings.error(["spec", "http", ...path], "range-order", message, remedy);
  };
  tooLong(["timeouts", "backendRequest"], backendRequest, "request", most, "Shorten it, or lengthen request.");
  const { hedge, limits, retry } = http;
  if (hedge !== undefined) {
    tooLong(["hedge", "after"], hedge.after, "timeouts.backendRequest", backendRequest, "Shorten it: it would never come to pass.");
  }
  const { bodyBytes, concurrentRequests } = limits;
  return {
    timeouts: { request, backendRequest },
    retry,
    ...(hedge === undefined ? {} : { hedge }),
    limits: { ...(bodyBytes === undefined ? {} : { bodyBytes }), ...(concurrentRequests === undefined ? {} : { concurrentRequests }) },
  };
}
