/**
 * What a proxy at one place should know of a route: which backends may serve the clients there, in which order, and who of them serves now.
 * The same plan and the same standings by which DNS answers. Pure.
 */
import type { Place } from "../geo/geo-table.ts";
import type { Location, Route } from "../model/inventory.ts";
import type { Measures } from "../routing/measure.ts";
import { planPlace } from "../routing/plan.ts";
import { type Policy, tierWeight } from "../routing/policy.ts";
import { FULL, type RoutingTable, Standing } from "../routing/table.ts";

export interface EdgePlan {
  /** Best first. Whom a Require rule excludes, or who has no address, is in none; empty when that leaves nobody. */
  readonly tiers: readonly (readonly EdgeBackend[])[];
  /** What those that serve now have in common: the rung of the fail-open ladder; undefined when nobody may serve. */
  readonly standing: Standing | undefined;
}

export interface EdgeBackend {
  readonly name: string;
  readonly cluster: string;
  /** Share of its tier's requests in relation to the others of the tier, while all serve: 1..1,000,000; what ramps or sheds has less. */
  readonly weight: number;
  readonly endpoints: readonly EdgeEndpoint[];
}

export interface EdgeEndpoint {
  /** Canonical. */
  readonly address: string;
  /** It is to get requests: of the rung that serves, and, as long as another of its backend is better, not worse than that one. */
  readonly serves: boolean;
}

export interface EdgePlanInput {
  readonly table: RoutingTable;
  /** In the table, and its number there. */
  readonly route: Route;
  readonly index: number;
  /** Of the route. */
  readonly policy: Policy;
  readonly measures: Pick<Measures, "distance" | "latency">;
  /** Where the proxy is; {@link placeOfLocation}. */
  readonly place: Place;
  /** What rules go by; the place of the proxy if not given. */
  readonly client?: Place;
}

/** Clients at a known place in the world, of whom nothing else is known. */
export const placeOfLocation = ({ continent, country, latitude, longitude }: Location): Place => ({
  ...{ latitude, longitude },
  ...(continent === undefined ? {} : { continent }),
  ...(country === undefined ? {} : { country }),
});

/** The ladder of fail-open, as in `choose`: whoever holds on to the last answer does so before the steps below the first two. */
const LADDER: readonly Standing[] = [Standing.Usable, Standing.Pending, Standing.Unknown, Standing.Unhealthy, Standing.Draining];
const WELL = 2;

const MOST_WEIGHT = 1_000_000;

export function edgePlan(input: EdgePlanInput): EdgePlan {
  const { route, policy, measures, place, client = place } = input;
  const measure = policy.order === "Latency" ? measures.latency : measures.distance;
  const { tiers } = planPlace(policy, client, (_, cluster) => measure(place, cluster));
  const units = tiers.map((tier) => tier.map((position) => unitOf(input, position)).filter(({ standings }) => standings.length > 0));
  const has = (standing: Standing): boolean => units.some((tier) => tier.some((unit) => unit.standing === standing));
  const well = LADDER.slice(0, WELL).find(has);
  const held = well === undefined && route.failover.whenAllUnhealthy === "HoldLast" ? lastUsable(units.flat()) : undefined;
  const rung = well ?? held?.standing ?? LADDER.find(has);
  const serving = (unit: Unit): boolean => (held === undefined ? unit.standing === rung : unit === held);
  const weightOf = (position: number): number => tierWeight(policy.members[position]!);
  const whole = tiers.map((tier) => tier.reduce((sum, position) => sum + weightOf(position), 0));
  return {
    tiers: units
      .map((tier, i) => tier.map((unit) => backendOf(unit, serving(unit), weightOf(unit.position) / whole[i]!)))
      .filter((tier) => tier.length > 0),
    standing: rung,
  };
}

/** A backend of the route with both of its families: a proxy connects to either. */
interface Unit {
  readonly position: number;
  readonly name: string;
  readonly cluster: string;
  /** The better of its families. */
  readonly standing: Standing;
  /** 0..1 */
  readonly keep: number;
  /** When it was last usable, ms since the epoch; 0 = never. */
  readonly lastUsable: number;
  /** Address → standing, those of families that are as good as the backend. */
  readonly standings: readonly (readonly [address: string, standing: Standing])[];
}

function unitOf({ table: { hot, state, names }, route, index }: EdgePlanInput, position: number): Unit {
  const row = hot.routeBackends[index]! + position;
  const families = ([0, 1] as const).map((family) => ({
    standing: state.standing[2 * row + family]! as Standing,
    keep: state.keep[2 * row + family]! / FULL,
    lastUsable: state.lastUsable[2 * row + family]!,
    first: hot.backendAddresses[2 * row + family]!,
    end: hot.backendAddresses[2 * row + family + 1]!,
  }));
  const present = families.filter(({ standing, first, end }) => end > first && standing < Standing.Excluded);
  const standing = Math.min(Standing.Absent, ...present.map((family) => family.standing)) as Standing;
  const { name, cluster } = route.backends[position]!;
  return {
    ...{ position, name, cluster, standing },
    keep: Math.max(0, ...present.filter((family) => family.standing === standing).map(({ keep }) => keep)),
    lastUsable: Math.max(0, ...families.map((family) => family.lastUsable)),
    standings: present.flatMap((family) =>
      Array.from({ length: family.end - family.first }, (_, i) => {
        const address = family.first + i;
        const own = state.addressStanding[address]! as Standing;
        return [names.addresses[address]!, Math.max(own, family.standing) as Standing] as const;
      }),
    ),
  };
}

/** Who stopped being usable last; undefined when nobody ever was. */
const lastUsable = (units: readonly Unit[]): Unit | undefined =>
  units.reduce<Unit | undefined>((best, unit) => (unit.lastUsable > (best?.lastUsable ?? 0) ? unit : best), undefined);

function backendOf({ name, cluster, keep, standings }: Unit, serves: boolean, share: number): EdgeBackend {
  const best = Math.min(...standings.map(([, standing]) => standing));
  return {
    ...{ name, cluster },
    weight: Math.max(1, Math.round(share * keep * MOST_WEIGHT)),
    endpoints: standings.map(([address, standing]) => ({ address, serves: serves && standing === best })),
  };
}
