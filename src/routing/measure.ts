/** What orders rank by: great-circle kilometres, or estimated milliseconds. Memoised per (place, cluster) for one compile. */
import { distanceKm } from "../geo/distance.ts";
import type { Place } from "../geo/geo-table.ts";
import { type LatencyEstimate, type LatencyMap, latencyOf } from "../geo/latency-model.ts";
import type { Cluster } from "../model/inventory.ts";
import type { Measure } from "./plan.ts";

export interface Measures {
  /** Kilometres; undefined when the place has no coordinates. */
  readonly distance: Measure;
  /** Milliseconds, by {@link estimate}. */
  readonly latency: Measure;
  readonly estimate: (place: Place, cluster: number) => LatencyEstimate | undefined;
}

export function measuresOf(clusters: readonly Cluster[], latency: LatencyMap): Measures {
  const distance = memoised(clusters, ({ latitude, longitude }, { location }) =>
    latitude === undefined || longitude === undefined ? undefined : distanceKm(latitude, longitude, location.latitude, location.longitude),
  );
  return {
    distance,
    latency: memoised(clusters, (place, cluster) => latencyOf(latency, place, cluster)?.ms),
    estimate: (place, cluster) => latencyOf(latency, place, clusters[cluster]!),
  };
}

/** Many policies rank the same places by the same clusters; whether a measure is known depends on the place alone. */
function memoised(clusters: readonly Cluster[], of: (place: Place, cluster: Cluster) => number | undefined): Measure {
  const rows = new Map<Place, Float64Array>();
  return (place, cluster) => {
    let row = rows.get(place);
    if (row === undefined) {
      row = Float64Array.from(clusters, (one) => of(place, one) ?? Number.NaN);
      rows.set(place, row);
    }
    const value = row[cluster];
    return Number.isNaN(value) ? undefined : value;
  };
}
