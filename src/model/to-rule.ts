/** From a route's rules to the clusters that each allows or prefers. */
import { countrySets } from "./country-sets.ts";
import type { Findings } from "./findings.ts";
import type { ClientMatch, Cluster, Rule } from "./inventory.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";

type RuleSpec = ObjectOf<"GlobalRoute">["spec"]["routing"]["rules"][number];

/** The clusters that objects may name. */
export interface KnownClusters {
  readonly byName: ReadonlyMap<string, Cluster>;
  /** Names of those that have errors of their own. */
  readonly rejected: ReadonlySet<string>;
}

/**
 * @param backendClusters clusters in which the route has a backend
 * @param path            of the rule
 */
export function toRule(
  rule: RuleSpec,
  clusters: KnownClusters,
  backendClusters: ReadonlySet<string>,
  path: FieldPath,
  findings: Findings,
): Rule {
  const { name, mode } = rule;
  if (mode === "Require" && rule.unknownPlace === undefined) {
    const remedy = "Add unknownPlace: Apply (keep them inside, safe for residency) or Skip (leave them out).";
    findings.error([...path, "unknownPlace"], "unknown-place", "is required with Require: what a client of unknown place gets", remedy);
  }
  const clients = toClientMatch(rule.clients);
  if (Object.values(rule.clients).every((list) => list === undefined)) {
    const remedy = "Name clients, or write subnets: [0.0.0.0/0, ::/0] for everybody.";
    findings.error([...path, "clients"], "clients-empty", "names nobody, so the rule would never apply", remedy);
  }
  const to = selectClusters(rule.to, clusters, path, findings);
  if (to !== undefined && !to.some((cluster) => backendClusters.has(cluster))) {
    const message = `the route has no backend in ${to.length > 3 ? `any of the ${to.length} clusters that it selects` : to.join(", ")}`;
    const remedy = "Add a backend there, or correct the clusters.";
    if (mode === "Require")
      findings.error([...path, "to"], "rule-without-backend", `${message}, so these clients could not be served`, remedy);
    else findings.warn([...path, "to"], "rule-without-backend", `${message}, so it prefers nothing`, remedy);
  }
  return { name, clients, to: to ?? [], mode, unknownPlace: rule.unknownPlace ?? "Skip" };
}

function toClientMatch({
  continents = [],
  countries = [],
  subdivisions = [],
  asns = [],
  subnets = [],
  sets = [],
}: RuleSpec["clients"]): ClientMatch {
  const all = new Set([...countries, ...sets.flatMap((set) => countrySets[set])]);
  return { continents, countries: [...all].sort(), subdivisions, asns, subnets };
}

/** @returns undefined when an error was found */
function selectClusters(to: RuleSpec["to"], clusters: KnownClusters, path: FieldPath, findings: Findings): readonly string[] | undefined {
  if (to.clusters === undefined && to.selector === undefined) {
    findings.error([...path, "to"], "field-missing", "selects nothing", "Add clusters, selector, or both (then both must hold).");
    return undefined;
  }
  const unknown = (to.clusters ?? []).filter((name, i) => !isKnownCluster(name, clusters, [...path, "to", "clusters", i], findings));
  if (unknown.length > 0) return undefined;
  const wanted = Object.entries(to.selector?.matchLabels ?? {});
  const named = to.clusters ?? [...clusters.byName.keys()];
  const selected = named.filter((name) => wanted.every(([label, value]) => labelOf(clusters.byName.get(name), label) === value));
  if (selected.length > 0) return selected;
  const labels = wanted.map(([label, value]) => `${label}=${value}`).join(", ");
  const message = to.clusters === undefined ? `no MemberCluster has ${labels}` : `none of ${to.clusters.join(", ")} has ${labels}`;
  findings.error([...path, "to"], "rule-selects-nothing", message, "Correct the labels here or on the clusters.");
  return undefined;
}

const labelOf = (cluster: Cluster | undefined, label: string): string | undefined =>
  cluster !== undefined && Object.hasOwn(cluster.labels, label) ? cluster.labels[label] : undefined;

/** Whether a MemberCluster of that name is there and sound; findings tell when not. */
export function isKnownCluster(name: string, clusters: KnownClusters, path: FieldPath, findings: Findings): boolean {
  if (clusters.byName.has(name)) return true;
  if (clusters.rejected.has(name)) {
    findings.error(path, "cluster-unknown", `MemberCluster ${name} has errors of its own`, "Correct that object first.");
  } else {
    const remedy = `${didYouMean(name, clusters.byName.keys())}Correct the name, or add a MemberCluster called so.`;
    findings.error(path, "cluster-unknown", `there is no MemberCluster ${name}`, remedy);
  }
  return false;
}
