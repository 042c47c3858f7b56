/** What a drill would do to each route, as far as it can be told before it begins. Pure. */
import type { Target } from "./act.ts";
import { clustersOf, NO_BACKEND_THERE, type TouchableRoute, touchedRoutes } from "./touched-routes.ts";

export interface DrillableRoute extends TouchableRoute {
  /** Seconds; `max` is what resolvers keep answers for. */
  readonly ttl: { readonly max: number };
}

/** How a backend is, as far as somebody has looked. */
export interface SeenBackend {
  readonly name: string;
  readonly cluster: string;
  readonly health: string;
  /** As the server says; absent where only its status in Kubernetes is known. */
  readonly standing?: string;
}

export interface SeenRoute extends TouchableRoute {
  readonly backends: readonly SeenBackend[];
}

export interface DrillEffect {
  /** A sentence for each route. */
  readonly lines: readonly string[];
  /** Routes that it would withdraw. */
  readonly withdraws: number;
  /** The longest that any of their answers is kept, seconds. */
  readonly longestTtl: number;
}

/** Standings in which a backend can take clients, or in which an operator has put it. */
const WELL: ReadonlySet<string> = new Set(["Usable", "Draining", "Excluded"]);

/**
 * @param routes as they are configured
 * @param seen   as they are; a route that nobody has looked at counts as well
 */
export function drillEffect(routes: readonly DrillableRoute[], seen: readonly SeenRoute[], target: Target): DrillEffect {
  const touched = touchedRoutes(routes, target);
  const stateOf = new Map(
    seen.flatMap((route) =>
      route.backends.map((backend): readonly [string, SeenBackend] => [`${route.namespace}/${route.name}/${backend.name}`, backend]),
    ),
  );
  const facts = touched.map(({ route, key, hit, left }) => {
    const states = (backends: readonly { readonly name: string }[]): readonly SeenBackend[] =>
      backends.flatMap(({ name }) => stateOf.get(`${key}/${name}`) ?? []);
    return { key, ttl: route.ttl.max, left, obstacle: obstacleOf(left.length, states(hit), states(left)) };
  });
  const withdrawn = facts.filter(({ obstacle }) => obstacle === undefined);
  return {
    lines:
      facts.length === 0
        ? [NO_BACKEND_THERE]
        : facts.map(({ key, ttl, left, obstacle }) =>
            obstacle === undefined
              ? `${key}: its clients go to ${clustersOf(left)}; answers already given are kept for up to ${ttl} s`
              : `${key}: left alone, because ${obstacle}`,
          ),
    withdraws: withdrawn.length,
    longestTtl: Math.max(0, ...withdrawn.map(({ ttl }) => ttl)),
  };
}

/** Why a route would be left alone; undefined when nothing speaks against it. */
function obstacleOf(others: number, hit: readonly SeenBackend[], left: readonly SeenBackend[]): string | undefined {
  if (others === 0) return "nothing else is left";
  const broken = left.find(isBroken);
  if (broken !== undefined)
    return `${broken.cluster} is not in service: ${broken.health === "Unhealthy" ? broken.health : (broken.standing ?? broken.health)}`;
  if (left.length > 0 && left.every(({ standing }) => standing !== undefined && standing !== "Usable"))
    return "operators have drained whatever else is there";
  if (hit.length > 0 && hit.every(({ health, standing }) => health === "Unhealthy" || (standing !== undefined && standing !== "Usable")))
    return "it is not in service there already";
  return undefined;
}

const isBroken = ({ health, standing }: SeenBackend): boolean => health === "Unhealthy" || (standing !== undefined && !WELL.has(standing));
