/** Clusters that somebody announced by a labelled Secret, and that have no MemberCluster yet. Pure. */
import type { KubeObject } from "../kube/kube-object.ts";
import { readSecretText, USUAL_KEYS } from "./member-access.ts";

/** On a Secret: the name that the MemberCluster is to have. */
export const CLUSTER_LABEL = "globalroute.dev/cluster";
/** Residency is a promise of an operator: whoever can write a Secret cannot make it. */
const RESIDENCY_PREFIX = "residency.globalroute.dev/";
const OUR_PREFIX = "globalroute.dev/";

export interface DiscoveredCluster {
  readonly name: string;
  readonly secret: { readonly name: string; readonly key: string };
  readonly labels: Readonly<Record<string, string>>;
  /** As the Secret's annotations tell it; not checked. */
  readonly location: { readonly cloud?: string; readonly region?: string; readonly latitude?: string; readonly longitude?: string };
}

/**
 * @param known names of the MemberClusters that there are
 * @returns in order of names; of two Secrets with one name the older counts
 */
export function discover(
  secrets: Iterable<KubeObject>,
  known: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): readonly DiscoveredCluster[] {
  const byName = new Map<string, { readonly found: DiscoveredCluster; readonly secret: KubeObject }>();
  for (const secret of secrets) {
    const name = secret.metadata.labels?.[CLUSTER_LABEL];
    if (name === undefined || !isName(name) || known.has(name) || taken.has(secret.metadata.name)) continue;
    if (secret.metadata.deletionTimestamp !== undefined) continue;
    const other = byName.get(name);
    if (other !== undefined && !isOlder(secret, other.secret)) continue;
    const key = readSecretText(secret)?.key ?? USUAL_KEYS[0];
    byName.set(name, {
      found: { name, secret: { name: secret.metadata.name, key }, labels: copiedLabels(secret), location: locationHints(secret) },
      secret,
    });
  }
  return [...byName.values()].map(({ found }) => found).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What the API server takes as the name of an object; values of labels may hold more. */
const isName = (name: string): boolean => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name);

const isOlder = (a: KubeObject, b: KubeObject): boolean => {
  const [one, other] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  return one === other ? a.metadata.name < b.metadata.name : one < other;
};

function copiedLabels({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const copied = Object.entries(metadata.labels ?? {}).filter(([key]) => !key.startsWith(RESIDENCY_PREFIX) && !key.startsWith(OUR_PREFIX));
  return Object.fromEntries(copied);
}

function locationHints({ metadata }: KubeObject): DiscoveredCluster["location"] {
  const hint = (name: "cloud" | "region" | "latitude" | "longitude"): Readonly<Record<string, string>> => {
    const value = metadata.annotations?.[`${OUR_PREFIX}${name}`];
    return value === undefined ? {} : { [name]: value };
  };
  return { ...hint("cloud"), ...hint("region"), ...hint("latitude"), ...hint("longitude") };
}
