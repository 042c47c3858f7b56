/** Who moved: compares what a route answers before and after a change of standings. Pure. */
import { chooseBySlot, Mode, newChoice } from "./choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable } from "./table.ts";

/** A sample of a route's answers: for some plans and slots, the serving cluster; -1 where nothing may be answered. */
export interface Serving {
  readonly clusters: Int32Array;
  /** Samples answered by fail-open or a hold. */
  readonly desperate: number;
}

const MOST_PLANS = 64;
const SLOTS = 4;

/** Cheap enough for every route at every flip: at most {@link MOST_PLANS} plans × {@link SLOTS} slots a family. */
export function sampleServing(table: RoutingTable, route: number): Serving {
  const { hot, names } = table;
  const policy = hot.routePolicy[route]!;
  const classes = table.partitions[hot.policyPartition[policy]!]!.classes;
  const plans = Math.min(classes, MOST_PLANS);
  const clusters = new Int32Array(2 * plans * SLOTS).fill(-1);
  const choice = newChoice();
  let desperate = 0;
  for (const family of [0, 1] as const) {
    if ((hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) continue;
    for (let plan = 0; plan < plans; plan++) {
      choice.plan = hot.policyPlans[policy]! + Math.floor((plan * classes) / plans);
      for (let slot = 0; slot < SLOTS; slot++) {
        choice.slotHash = (((slot + 0.5) / SLOTS) * 0x1_0000_0000) >>> 0;
        chooseBySlot(table, route, family, choice);
        if (choice.backend >= 0) clusters[(family * plans + plan) * SLOTS + slot] = names.backends[choice.backend]!.cluster;
        if (choice.mode >= Mode.Unknown && choice.mode !== Mode.Nothing) desperate++;
      }
    }
  }
  return { clusters, desperate };
}

/** The commonest move among those from (or to) a cluster, by cluster index; undefined when nobody moved. */
export function commonestMove(
  before: Serving,
  after: Serving,
  cluster: number,
): { readonly from: number; readonly to: number } | undefined {
  const counts = new Map<string, { from: number; to: number; count: number }>();
  before.clusters.forEach((from, i) => {
    const to = after.clusters[i] ?? -1;
    if (from === to || from < 0 || to < 0 || (from !== cluster && to !== cluster)) return;
    const key = `${from}>${to}`;
    const entry = counts.get(key) ?? { from, to, count: 0 };
    entry.count++;
    counts.set(key, entry);
  });
  return [...counts.values()].sort((a, b) => b.count - a.count)[0];
}
