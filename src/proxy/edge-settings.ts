/** How a route's endpoints are spoken to by proxies that are not ours. Pure. */
import type { Route } from "../model/inventory.ts";
import { httpPolicyOf } from "../model/to-http.ts";
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from "./envoy/edge-route.ts";

/** Whether a route's endpoints are probed over TLS, and so spoken to. */
export const speaksTls = ({ health }: Pick<Route, "health">): boolean => health.probe.scheme === "HTTPS" || health.probe.type === "TLS";

/**
 * Of a route's `http`, what all of these proxies can do: its timeouts, its attempts, the statuses that are tried again, and its bound of requests.
 *
 * @param endpointCaFile on the proxies' machines: who may sign what endpoints show
 */
export function edgeSettingsOf(route: Pick<Route, "health" | "http">, endpointCaFile: string): EdgeSettings {
  const { timeouts, retry, limits } = httpPolicyOf(route);
  return {
    ...DEFAULT_EDGE_SETTINGS,
    port: route.health.probe.port,
    requestTimeout: timeouts.request,
    retry: { attempts: retry.attempts, attemptTimeout: timeouts.backendRequest, codes: retry.codes },
    mostRequests: limits.concurrentRequests ?? DEFAULT_EDGE_SETTINGS.mostRequests,
    ...(speaksTls(route) ? { tls: { caFile: endpointCaFile } } : {}),
  };
}
