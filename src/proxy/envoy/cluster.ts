/** How Envoy speaks to the backends of a route, whoever serves. Pure. */
import type { Milliseconds } from "../../model/units.ts";
import { any } from "./api/codec.ts";
import type { Cluster, ConfigSource, Duration } from "./api/envoy-api.ts";
import type { EdgeRoute, EdgeSettings } from "./edge-route.ts";

/** From the stream that this came by. */
export const FROM_US: ConfigSource = { ads: {}, resourceApiVersion: "V3" };

export const duration = (time: Milliseconds): Duration => ({ seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1e6 });

/** Of a route's endpoints, by Envoy itself: at least half stay in. */
const MOST_EJECTED_PERCENT = 50;

/**
 * Percent of endpoints below which Envoy stops looking at their health. Load assignments are made so that this is reached only when nobody serves
 * any more, because Envoy has ejected all whom we think well: then those are tried that we do not think well, rather than nobody.
 */
const PANIC_PERCENT = 1;

/** Of the requests under way. When the nearest cluster dies all requests are on their second attempt at once. */
const MOST_RETRIES_PERCENT = 100;
/**
 * Share of the requests that may be under way of which retries are always allowed. Envoy counts a request that was answered 503 and waits for its next attempt as a
 * retry and not as a request under way: of a crowd that meets a broken cluster at one instant, nobody is under way. Others are not overrun by it,
 * as each attempt of a request goes to another tier.
 */
const ALWAYS_ALLOWED_SHARE = 0.1;

/**
 * Slots of a sticky tier: a prime, as Maglev wants it. The larger it is, the fewer clients move whose endpoint did not leave; a table is made anew when
 * somebody comes or goes.
 */
const MAGLEV_SLOTS = 16_381;

/** @param key of the route, or the name of a cluster of its own that a group of its clients has */
export function clusterOf({ key, settings }: Pick<EdgeRoute, "key" | "settings">): Cluster {
  const { mostRequests, ejection, tls, sticky } = settings;
  const most = { value: mostRequests };
  return {
    name: key,
    type: "EDS",
    edsClusterConfig: { edsConfig: FROM_US },
    connectTimeout: duration(settings.connectTimeout),
    ...(sticky === "None" ? { lbPolicy: "LEAST_REQUEST" } : { lbPolicy: "MAGLEV", maglevLbConfig: { tableSize: { value: MAGLEV_SLOTS } } }),
    commonLbConfig: { healthyPanicThreshold: { value: PANIC_PERCENT }, localityWeightedLbConfig: {} },
    circuitBreakers: {
      thresholds: [
        {
          ...{ maxConnections: most, maxPendingRequests: most, maxRequests: most },
          retryBudget: {
            budgetPercent: { value: MOST_RETRIES_PERCENT },
            minRetryConcurrency: { value: Math.ceil(mostRequests * ALWAYS_ALLOWED_SHARE) },
          },
        },
      ],
    },
    ...(ejection.failures === 0 ? {} : { outlierDetection: outlierDetection(ejection) }),
    ...(tls === undefined ? {} : overTls(tls.caFile)),
  };
}

/** Errors that only a gateway or Envoy itself tells: an application's own 500 says nothing about its cluster. */
const outlierDetection = ({ failures, time }: EdgeSettings["ejection"]): NonNullable<Cluster["outlierDetection"]> => ({
  interval: { seconds: 1 },
  baseEjectionTime: duration(time),
  maxEjectionPercent: { value: MOST_EJECTED_PERCENT },
  consecutiveGatewayFailure: { value: failures },
  enforcingConsecutiveGatewayFailure: { value: 100 },
  enforcingConsecutive5xx: { value: 0 },
  enforcingSuccessRate: { value: 0 },
});

/** The name that clients asked for is sent as SNI and looked for in the certificate. */
const overTls = (caFile: string): Pick<Cluster, "transportSocket" | "typedExtensionProtocolOptions"> => ({
  transportSocket: {
    name: "envoy.transport_sockets.tls",
    typedConfig: any("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
      commonTlsContext: { validationContext: { trustedCa: { filename: caFile } } },
    }),
  },
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", {
      upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: true },
      explicitHttpConfig: { httpProtocolOptions: {} },
    }),
  },
});
