/** From a `GlobalRoute` object to the route that the engine works on. */
import type { ApiContext } from "./api-context.ts";
import { disjointRequires } from "./disjoint-rules.ts";
import { formatDuration } from "./duration.ts";
import type { Findings } from "./findings.ts";
import type { Route, Tolerance } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { toBackends } from "./to-backends.ts";
import { toHttpPolicy } from "./to-http.ts";
import { toHealthPolicy } from "./to-probe.ts";
import { type KnownClusters, toRule } from "./to-rule.ts";
import { ms, type Seconds, seconds } from "./units.ts";

/**
 * Checks everything about a route but its hosts and zones. When findings failed, the result is not to be used.
 *
 * @param api absent when the objects are files'
 */
export function toRoute(object: ObjectOf<"GlobalRoute">, clusters: KnownClusters, findings: Findings, api?: ApiContext): Route {
  const { spec, namespace, name } = object;
  const backends = toBackends(object, clusters, findings, api);
  const http = toHttpPolicy(spec.http, findings);
  if (spec.spread > 1) {
    const message = `with spread ${spec.spread}, clients choose among several clusters, so shares become about equal whatever the weights`;
    findings.warn(["spec", "spread"], "shares-equal", message, "Set spread: 1 where weights matter.");
  }
  return {
    namespace,
    name,
    hosts: spec.hosts,
    ttl: toTtl(spec.ttl, findings),
    answers: spec.answers,
    spread: spec.spread,
    families: spec.families,
    backends,
    ...toRouting(object, clusters, findings),
    health: toHealthPolicy(spec.health, spec.hosts, findings),
    failover: spec.failover,
    ...(http === undefined ? {} : { http }),
    alpn: spec.https?.alpn ?? [],
    zones: (spec.publish.dns ?? []).map(({ zone }) => zone),
    ...(spec.publish.proxies === undefined ? {} : { fleets: spec.publish.proxies.map(({ name: fleet }) => fleet) }),
  };
}

function toTtl({ min, max }: ObjectOf<"GlobalRoute">["spec"]["ttl"], findings: Findings): Route["ttl"] {
  if (min !== undefined && max !== undefined && min > max) {
    const message = `${formatSeconds(min)} is longer than max, ${formatSeconds(max)}`;
    findings.error(["spec", "ttl", "min"], "range-order", message, "Swap or correct the two; equal bounds fix the TTL.");
  }
  return { min: min ?? seconds(Math.min(5, max ?? 5)), max: max ?? seconds(Math.max(60, min ?? 60)) };
}

const formatSeconds = (duration: Seconds): string => formatDuration(ms(duration * 1000));

function toRouting(
  object: ObjectOf<"GlobalRoute">,
  clusters: KnownClusters,
  findings: Findings,
): Pick<Route, "order" | "tolerance" | "rules" | "sticky" | "shed"> {
  const { order, tolerance, sticky, shed, rules: ruleSpecs } = object.spec.routing;
  const backendClusters = new Set(object.spec.backends.map((backend) => backend.cluster));
  const rules = ruleSpecs.map((rule, i) => toRule(rule, clusters, backendClusters, ["spec", "routing", "rules", i], findings));
  // Rules that have errors select nothing yet, which would look disjoint from all others.
  if (!findings.failed()) {
    for (const { first, second, why } of disjointRequires(rules, backendClusters)) {
      const message = `${rules[second]!.name} and ${rules[first]!.name} both apply to ${why} and have no cluster with a backend in common, so these get no answer`;
      findings.warn(
        ["spec", "routing", "rules", second],
        "require-disjoint",
        message,
        "Give them a common cluster, or make their clients disjoint.",
      );
    }
  }
  if (shed !== undefined && shed.lowPercent >= shed.highPercent) {
    const message = `${shed.lowPercent} is not below highPercent, ${shed.highPercent}`;
    findings.error(["spec", "routing", "shed", "lowPercent"], "range-order", message, "Lower it, or raise highPercent.");
  }
  return { order, tolerance: toTolerance(order, tolerance, findings), rules, sticky, ...(shed === undefined ? {} : { shed }) };
}

type ToleranceSpec = ObjectOf<"GlobalRoute">["spec"]["routing"]["tolerance"];

function toTolerance(order: Route["order"], tolerance: ToleranceSpec, findings: Findings): Tolerance {
  if (tolerance === undefined) return {};
  const { distanceKm, latency } = tolerance;
  const path = ["spec", "routing", "tolerance"];
  if (distanceKm === undefined && latency === undefined) {
    findings.error(path, "tolerance-order", "has neither distanceKm nor latency", "Add the one that fits the order, or remove tolerance.");
  } else if (distanceKm !== undefined && latency !== undefined) {
    findings.error(
      path,
      "tolerance-order",
      "has both distanceKm and latency",
      "Keep distanceKm with order Nearest, latency with order Latency.",
    );
  } else if (distanceKm !== undefined && order !== "Nearest") {
    findings.error(
      [...path, "distanceKm"],
      "tolerance-order",
      `goes with order Nearest, and the order is ${order}`,
      "Remove it, or write order: Nearest.",
    );
  } else if (latency !== undefined && order !== "Latency") {
    findings.error(
      [...path, "latency"],
      "tolerance-order",
      `goes with order Latency, and the order is ${order}`,
      "Remove it, or write order: Latency.",
    );
  }
  return { ...(distanceKm === undefined ? {} : { distanceKm }), ...(latency === undefined ? {} : { latencyMs: latency }) };
}
