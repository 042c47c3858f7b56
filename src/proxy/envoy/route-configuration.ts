/** Which host is which route, and what is tried again, for Envoy. Pure. */
import { any } from "./api/codec.ts";
import type { RetryPolicy, Route, RouteConfiguration, VirtualHost } from "./api/envoy-api.ts";
import { duration } from "./cluster.ts";
import type { EdgeRoute } from "./edge-route.ts";

/** The one route configuration, as listeners name it. */
export const ROUTES_NAME = "globalroute";

/** @returns hosts of several routes with the first of them: Envoy refuses a configuration that names one twice */
export function routeConfiguration(routes: readonly EdgeRoute[]): RouteConfiguration {
  const seen = new Set<string>();
  const isNew = (host: string): boolean => !seen.has(host) && seen.add(host) !== undefined;
  return {
    name: ROUTES_NAME,
    virtualHosts: routes
      .map((route) => ({ route, domains: route.hosts.filter(isNew) }))
      .filter(({ domains }) => domains.length > 0)
      .map(({ route, domains }) => virtualHost(route, domains)),
    ignorePortInHostMatching: true,
  };
}

const virtualHost = (route: EdgeRoute, domains: readonly string[]): VirtualHost => ({
  name: route.key,
  domains,
  routes: [
    // The first that matches: methods that may be repeated, then all others.
    { name: "repeatable", match: { prefix: "/", headers: [REPEATABLE] }, route: action(route, repeatable(route)) },
    { name: "once", match: { prefix: "/" }, route: action(route, onceOnly(route)) },
  ],
});

/** Idempotent methods (RFC 9110 §9.2.2). */
const REPEATABLE = { name: ":method", stringMatch: { safeRegex: { regex: "GET|HEAD|OPTIONS|TRACE|PUT|DELETE" } } } as const;

const action = ({ key, settings }: EdgeRoute, retryPolicy: RetryPolicy | undefined): NonNullable<Route["route"]> => ({
  cluster: key,
  timeout: duration(settings.requestTimeout),
  ...(retryPolicy === undefined ? {} : { retryPolicy }),
});

/** Whatever says that the cluster could not answer, as long as nothing of a response has gone to the client. */
const repeatable = (route: EdgeRoute): RetryPolicy | undefined => {
  const { attemptTimeout } = route.settings.retry;
  return retries(
    route,
    "connect-failure,refused-stream,reset,gateway-error",
    attemptTimeout === 0 ? {} : { perTryTimeout: duration(attemptTimeout) },
  );
};

/** Only what cannot have reached an application. */
const onceOnly = (route: EdgeRoute): RetryPolicy | undefined => retries(route, "connect-failure,refused-stream");

function retries({ settings: { retry } }: EdgeRoute, retryOn: string, more: RetryPolicy = {}): RetryPolicy | undefined {
  if (retry.attempts === 0) return undefined;
  return { retryOn, numRetries: { value: retry.attempts }, ...more, ...elsewhere() };
}

/** Envoy looks for another host than those that were tried this many times. */
const LOOKS = 5;

/** The next attempt goes to another tier, and to another endpoint within it. */
const elsewhere = (): RetryPolicy => ({
  retryPriority: {
    name: "envoy.retry_priorities.previous_priorities",
    typedConfig: any("envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig", { updateFrequency: 1 }),
  },
  retryHostPredicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      typedConfig: any("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", {}),
    },
  ],
  hostSelectionRetryMaxAttempts: LOOKS,
});
