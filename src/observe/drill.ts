/** A drill as the timeline tells of it: takes its events, and gives the report so far. Pure: it asks for no time and keeps what it is given. */
import { drillLegs, toMilliseconds } from "./drill-legs.ts";
import type { DrillAbort, DrillMove, DrillOutcome, DrillReport, DrillRoute, DrillSight } from "./drill-report.ts";
import type { TimelineEvent } from "./timeline.ts";

export interface Drill {
  /** @returns whether the event is of this drill. Returns of routes count from its beginning on, as the order of events in one moment is not told. */
  readonly take: (event: TimelineEvent) => boolean;
  /** As far as events have told; never `settled`. */
  readonly report: () => DrillReport;
}

/** What the engine calls the reason of a backend that a drill takes out of service, and of its return. */
const OUT = "drill";
const BACK = "no longer drilled";

/** Routes of a report in full. */
const MOST_ROUTES = 500;

/** @returns undefined for an event that is not the beginning of a drill */
export function beganReport({ kind, object, at, details }: TimelineEvent): DrillReport | undefined {
  if (kind !== "OverrideBegan" || details.action !== "Drill") return undefined;
  return {
    name: object.replace(/^TrafficOverride /, ""),
    target: String(details.target),
    reason: String(details.reason ?? ""),
    outcome: "Running",
    settled: false,
    began: instant(at),
    until: instant(Number(details.until)),
    routes: [],
    routesLeftOut: 0,
    legs: [],
  };
}

/** @param earlier what is known of it: {@link beganReport}, or what another process saw of it */
export function openDrill(earlier: DrillReport): Drill {
  const { name, target, until } = earlier;
  const routes = new Map(earlier.routes.map((route) => [route.route, draftOf(route)]));
  /** Id of a `Failover` → what becomes of it. */
  const moves = new Map<number, MoveDraft>();
  const isAimedAt = aimOf(target);
  let { ended, abort } = earlier;

  function routeOf(event: TimelineEvent): RouteDraft {
    const route = event.object.replace(/^GlobalRoute /, "");
    const known = routes.get(route);
    if (known !== undefined) return known;
    const draft: RouteDraft = { route, out: false, held: new Set() };
    routes.set(route, draft);
    return draft;
  }

  function takeFailover(event: TimelineEvent): boolean {
    const { reason, from, to } = event.details;
    const phase = reason === OUT ? "withdrawn" : reason === BACK ? "restored" : undefined;
    if (phase === undefined || !isAimedAt(event, phase === "withdrawn" ? from : to)) return false;
    const draft = routeOf(event);
    if (phase === "withdrawn") draft.out = true;
    // Two backends of a route make two failovers: they are one move, and the first of them began it.
    draft[phase] ??= moveDraft(event);
    moves.set(event.id, draft[phase]);
    return true;
  }

  function takeSight(event: TimelineEvent): boolean {
    const { failover, via, seconds, totalSeconds } = event.details;
    const move = moves.get(Number(failover));
    if (move === undefined) return false;
    const sight = { via: String(via), seconds: toMilliseconds(Number(seconds)), totalSeconds: toMilliseconds(Number(totalSeconds)) };
    if (event.kind === "FailoverPublished") move.published.set(sight.via, sight);
    else if (event.kind === "FailoverPropagated") move.seen.set(sight.via, sight);
    else move.unseen.add(sight.via);
    return true;
  }

  return {
    take(event) {
      switch (event.kind) {
        case "Failover":
          return takeFailover(event);
        case "FailoverPublished":
        case "FailoverPropagated":
        case "FailoverUnseen":
          return takeSight(event);
        case "BackendWithdrawn":
          if (event.details.reason !== OUT || !isAimedAt(event, event.details.cluster)) return false;
          routeOf(event).out = true;
          return true;
        case "DrillHeld":
          if (!isAimedAt(event, event.details.cluster)) return false;
          routeOf(event).held.add(String(event.details.reason));
          return true;
        case "DrillAborted":
          if (event.object !== `TrafficOverride ${name}`) return false;
          abort ??= abortOf(event);
          return true;
        case "OverrideEnded":
          if (event.object !== `TrafficOverride ${name}`) return false;
          ended ??= instant(event.at);
          return true;
        default:
          return false;
      }
    },
    report() {
      const all = [...routes.values()].map(routeReport).sort((a, b) => (a.route < b.route ? -1 : 1));
      const shown = all.length <= MOST_ROUTES ? all : clearest(all);
      const movesOf = (phase: "withdrawn" | "restored") => all.flatMap((route) => route[phase] ?? []);
      const facts = { ...earlier, ...(ended === undefined ? {} : { ended }), ...(abort === undefined ? {} : { abort }) };
      return {
        ...facts,
        outcome: outcomeOf(
          facts,
          all.some(({ out }) => out),
          until,
        ),
        routes: shown,
        routesLeftOut: all.length - shown.length,
        legs: drillLegs(movesOf("withdrawn"), movesOf("restored")),
      };
    },
  };
}

function outcomeOf({ ended, abort, interrupted }: DrillReport, anyOut: boolean, until: string): DrillOutcome {
  if (abort !== undefined) return "Aborted";
  if (ended === undefined) return "Running";
  if (interrupted !== undefined) return "Interrupted";
  if (Date.parse(ended) < Date.parse(until)) return "EndedEarly";
  return anyOut ? "Completed" : "Held";
}

interface RouteDraft {
  readonly route: string;
  out: boolean;
  withdrawn?: MoveDraft;
  restored?: MoveDraft;
  readonly held: Set<string>;
}

interface MoveDraft extends Pick<DrillMove, "from" | "to" | "at" | "decideSeconds"> {
  readonly published: Map<string, DrillSight>;
  readonly seen: Map<string, DrillSight>;
  readonly unseen: Set<string>;
}

function moveDraft({ at, details: { from, to, decideSeconds } }: TimelineEvent): MoveDraft {
  return {
    ...{ from: String(from), to: String(to), at: instant(at) },
    ...(decideSeconds === undefined ? {} : { decideSeconds: toMilliseconds(Number(decideSeconds)) }),
    ...{ published: new Map(), seen: new Map(), unseen: new Set() },
  };
}

function draftOf({ route, out, held, withdrawn, restored }: DrillRoute): RouteDraft {
  const byVia = (sights: readonly DrillSight[]): Map<string, DrillSight> => new Map(sights.map((sight) => [sight.via, sight]));
  const draft = (move: DrillMove): MoveDraft => ({
    ...move,
    ...{ published: byVia(move.published), seen: byVia(move.seen), unseen: new Set(move.unseen) },
  });
  return {
    ...{ route, out, held: new Set(held) },
    ...(withdrawn === undefined ? {} : { withdrawn: draft(withdrawn) }),
    ...(restored === undefined ? {} : { restored: draft(restored) }),
  };
}

function routeReport({ route, out, held, withdrawn, restored }: RouteDraft): DrillRoute {
  const move = (draft: MoveDraft): DrillMove => ({
    ...draft,
    ...{ published: [...draft.published.values()], seen: [...draft.seen.values()], unseen: [...draft.unseen] },
  });
  return {
    ...{ route, out },
    ...(withdrawn === undefined ? {} : { withdrawn: move(withdrawn) }),
    ...(restored === undefined ? {} : { restored: move(restored) }),
    ...(held.size === 0 ? {} : { held: [...held] }),
  };
}

/** Those of which most is known, by name. */
function clearest(routes: readonly DrillRoute[]): readonly DrillRoute[] {
  const known = ({ withdrawn, held }: DrillRoute): number =>
    (withdrawn?.seen.length ?? 0) + (withdrawn?.unseen.length ?? 0) + (held ? 1 : 0);
  const kept = new Set([...routes].sort((a, b) => known(b) - known(a)).slice(0, MOST_ROUTES));
  return routes.filter((route) => kept.has(route));
}

function abortOf({ at, details: { reason, route, cluster } }: TimelineEvent): DrillAbort {
  return {
    ...{ reason: String(reason), at: instant(at) },
    ...(route === undefined ? {} : { route: String(route) }),
    ...(cluster === undefined ? {} : { cluster: String(cluster) }),
  };
}

/** @returns whether an event of a route, about a cluster and perhaps a backend, is within a target */
function aimOf(target: string): (event: TimelineEvent, cluster: unknown) => boolean {
  const [kind, name = ""] = target.split(" ");
  if (kind === "MemberCluster") return (_event, cluster) => cluster === name;
  const [namespace, route, backend] = name.split("/");
  const object = `GlobalRoute ${namespace}/${route}`;
  return (event) =>
    event.object === object && (backend === undefined || event.details.backend === undefined || event.details.backend === backend);
}

const instant = (at: number): string => new Date(at).toISOString();
