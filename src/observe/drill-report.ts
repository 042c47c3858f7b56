/** What a drill has shown: which routes left a cluster and came back, how fast, and who saw it. Values only; {@link openDrill} makes them. */

/**
 * `Held`: nothing could be taken out of service anywhere. `EndedEarly`: somebody removed the override before its time. `Interrupted`: the
 * server was away meanwhile, so that some of it was not seen.
 */
export const DRILL_OUTCOMES = ["Running", "Completed", "Aborted", "EndedEarly", "Held", "Interrupted"] as const;
export type DrillOutcome = (typeof DRILL_OUTCOMES)[number];

/** Instants are ISO 8601. */
export interface DrillReport {
  /** Of the `TrafficOverride`: `namespace/name`. */
  readonly name: string;
  /** `MemberCluster NAME`, `GlobalRoute NAMESPACE/NAME` or `GlobalRoute NAMESPACE/NAME/BACKEND`. */
  readonly target: string;
  readonly reason: string;
  readonly outcome: DrillOutcome;
  /** Nothing more is expected: it stays as it is. */
  readonly settled: boolean;
  readonly began: string;
  /** When it was to end. */
  readonly until: string;
  readonly ended?: string;
  /** When the server came back that was away meanwhile. */
  readonly interrupted?: string;
  readonly abort?: DrillAbort;
  /** By name; of very many those with sightings first. */
  readonly routes: readonly DrillRoute[];
  /** Routes that are not in `routes`; the figures are of all. */
  readonly routesLeftOut: number;
  readonly legs: readonly DrillLeg[];
}

export interface DrillAbort {
  readonly reason: string;
  readonly at: string;
  readonly route?: string;
  readonly cluster?: string;
}

export interface DrillRoute {
  /** `namespace/name`. */
  readonly route: string;
  /** A backend was taken out of service. Without `withdrawn` nobody was answered with it. */
  readonly out: boolean;
  readonly withdrawn?: DrillMove;
  readonly restored?: DrillMove;
  /** Why a backend of it was left alone. */
  readonly held?: readonly string[];
}

/** One way: clients that were answered with `from` are answered with `to`. */
export interface DrillMove {
  readonly from: string;
  readonly to: string;
  readonly at: string;
  /** From the act to the written table, seconds. */
  readonly decideSeconds?: number;
  /** Zones kept elsewhere that were written with it. */
  readonly published: readonly DrillSight[];
  /** Servers and resolvers that were seen to answer so. */
  readonly seen: readonly DrillSight[];
  /** Those that were not, within the time that they were looked at. */
  readonly unseen: readonly string[];
}

/** Seconds. */
export interface DrillSight {
  /** A domain, where it was published; `self`, `zone DOMAIN` or `resolver ADDRESS` where it was seen. */
  readonly via: string;
  /** Since the written table, or since it was published there. */
  readonly seconds: number;
  /** Since the act. */
  readonly totalSeconds: number;
}

/** One part of the way, over all routes. */
export interface DrillLeg {
  readonly phase: "withdraw" | "restore";
  /** `total`: from the act until it was seen at `via`. */
  readonly leg: "decide" | "publish" | "propagate" | "total";
  /** Empty for `decide`. */
  readonly via: string;
  /** How many routes it was measured at. */
  readonly routes: number;
  /** Seconds. */
  readonly median: number;
  readonly worst: number;
}

/** Something that is to be heard is not there yet: a route has not come back, or a zone that was written before has not been again. */
export const isAwaited = ({ routes }: DrillReport): boolean =>
  routes.some(
    ({ withdrawn, restored }) =>
      withdrawn !== undefined &&
      (restored === undefined || !withdrawn.published.every(({ via }) => restored.published.some((one) => one.via === via))),
  );

/** The slowest that clients' answers changed either way, seconds; undefined when nothing was seen. */
export function worstTotal({ legs }: DrillReport): number | undefined {
  const totals = legs.filter(({ leg }) => leg === "total").map(({ worst }) => worst);
  return totals.length === 0 ? undefined : Math.max(...totals);
}

/** Who was looked at in vain, on the way out or back: `via`, each once. */
export const unseenVias = ({ routes }: DrillReport, phase: "withdrawn" | "restored"): readonly string[] => [
  ...new Set(routes.flatMap((route) => route[phase]?.unseen ?? [])),
];
