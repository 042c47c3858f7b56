/** Which host is which route, and what is tried again, for Envoy. Pure. */
import { any } from "./api/codec.ts";
import type { HeaderMatcher, RetryPolicy, Route, RouteActionHashPolicy, RouteConfiguration, VirtualHost } from "./api/envoy-api.ts";
import { CLASS_HEADER, SUBNET_HEADER } from "./client-headers.ts";
import { duration } from "./cluster.ts";
import { clusterName, type EdgeGroup, type EdgeRoute, groupsOf } from "./edge-route.ts";

/** The route configuration, as listeners name it that tell no classes of clients apart. */
export const ROUTES_NAME = "globalroute";

/** @returns hosts of several routes with the first of them: Envoy refuses a configuration that names one twice */
export function routeConfiguration(routes: readonly EdgeRoute[], name: string = ROUTES_NAME): RouteConfiguration {
  const seen = new Set<string>();
  const isNew = (host: string): boolean => !seen.has(host) && seen.add(host) !== undefined;
  return {
    name,
    virtualHosts: routes
      .map((route) => ({ route, domains: route.hosts.filter(isNew) }))
      .filter(({ domains }) => domains.length > 0)
      .map(({ route, domains }) => virtualHost(route, domains)),
    requestHeadersToRemove: [CLASS_HEADER],
    ignorePortInHostMatching: true,
  };
}

const virtualHost = (route: EdgeRoute, domains: readonly string[]): VirtualHost => ({
  name: route.key,
  domains,
  // Where it is hashed, it goes on to the endpoint: Envoy removes before it hashes.
  ...(route.settings.sticky === "None" ? { requestHeadersToRemove: [SUBNET_HEADER] } : {}),
  // The first that matches: clients of classes before all others, and for each methods that may be repeated before all others.
  routes: groupsOf(route).flatMap((group) =>
    inClasses(group).flatMap((clients) => [
      { name: "repeatable", match: { prefix: "/", headers: [...clients, REPEATABLE] }, route: action(route, group, repeatable(route)) },
      {
        name: "once",
        match: { prefix: "/", ...(clients.length === 0 ? {} : { headers: clients }) },
        route: action(route, group, onceOnly(route)),
      },
    ]),
  ),
});

/** Envoy takes no expression that is larger than 100 instructions, which is about one for each character. */
const NAMES_IN_EXPRESSION = 5;

/** Alternatives, each a list of conditions. */
const inClasses = ({ classes }: EdgeGroup): readonly (readonly HeaderMatcher[])[] =>
  classes === undefined
    ? [[]]
    : Array.from({ length: Math.ceil(classes.length / NAMES_IN_EXPRESSION) }, (_, i) => {
        const names = classes.slice(i * NAMES_IN_EXPRESSION, (i + 1) * NAMES_IN_EXPRESSION);
        return [{ name: CLASS_HEADER, stringMatch: { safeRegex: { regex: names.join("|") } } }];
      });

/** Idempotent methods (RFC 9110 §9.2.2). */
const REPEATABLE = { name: ":method", stringMatch: { safeRegex: { regex: "GET|HEAD|OPTIONS|TRACE|PUT|DELETE" } } } as const;

const action = ({ key, settings }: EdgeRoute, group: EdgeGroup, retryPolicy: RetryPolicy | undefined): NonNullable<Route["route"]> => ({
  cluster: clusterName(key, group),
  timeout: duration(settings.requestTimeout),
  ...(settings.sticky === "None" ? {} : { hashPolicy: BY_CLIENT_SUBNET }),
  ...(retryPolicy === undefined ? {} : { retryPolicy }),
});

/** The client's network; where the listener is not ours and has no such header, its address. */
const BY_CLIENT_SUBNET: readonly RouteActionHashPolicy[] = [
  {
    header: { headerName: SUBNET_HEADER, regexRewrite: { pattern: { regex: "^([0-9]+\\.[0-9]+\\.[0-9]+)\\..*$" }, substitution: "\\1" } },
    terminal: true,
  },
  { connectionProperties: { sourceIp: true } },
];

/** Whatever says that the cluster could not answer, as long as nothing of a response has gone to the client. */
const repeatable = (route: EdgeRoute): RetryPolicy | undefined => {
  const { attemptTimeout, codes } = route.settings.retry;
  return retries(route, "connect-failure,refused-stream,reset,retriable-status-codes", {
    retriableStatusCodes: codes,
    ...(attemptTimeout === 0 ? {} : { perTryTimeout: duration(attemptTimeout) }),
  });
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
