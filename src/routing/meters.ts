/** Numbers under which answers are counted by cluster. Indices of clusters change with every table; these do not, so that counts go on. */
import type { RoutingTable } from "./table.ts";

/** How many there are; 0 is everything that has none of its own. */
export const METERS = 1024;

export interface Meters {
  /** Number → cluster; what has no number of its own is absent. */
  readonly names: readonly string[];
  /** Writes the numbers of a table's backends, before it is served. New clusters get new numbers, as long as there are any. */
  readonly number: (table: RoutingTable) => void;
}

export function createMeters(): Meters {
  const names: string[] = [""];
  const numbers = new Map<string, number>();
  return {
    names,
    number({ names: { clusters, backends }, state }) {
      const ofCluster = clusters.map((cluster) => {
        const known = numbers.get(cluster);
        if (known !== undefined || names.length === METERS) return known ?? 0;
        numbers.set(cluster, names.length);
        return names.push(cluster) - 1;
      });
      backends.forEach(({ cluster }, backend) => {
        state.meter[backend] = ofCluster[cluster]!;
      });
    },
  };
}
