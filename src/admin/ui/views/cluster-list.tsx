/** The clusters beside the map: state, share and load, and which one the map is about. */
import { percent, rate } from "../model/format.ts";
import type { WorldMap } from "../model/types.ts";
import { ClusterName, markStateOf, StateMark } from "../parts/marks.tsx";

export interface ClusterListProps {
  readonly map: WorldMap | undefined;
  readonly load: ReadonlyMap<string, number> | undefined;
  readonly hues: ReadonlyMap<string, number>;
  readonly cluster: string | undefined;
  readonly setCluster: (name: string | undefined) => void;
}

export function ClusterList({ map, load, hues, cluster, setCluster }: ClusterListProps) {
  const clusters = [...(map?.clusters ?? [])].sort((a, b) => b.population - a.population || a.name.localeCompare(b.name));
  return (
    <section class="card" aria-labelledby="cluster-list-title">
      <div class="card-head">
        <h2 id="cluster-list-title">Clusters</h2>
        {cluster !== undefined && (
          <button type="button" class="quiet" onClick={() => setCluster(undefined)}>
            Show all
          </button>
        )}
      </div>
      <ul class="cluster-list">
        {clusters.map((one) => (
          <li key={one.name}>
            <button
              type="button"
              aria-pressed={one.name === cluster}
              onClick={() => setCluster(one.name === cluster ? undefined : one.name)}
            >
              <ClusterName name={one.name} hue={hues.get(one.name)} />
              <StateMark state={markStateOf(one)} />
              <span class="figures">
                {percent(one.population)}
                {load !== undefined && <span class="load">{rate(load.get(one.name) ?? 0)}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p class="hint">Share of the world's population, and answers of this server.</p>
    </section>
  );
}
