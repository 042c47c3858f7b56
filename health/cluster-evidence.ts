/** What this vantage hears of clusters and control targets as wholes, kept for {@link distrust}. */
import type { Endpoint, EndpointKey } from "../src/model/health.ts";
import { type ClusterEvidence, type References, type Surroundings, surroundings } from "./distrust.ts";

export interface EvidenceBook {
  /** Forgets clusters that are gone. */
  setClusters(names: ReadonlySet<string>): void;
  /** Notes a probe of a cluster's endpoint: `answered` unless its failure was inferred. @param startedAt monotonic */
  note(cluster: string, answered: boolean, startedAt: number): void;
  /** Notes a probe of a control target. */
  noteReference(key: EndpointKey, answered: boolean, startedAt: number): void;
  /** The silence of an endpoint since `began` was believed: if the whole cluster is silent since, it is dead from now on. */
  believe(cluster: string, began: number): void;
  /** Names of the clusters that did not answer the newest probe, old outages excepted, sorted. */
  silentClusters(): readonly string[];
  /** Counts the clusters as they are known now ({@link surroundings}). */
  since(began: number): Surroundings;
}

interface Evidence {
  heardAt: number;
  silentAt: number;
  dead: boolean;
}

const nothing = (): Evidence => ({ heardAt: Number.NEGATIVE_INFINITY, silentAt: Number.NEGATIVE_INFINITY, dead: false });

function noteIn(evidence: Evidence, answered: boolean, startedAt: number): void {
  if (answered) {
    evidence.heardAt = Math.max(evidence.heardAt, startedAt);
    evidence.dead = false;
  } else {
    evidence.silentAt = Math.max(evidence.silentAt, startedAt);
  }
}

export function createEvidenceBook(references: readonly Endpoint[]): EvidenceBook {
  const clusters = new Map<string, Evidence>();
  const controls = new Map<EndpointKey, Evidence>(references.map((reference) => [reference.key, nothing()]));

  function referencesSince(began: number): References {
    if (controls.size === 0) return "none";
    const all: ClusterEvidence[] = [...controls.values()];
    if (all.some((control) => control.heardAt >= began && control.heardAt > control.silentAt)) return "answering";
    return all.every((control) => control.silentAt >= began && control.silentAt > control.heardAt) ? "silent" : "unheard";
  }

  return {
    setClusters: (names) => {
      for (const name of clusters.keys()) if (!names.has(name)) clusters.delete(name);
      for (const name of names) if (!clusters.has(name)) clusters.set(name, nothing());
    },
    note: (cluster, answered, startedAt) => {
      const evidence = clusters.get(cluster);
      if (evidence !== undefined) noteIn(evidence, answered, startedAt);
    },
    noteReference: (key, answered, startedAt) => {
      const evidence = controls.get(key);
      if (evidence !== undefined) noteIn(evidence, answered, startedAt);
    },
    believe: (cluster, began) => {
      const evidence = clusters.get(cluster);
      if (evidence !== undefined && evidence.heardAt < began) evidence.dead = true;
    },
    silentClusters: () =>
      [...clusters].flatMap(([name, { heardAt, silentAt, dead }]) => (!dead && silentAt > heardAt ? [name] : [])).sort(),
    since: (began) => surroundings(clusters.values(), began, referencesSince(began)),
  };
}
