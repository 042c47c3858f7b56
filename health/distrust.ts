/**
 * Self-distrust (docs/safety.md, rule 3): before a vantage believes that an endpoint is down because nothing came back, it asks whether its
 * own network could be to blame. When more than half of at least three clusters fall silent at once, the vantage is the likelier cause.
 * Pure. Failures that prove something answered (a refused connection, a TLS alert, an HTTP status) never come here.
 */

/** What this vantage has seen of one cluster; every instant is the start of a probe, monotonic, -Infinity when there was none. */
export interface ClusterEvidence {
  /** The newest probe to which anything answered, be it a refusal. */
  readonly heardAt: number;
  /** The newest probe that met silence (an inferred failure). */
  readonly silentAt: number;
  /** True once this cluster's silence was believed and nothing has answered since: an old outage says nothing about the vantage. */
  readonly dead: boolean;
}

/** `unheard`: control targets are configured, but none has been probed to its end since. */
export type References = "none" | "answering" | "silent" | "unheard";

/** The clusters around one outage, as far as their probes started no earlier than it did. */
export interface Surroundings {
  readonly clusters: number;
  /** Clusters whose silence would be news. */
  readonly live: number;
  /** Of those: nothing answered since the outage began. */
  readonly silent: number;
  /** Of those: no probe has ended since the outage began. */
  readonly unheard: number;
  readonly references: References;
}

export type Trust =
  | { readonly trust: "believe" }
  /**
   * Do not vote. `suspect`: the vantage itself seems cut off; else evidence is still outstanding.
   * `until`: when it is believed all the same; null = as long as the control targets are silent.
   */
  | { readonly trust: "abstain"; readonly suspect: boolean; readonly until: number | null };

/** With fewer clusters there is no majority that could tell the vantage's fault from theirs. */
const FEWEST_CLUSTERS = 3;

/**
 * Counts the clusters around an outage.
 *
 * @param began start of the first unanswered probe of the outage, monotonic. Only what has happened since counts: failures that did
 *              not begin at once are no common cause.
 */
export function surroundings(clusters: Iterable<ClusterEvidence>, began: number, references: References): Surroundings {
  const count = { clusters: 0, live: 0, silent: 0, unheard: 0 };
  for (const cluster of clusters) {
    count.clusters++;
    if (cluster.dead) continue;
    count.live++;
    if (cluster.heardAt >= began) continue;
    if (cluster.silentAt >= began) count.silent++;
    else count.unheard++;
  }
  return { ...count, references };
}

/**
 * Whether to believe an endpoint's silence.
 *
 * @param heldFrom when the vantage's own count of failures was full, in the clock of `now`
 * @param hold     how long it is held without control targets: three intervals, ms
 */
export function distrust(around: Surroundings, heldFrom: number, hold: number, now: number): Trust {
  if (around.clusters < FEWEST_CLUSTERS || 2 * (around.silent + around.unheard) <= around.live) return { trust: "believe" };
  const suspect = 2 * around.silent > around.live;
  if (around.references === "answering") return { trust: "believe" };
  if (around.references === "silent" && suspect) return { trust: "abstain", suspect, until: null };
  const until = heldFrom + hold;
  return now >= until ? { trust: "believe" } : { trust: "abstain", suspect, until };
}
