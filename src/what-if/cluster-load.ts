/** What each cluster serves before and after, in clients and in requests per second against its capacity. Pure. */
import type { Route } from "../model/inventory.ts";
import type { Answer } from "./answer-book.ts";
import type { Flow } from "./decide-all.ts";
import type { LoadFactors } from "./load.ts";
import type { BeforeAfter, ClusterServing, Serving } from "./simulation.ts";
import type { Spot } from "./spots.ts";
import { millionth } from "./stale.ts";

/** What one cluster serves on one side. */
export interface Served {
  weight: number;
  /** Requests per second by time; empty when no load is known. */
  readonly loads: number[];
}

export interface ClusterTally {
  readonly before: Served;
  readonly after: Served;
}

/** Cluster → what it serves. Clusters of `names` that serve nobody are there too. */
export function tallyClusters(
  flows: readonly Flow[],
  spots: readonly Spot[],
  load: LoadFactors | undefined,
  names: Iterable<string>,
): ReadonlyMap<string, ClusterTally> {
  const times = load?.times.length ?? 0;
  const served = (): Served => ({ weight: 0, loads: new Array<number>(times).fill(0) });
  const tallies = new Map([...names].map((name): [string, ClusterTally] => [name, { before: served(), after: served() }]));
  for (const { spot, before, after, weight } of flows) {
    const { country } = spots[spot]!;
    const factors = load === undefined ? [] : load.times.map((_, time) => load.factor(time, country));
    const add = (answer: Answer, side: "before" | "after"): void => {
      for (const { name, share } of answer.clusters) {
        const into = tallies.get(name)![side];
        into.weight += weight * share;
        factors.forEach((factor, time) => {
          into.loads[time]! += weight * share * factor;
        });
      }
    };
    add(before, "before");
    add(after, "after");
  }
  return tallies;
}

/** @returns null when a backend of it in any of the routes does not say, or none is there */
export function capacityOf(cluster: string, routes: readonly (Route | undefined)[]): number | null {
  const own = routes.flatMap((route) => route?.backends.filter((backend) => backend.cluster === cluster) ?? []);
  if (own.length === 0 || own.some(({ capacity }) => capacity === undefined)) return null;
  return own.reduce((sum, { capacity }) => sum + capacity!, 0);
}

export function clusterServing(
  cluster: string,
  { before, after }: ClusterTally,
  capacity: BeforeAfter<number | null>,
  times: readonly string[],
  total: number,
): ClusterServing {
  const serving = ({ weight, loads }: Served, most: number | null): Serving => {
    const busiest = loads.reduce((best, load, time) => (load > loads[best]! ? time : best), 0);
    const load = loads[busiest];
    return {
      weight: millionth(weight),
      share: millionth(total === 0 ? 0 : weight / total),
      load: load === undefined ? null : millionth(load),
      time: load === undefined || times[busiest] === "" ? null : times[busiest]!,
      utilisation: load === undefined || most === null ? null : millionth(load / most),
    };
  };
  return {
    cluster,
    capacity: capacity.after ?? capacity.before,
    before: serving(before, capacity.before),
    after: serving(after, capacity.after),
  };
}
