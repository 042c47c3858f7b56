/** Metrics of what others keep, read when a scrape asks: what is gone leaves no series behind. */
import type { MetricFamily, MetricHead, MetricKind, Sample } from "./exposition.ts";
import { createKeptLines, type ManySeries } from "./kept-lines.ts";
import { DEGRADED_REASONS, type MetricReadings, type ServingReading } from "./metric-readings.ts";

type Series = readonly [labels: Sample["labels"], value: number];

interface Reader {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labels?: readonly string[];
  readonly read: (readings: MetricReadings) => Iterable<Series>;
}

/** @param readings asked at each scrape */
export function readingFamilies(readings: () => MetricReadings): readonly MetricFamily[] {
  const activeOf = createActiveRoutes();
  return [
    ...READERS.map(({ read, ...head }) => ({
      ...head,
      labels: head.labels ?? [],
      *samples() {
        for (const [labels, value] of read(readings())) yield { name: head.name, labels, value };
      },
    })),
    newLargeGauge(
      {
        name: "globalroute_endpoint_healthy",
        help: "1 while every probe of the endpoint finds it Healthy, 0 while one finds it Unhealthy or has not decided.",
        labels: ["cluster", "address"],
      },
      () => {
        const { labels, healthy } = readings().endpoints?.() ?? { labels: [], healthy: new Uint8Array() };
        return { labels, values: healthy };
      },
    ),
    newLargeGauge(
      {
        name: "globalroute_route_active",
        help: "The cluster that most people of a route are answered with now; the value is their share.",
        labels: ["route", "cluster"],
      },
      () => activeOf(readings().serving?.()),
    ),
  ];
}

/** A gauge of so many series that its lines are kept. */
function newLargeGauge(head: Omit<MetricHead, "kind"> & { readonly labels: readonly string[] }, read: () => ManySeries): MetricFamily {
  const linesOf = createKeptLines(head.name);
  return {
    ...head,
    kind: "gauge",
    *samples() {
      const { labels, values } = read();
      for (const [i, one] of labels.entries()) yield { name: head.name, labels: one, value: values[i]! };
    },
    kept: () => linesOf(read()),
  };
}

/** A route that is answered with the cluster of last time keeps its labels, and all do while the same reading comes again. */
function createActiveRoutes(): (serving: ServingReading | undefined) => ManySeries {
  let last: ServingReading | undefined;
  let labels: readonly { readonly route: string; readonly cluster: string }[] = [];
  let values = new Float64Array();
  return (serving) => {
    if (serving !== last) {
      const routes = [...(serving?.routes ?? [])];
      const before = labels;
      labels = routes.map(({ route, cluster }, i) =>
        before[i]?.route === route && before[i].cluster === cluster ? before[i] : { route, cluster },
      );
      values = Float64Array.from(routes, ({ share }) => share);
      last = serving;
    }
    return { labels, values };
  };
}

const NONE = {};
const one = (value: number | undefined): readonly Series[] => (value === undefined ? [] : [[NONE, value]]);
const mapped = <T>(all: Iterable<T> | undefined, series: (item: T) => Series): readonly Series[] => Array.from(all ?? [], series);
const known = (all: readonly (readonly [Sample["labels"], number | undefined])[]): readonly Series[] =>
  all.flatMap(([labels, value]): readonly Series[] => (value === undefined ? [] : [[labels, value]]));

/** Names that exist, and random ones, which do not or only by a wildcard. */
const LANES = ["known", "random"];

const READERS: readonly Reader[] = [
  {
    name: "globalroute_build_info",
    help: "1, with the version of the program.",
    kind: "gauge",
    labels: ["version"],
    read: ({ version }) => (version === undefined ? [] : [[{ version: version() }, 1]]),
  },
  {
    name: "globalroute_table_version",
    help: "Version of the routing table that is served; grows by one with every table of one process.",
    kind: "gauge",
    read: ({ table }) => one(table?.().version),
  },
  {
    name: "globalroute_table_age_seconds",
    help: "Time since the served routing table was compiled.",
    kind: "gauge",
    read: ({ table }) => one(table?.().ageSeconds),
  },
  {
    name: "globalroute_geo_age_seconds",
    help: "Time since the oldest geo database in use was built.",
    kind: "gauge",
    read: ({ geoAgeSeconds }) => one(geoAgeSeconds?.()),
  },
  {
    name: "globalroute_scope_fallbacks",
    help: "Policies whose ECS scopes are the geo database's own networks, because merged ones would not fit the memory budget.",
    kind: "gauge",
    read: ({ scopeFallbacks }) => one(scopeFallbacks?.()),
  },
  {
    name: "globalroute_writer",
    help: "1 while this replica holds the writer's Lease, else 0; in Kubernetes only.",
    kind: "gauge",
    read: ({ writerEpoch }) => (writerEpoch === undefined ? [] : one(writerEpoch() === undefined ? 0 : 1)),
  },
  {
    name: "globalroute_cluster_connected",
    help: "1 while the API server of a member cluster is read, else 0.",
    kind: "gauge",
    labels: ["cluster"],
    read: ({ clusters }) => mapped(clusters?.(), ({ cluster, connected }) => [{ cluster }, connected ? 1 : 0]),
  },
  {
    name: "globalroute_peer_connected",
    help: "1 while another replica or a vantage is heard, else 0.",
    kind: "gauge",
    labels: ["peer", "role"],
    read: ({ peers }) => mapped(peers?.(), ({ peer, role, connected }) => [{ peer, role }, connected ? 1 : 0]),
  },
  {
    name: "globalroute_peer_age_seconds",
    help: "Time since another replica or a vantage was last heard.",
    kind: "gauge",
    labels: ["peer", "role"],
    read: ({ peers }) => known(Array.from(peers?.() ?? [], ({ peer, role, ageSeconds }) => [{ peer, role }, ageSeconds])),
  },
  {
    name: "globalroute_degraded",
    help: "1 while the instance serves with less than it should have, by reason; readiness is not affected.",
    kind: "gauge",
    labels: ["reason"],
    read({ degraded }) {
      if (degraded === undefined) return [];
      const reasons = new Set(degraded());
      return [...new Set([...DEGRADED_REASONS, ...reasons])].map((reason): Series => [{ reason }, reasons.has(reason) ? 1 : 0]);
    },
  },
  {
    name: "globalroute_cluster_population_share",
    help: "Share of people, over all routes alike, who are answered with a cluster now.",
    kind: "gauge",
    labels: ["cluster"],
    read: ({ serving }) => mapped(serving?.()?.clusters, ({ cluster, share }) => [{ cluster }, share]),
  },
  {
    name: "globalroute_regret_km",
    help: "How much farther people are sent now than to the nearest cluster that rules allow them, over people and routes.",
    kind: "summary",
    labels: ["quantile"],
    read: ({ serving }) => known(Array.from(serving?.()?.regret ?? [], ({ quantile, km }) => [{ quantile: String(quantile) }, km])),
  },
  {
    name: "globalroute_regret_seconds",
    help: "How much longer a round trip people have now than to the quickest cluster that rules allow them, as estimated, over people and routes.",
    kind: "summary",
    labels: ["quantile"],
    read: ({ serving }) =>
      known(Array.from(serving?.()?.regret ?? [], ({ quantile, seconds }) => [{ quantile: String(quantile) }, seconds])),
  },
  {
    name: "globalroute_provider_sync_age_seconds",
    help: "Time since a zone that is kept elsewhere was last brought up to date, at the replica that writes it.",
    kind: "gauge",
    labels: ["zone"],
    read: ({ providerZones }) => known(Array.from(providerZones?.() ?? [], ({ zone, syncAgeSeconds }) => [{ zone }, syncAgeSeconds])),
  },
  {
    name: "globalroute_provider_pending_changes",
    help: "Record sets of a zone that is kept elsewhere which are to be otherwise than they were written last.",
    kind: "gauge",
    labels: ["zone"],
    read: ({ providerZones }) => known(Array.from(providerZones?.() ?? [], ({ zone, pendingChanges }) => [{ zone }, pendingChanges])),
  },
  {
    name: "globalroute_proxy_fleet_proxies",
    help: "Proxies of a ProxyFleet that are connected here or answer, those that have taken all there is, and those that have rejected something.",
    kind: "gauge",
    labels: ["fleet", "state"],
    read: ({ proxyFleets }) =>
      Array.from(proxyFleets?.() ?? []).flatMap(({ fleet, ...states }) =>
        Object.entries(states).map(([state, count]) => [{ fleet, state }, count] as const),
      ),
  },
  {
    name: "globalroute_proxy_fleet_strangers",
    help: "Envoys that are told nothing, since they say that they are of no ProxyFleet or at no place of theirs.",
    kind: "gauge",
    labels: [],
    read: ({ proxyStrangers }) => known([[{}, proxyStrangers?.()]]),
  },
  {
    name: "globalroute_proxy_certificate_expiry_seconds",
    help: "Time until a certificate in use towards clients of the embedded proxy (proxy) or towards Envoys (xds) ends.",
    kind: "gauge",
    labels: ["listener", "certificate"],
    read: ({ certificates }) => mapped(certificates?.(), ({ seconds, ...labels }) => [labels, seconds]),
  },
  {
    name: "globalroute_dns_queries_total",
    help: "DNS queries answered, by response code, query type and transport.",
    kind: "counter",
    labels: ["rcode", "type", "transport"],
    read: ({ dnsQueries }) => mapped(dnsQueries?.(), ({ count, ...labels }) => [labels, count]),
  },
  {
    name: "globalroute_decisions_total",
    help: "Routing decisions made for DNS answers, by what could be answered (Usable, Pending, FailOpen…, Held, Nothing).",
    kind: "counter",
    labels: ["mode"],
    read: ({ decisions }) => mapped(decisions?.(), ({ count, mode }) => [{ mode }, count]),
  },
  {
    name: "globalroute_answers_total",
    help: "DNS answers with addresses, by the cluster that they name first.",
    kind: "counter",
    labels: ["cluster"],
    read: ({ answers }) => mapped(answers?.(), ({ count, cluster }) => [{ cluster }, count]),
  },
  {
    name: "globalroute_dns_rate_limited_total",
    help: "DNS answers that the rate limit stopped: sent truncated (slipped) or not at all (dropped).",
    kind: "counter",
    labels: ["action"],
    read: ({ rateLimited }) => mapped(rateLimited?.(), ({ count, action }) => [{ action }, count]),
  },
  {
    name: "globalroute_dns_cookies_total",
    help: "DNS queries with a cookie, by what it says of the sender.",
    kind: "counter",
    labels: ["state"],
    read: ({ cookies }) => mapped(cookies?.(), ({ count, state }) => [{ state }, count]),
  },
  {
    name: "globalroute_dns_deferred_total",
    help: "DNS queries handed to a thread that signs, by whether their names exist (known) or not, or only by a wildcard (random).",
    kind: "counter",
    labels: ["lane"],
    read: ({ slow }) => (slow?.().lanes ?? []).map(({ queued }, i): Series => [{ lane: LANES[i] }, queued]),
  },
  {
    name: "globalroute_dns_deferred_dropped_total",
    help: "DNS queries that got no answer because too many waited for a signature.",
    kind: "counter",
    labels: ["lane", "reason"],
    read: ({ slow }) =>
      (slow?.().lanes ?? []).flatMap(({ dropped, refused, stale }, i): readonly Series[] => [
        [{ lane: LANES[i], reason: "full" }, dropped],
        [{ lane: LANES[i], reason: "source" }, refused],
        [{ lane: LANES[i], reason: "late" }, stale],
      ]),
  },
  {
    name: "globalroute_dns_signatures_total",
    help: "Signatures made on demand.",
    kind: "counter",
    read: ({ slow }) => one(slow?.().signed ?? 0),
  },
  {
    name: "globalroute_proxy_requests_total",
    help: "HTTP requests that the embedded proxy has answered, by the class of their status, or aborted by their clients.",
    kind: "counter",
    labels: ["code"],
    read: ({ proxy }) => mapped(proxy?.().requests, ({ count, code }) => [{ code }, count]),
  },
  {
    name: "globalroute_proxy_attempts_total",
    help: "Requests sent to endpoints of a cluster, or tried to, by how that ended: ok, connect, reset, timeout or status (502, 503, 504).",
    kind: "counter",
    labels: ["cluster", "result"],
    read: ({ proxy }) => mapped(proxy?.().attempts, ({ count, cluster, result }) => [{ cluster, result }, count]),
  },
  {
    name: "globalroute_proxy_connections",
    help: "Connections of clients, and those to endpoints with a request (busy) and without (idle).",
    kind: "gauge",
    labels: ["state"],
    read: ({ proxy }) => mapped(proxy?.().connections, ({ count, state }) => [{ state }, count]),
  },
  {
    name: "globalroute_proxy_ejections_total",
    help: "How often an endpoint was ejected, that is, asked last because requests kept failing there.",
    kind: "counter",
    read: ({ proxy }) => one(proxy?.().ejections),
  },
  {
    name: "globalroute_proxy_ejected",
    help: "Endpoints that are ejected now.",
    kind: "gauge",
    read: ({ proxy }) => one(proxy?.().ejected),
  },
  {
    name: "globalroute_proxy_retries_total",
    help: "Attempts after the first of a request, and those that the retry budget denied.",
    kind: "counter",
    labels: ["result"],
    read: ({ proxy }) => mapped(proxy?.().retries, ({ count, result }) => [{ result }, count]),
  },
  {
    name: "globalroute_proxy_refused_total",
    help: "HTTP requests that the embedded proxy answered by itself, and connections that it turned away, by why.",
    kind: "counter",
    labels: ["reason"],
    read: ({ proxy }) => mapped(proxy?.().refused, ({ count, reason }) => [{ reason }, count]),
  },
  {
    name: "globalroute_zone_serial",
    help: "SOA serial of a zone.",
    kind: "gauge",
    labels: ["zone"],
    read: ({ zoneSerials }) => mapped(zoneSerials?.(), ({ zone, serial }) => [{ zone }, serial]),
  },
  {
    name: "globalroute_rrsig_expiry_seconds",
    help: "Time until the first of a signed zone's signatures ends.",
    kind: "gauge",
    labels: ["zone"],
    read: ({ signatures }) => mapped(signatures?.(), ({ zone, seconds }) => [{ zone }, seconds]),
  },
];
