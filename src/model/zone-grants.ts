/** Who may use which names of a zone, as its `allowedRoutes` say it in Kubernetes. Pure. */
import { isWithin } from "./host-name.ts";
import type { ObjectOf } from "./manifest-object.ts";

/** `spec.allowedRoutes` of a DNSZone; absent = nobody. */
export type AllowedRoutes = ObjectOf<"DNSZone">["spec"]["allowedRoutes"];

type Labels = Readonly<Record<string, string>>;

/** Who asks for a name. */
export interface Claimant {
  /** Of the route's namespace; undefined when it is not known, which then has no labels. */
  readonly namespaceLabels: Labels | undefined;
  /** Of the MemberCluster of an annotated source. Absent for what the route itself says: nothing of a cluster is trusted then. */
  readonly clusterLabels?: Labels;
}

/** `Granted`, or what no entry allows: `Closed` = there are no entries, `Name`, `Namespace` or `Cluster` = none that fits so far fits this. */
export type ZoneGrant = "Granted" | "Closed" | "Name" | "Namespace" | "Cluster";

/** True when all the labels are there with these values. */
export const matchesSelector = ({ matchLabels }: { readonly matchLabels: Labels }, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([label, value]) => Object.hasOwn(labels, label) && labels[label] === value);

/** @param host lower-case, perhaps with a wildcard label; it lies in the zone */
export function zoneGrant(allowed: AllowedRoutes, host: string, { namespaceLabels = {}, clusterLabels }: Claimant): ZoneGrant {
  if (allowed === undefined) return "Closed";
  const byName = allowed.filter(({ suffixes }) => suffixes === undefined || suffixes.some((suffix) => isWithin(host, suffix)));
  if (byName.length === 0) return "Name";
  const byNamespace = byName.filter(
    ({ namespaceSelector }) => namespaceSelector === undefined || matchesSelector(namespaceSelector, namespaceLabels),
  );
  if (byNamespace.length === 0) return "Namespace";
  const isGranted = byNamespace.some(
    ({ clusterSelector }) =>
      clusterSelector === undefined || clusterLabels === undefined || matchesSelector(clusterSelector, clusterLabels),
  );
  return isGranted ? "Granted" : "Cluster";
}
