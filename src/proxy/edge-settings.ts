/** How a route's endpoints are spoken to by proxies that are not ours. Pure. */
import type { Route } from "../model/inventory.ts";
import { httpPolicyOf } from "../model/to-http.ts";
import { ms } from "../model/units.ts";
import type { EdgeSettings } from "./envoy/edge-route.ts";

/** What no route says. */
const CONNECT_TIMEOUT = ms(2_000);
const EJECTION: EdgeSettings["ejection"] = { failures: 5, time: ms(10_000) };
/** Of a route without a bound of its own. */
const MOST_REQUESTS = 10_000;

/** Whether a route's endpoints are probed over TLS, and so spoken to. */
export const speaksTls = ({ health }: Pick<Route, "health">): boolean => health.probe.scheme === "HTTPS" || health.probe.type === "TLS";

/**
 * Of a route's `http`, what they can do: its timeouts, its attempts, the statuses that are tried again, and its bounds.
 *
 * @param endpointCaFile on the proxies' machines: who may sign what endpoints show
 */
export function edgeSettingsOf(route: Pick<Route, "health" | "http" | "sticky">, endpointCaFile: string): EdgeSettings {
  const { timeouts, retry, limits } = httpPolicyOf(route);
  return {
    port: route.health.probe.port,
    ...(speaksTls(route) ? { tls: { caFile: endpointCaFile } } : {}),
    connectTimeout: CONNECT_TIMEOUT,
    requestTimeout: timeouts.request,
    retry: { attempts: retry.attempts, attemptTimeout: timeouts.backendRequest, codes: retry.codes },
    sticky: route.sticky,
    mostRequests: limits.concurrentRequests ?? MOST_REQUESTS,
    limits,
    ejection: EJECTION,
  };
}
