/**
 * What becomes of a route's policy in a zone whose provider gives everyone the same answer. What is lost is told, never dropped in silence.
 * Pure.
 */
import type { Route } from "./inventory.ts";
import type { LostPolicy } from "./lost-part.ts";

/** A part of a policy that such a provider cannot follow, in the words of the field. */
export type LostPart = "order" | "weights" | "Prefer rules" | "Require rules" | "sticky" | "tricklePercent" | "alpn";

/** Clusters that may serve whoever asks: a Require rule binds some clients, and nobody can tell them from others (docs/safety.md, rule 9). */
export function clustersForAll({ backends, rules }: Pick<Route, "backends" | "rules">): readonly string[] {
  const required = rules.filter(({ mode }) => mode === "Require");
  const clusters = [...new Set(backends.map(({ cluster }) => cluster))];
  return clusters.filter((cluster) => required.every(({ to }) => to.includes(cluster)));
}

/** @param hasHttps whether the provider takes HTTPS records @returns undefined when nothing is lost */
export function plainPolicy(route: Route, hasHttps = false): LostPolicy | undefined {
  const { order, rules, sticky, backends, failover, alpn } = route;
  const clusters = clustersForAll(route);
  const serving = backends.filter(({ cluster, weight }) => clusters.includes(cluster) && weight > 0);
  const isSplit = new Set(serving.map(({ cluster }) => cluster)).size > 1;
  const claims: readonly (readonly [LostPart, boolean])[] = [
    ["order", isSplit && (order === "Nearest" || order === "Latency")],
    ["weights", isSplit && new Set(serving.map(({ weight }) => weight)).size > 1],
    ["Prefer rules", rules.some(({ mode }) => mode === "Prefer")],
    ["Require rules", rules.some(({ mode }) => mode === "Require")],
    ["sticky", isSplit && sticky !== "None"],
    ["tricklePercent", failover.tricklePercent > 0],
    ["alpn", alpn.length > 0 && !hasHttps],
  ];
  const lost = claims.flatMap(([part, isLost]) => (isLost ? [part] : []));
  if (lost.length === 0) return undefined;
  const instead =
    clusters.length === 0
      ? "nothing is published, as no cluster is allowed by all Require rules"
      : `every client gets what serves a client of unknown place, from ${clusters.join(", ")}`;
  return { lost, instead };
}
