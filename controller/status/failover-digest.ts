/**
 * What of many failovers becomes an Event. A cluster that dies moves thousands of routes: one Event on the cluster tells how many, and a few
 * routes have one of their own. Pure; time comes in.
 */

export interface Move {
  /** `namespace/name` */
  readonly route: string;
  readonly from: string;
  readonly to: string;
  /** `failback` for a return. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Moves of one cluster's clients, in one direction. */
export interface ClusterMoves {
  readonly cluster: string;
  readonly isReturn: boolean;
  readonly routes: number;
  /** Routes that got no Event of their own. */
  readonly untold: number;
  /** The other clusters, that which most routes name first. */
  readonly others: readonly string[];
  /** The reason that most routes name. */
  readonly reason: string;
  /** Of the first. */
  readonly at: number;
}

interface Gathering {
  readonly first: number;
  last: number;
  readonly routes: Set<string>;
  untold: number;
  readonly others: Map<string, number>;
  readonly reasons: Map<string, number>;
}

export interface FailoverDigest {
  /** @param isTold it gets an Event of its own */
  add(move: Move, isTold: boolean): void;
  /** Clusters whose moves have come to rest. */
  take(now: number): readonly ClusterMoves[];
}

/** Moves of one outage lie no further apart, ms… */
const QUIET = 2000;
/** …and are told after so long at the latest. */
const LONGEST = 30_000;

export function createFailoverDigest(): FailoverDigest {
  const gathered = new Map<string, Gathering>();
  const dueOf = ({ first, last }: Gathering): number => Math.min(last + QUIET, first + LONGEST);
  return {
    add({ route, from, to, reason, at }, isTold) {
      const isReturn = reason === "failback";
      const [cluster, other] = isReturn ? [to, from] : [from, to];
      const key = `${isReturn ? "<" : ">"}${cluster}`;
      const known = gathered.get(key);
      const one: Gathering = known ?? { first: at, last: at, routes: new Set(), untold: 0, others: new Map(), reasons: new Map() };
      gathered.set(key, one);
      one.last = Math.max(one.last, at);
      if (!isTold && !one.routes.has(route)) one.untold++;
      one.routes.add(route);
      one.others.set(other, (one.others.get(other) ?? 0) + 1);
      one.reasons.set(reason, (one.reasons.get(reason) ?? 0) + 1);
    },
    take(now) {
      const ready = [...gathered].filter(([, one]) => dueOf(one) <= now);
      return ready.map(([key, one]) => {
        gathered.delete(key);
        const [reason = ""] = byCount(one.reasons);
        return {
          cluster: key.slice(1),
          isReturn: key.startsWith("<"),
          routes: one.routes.size,
          untold: one.untold,
          others: byCount(one.others),
          reason,
          at: one.first,
        };
      });
    },
  };
}

const byCount = (counts: ReadonlyMap<string, number>): readonly string[] => [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
