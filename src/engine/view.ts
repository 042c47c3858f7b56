/** What the engine shows of itself: read by the admin API, the CLI and the live view; nothing here changes what is served but the marked acts. */

import type { Health } from "../model/health.ts";
import type { DrillAbort, RouteKey } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { Timeline } from "../observe/timeline.ts";
import type { RouteMemory } from "../routing/evaluate-route.ts";
import type { Explanation } from "../routing/explanation.ts";

export interface EngineView {
  /** @param withShares false leaves `servedBy` of every route empty: working it out is by far the dearest part */
  status(withShares?: boolean): Status;
  /**
   * @param client an address or a network, as text
   * @returns an error message with its remedy when the host is no route's or the client is no address
   */
  explain(
    host: string,
    client: string,
    family: "A" | "AAAA",
  ): { readonly ok: true; readonly explanation: Explanation } | { readonly ok: false; readonly error: string };
  readiness(): Readiness;
  readonly timeline: Timeline;
  /** For whoever follows the health of thousands of routes: reads cost what one route costs. */
  readonly health: HealthFeed;
  /** Who is served where, country by country. */
  readonly map: ServingMap;
  /** Act: accept inputs that the guard holds back (docs/safety.md, rule 11). @returns what was accepted, in words; empty when nothing was held */
  confirm(): readonly string[];
}

export interface ServingMap {
  /** Moments of which the map is kept, oldest first: one for each change, within a bound. */
  frames(): readonly Pick<MapFrame, "id" | "at" | "version">[];
  /**
   * @param route undefined = all routes together, each counting the same
   * @param id    of a frame; undefined = now
   * @returns undefined when there is no such frame, or no such route in it
   */
  frame(route: RouteKey | undefined, id?: number): MapFrame | undefined;
  /** Of the newest frame: clusters that serve the route's clients, largest share of the population first; empty for a route that is not drawn. */
  shares(route: RouteKey): readonly Omit<ServedShare, "countries">[];
  /** A network of a country, to ask with; undefined when the geo data knows none. */
  sample(country: string): string | undefined;
  /** What would move if a cluster were drained now, by the same code that answers. @returns undefined when there is no such cluster */
  ifDrained(cluster: string): Promise<IfDrained | undefined>;
  /** Calls back when there is another frame. @returns ends it */
  subscribe(listener: (frame: { readonly id: number; readonly at: number }) => void): () => void;
}

export interface MapFrame {
  /** Grows by one with every frame of the process. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the routing table. */
  readonly version: number;
  readonly clusters: readonly Pick<ClusterStatus, "name" | "state" | "health" | "location">[];
  readonly countries: readonly ServedCountry[];
}

export interface ServedCountry {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Shares of the country's answers, 0..1, largest first. */
  readonly served: readonly { readonly cluster: string; readonly share: number }[];
}

export interface IfDrained {
  /** Routes with a backend in the cluster. */
  readonly routes: number;
  /** Of these: routes of which some clients stay, because nothing else is left that may serve them (fail-open). */
  readonly stuckRoutes: number;
  /** Where clients would go, largest first. */
  readonly moves: readonly MapMove[];
}

export interface MapMove {
  readonly to: string;
  /** Share of the world's population, over all routes, 0..1. */
  readonly population: number;
}

export interface HealthFeed {
  /** Of the table that is served; undefined when it has no such route. */
  route(key: RouteKey): RouteHealth | undefined;
  /** By name; those of the table that is served. */
  clusters(): ReadonlyMap<string, ClusterHealth>;
  /** `namespace/name` of a TrafficOverride → why its drill was given up; undefined when it was not. */
  drillAbort(override: string): DrillAbort | undefined;
  /**
   * Calls back when health, standing, failover or failback of a route changed, or, with `all`, when another table or other
   * orders of operators were taken over. Nothing else calls back: a system at rest costs nothing. The listener only notes what is to be
   * read, as the table may not be served yet, and must not throw.
   *
   * @returns ends it
   */
  watch(listener: (route: RouteKey | "all") => void): () => void;
}

export interface RouteHealth extends Pick<RouteStatus, "hosts" | "backends" | "lastFailover"> {
  /** Some clients are answered by fail-open or a hold, because nothing that their rules allow is usable. */
  readonly failOpen: boolean;
  /** What must outlive the process: pending failbacks and their damping. */
  readonly memory: RouteMemory;
}

export type ClusterHealth = Pick<ClusterStatus, "state" | "health" | "endpoints" | "since" | "reason">;

export interface Readiness {
  /** False only before the first table and after shutdown began. */
  readonly ready: boolean;
  /** Reasons, stable words: `config-rejected`, `inputs-held`, `geo-stale`, `geo-rejected`, `last-good`, `vantage-suspect`, `fail-open`, `withdrawal-held`, `compile-failed`, `state-unsaved`, `hub-unreachable`, `peer-lost`, `provider-failing`, `removals-held`, `names-contested`, `delegation-waiting`, `proxy-failing`. */
  readonly degraded: readonly string[];
}

export interface Status {
  readonly clusters: readonly ClusterStatus[];
  readonly routes: readonly RouteStatus[];
  /** Those that are answered, here or by a provider. */
  readonly zones?: readonly { readonly name: string; readonly domain: string }[];
  readonly table: { readonly version: number /** Seconds since it was compiled. */; readonly age: number };
  readonly config: { readonly path: string; readonly problems: readonly Problem[] };
  readonly overrides: readonly {
    readonly name: string;
    readonly target: string;
    readonly action: string;
    readonly reason: string;
    readonly until?: string;
  }[];
  readonly degraded: readonly string[];
  /** Those whose proxies are told who serves. */
  readonly fleets?: readonly FleetStatus[];
}

/** A ProxyFleet, as this process finds it. */
export interface FleetStatus {
  readonly name: string;
  readonly type: "Envoy" | "HAProxy";
  /** Proxies that are connected or answer; those of them that have all there is; those that have rejected something. */
  readonly proxies: { readonly connected: number; readonly current: number; readonly rejected: number };
  /** Each HAProxy; of Envoys, those that are not Current, at most {@link MOST_PROXIES_SHOWN}. */
  readonly members: readonly ProxyStatus[];
  /** What to do about it, in sentences. */
  readonly problems: readonly string[];
}

export interface ProxyStatus {
  /** Of a HAProxy its name in the fleet, of an Envoy the id of its node. */
  readonly name: string;
  readonly place: string;
  readonly state: "Current" | "Pending" | "ReloadNeeded" | "Rejected" | "Unreachable" | "Failed";
  /** Why, for people; of an Envoy that rejects, its words. */
  readonly problem?: string;
  /** Routes that the words speak of; absent = nobody can tell. */
  readonly routes?: readonly RouteKey[];
}

export const MOST_PROXIES_SHOWN = 64;

export interface ClusterStatus {
  readonly name: string;
  readonly state: "Active" | "Draining" | "Cordoned";
  readonly health: Health;
  readonly location: { readonly label: string; readonly latitude: number; readonly longitude: number; readonly country?: string };
  readonly addresses: readonly string[];
  /** Healthy / all endpoints. */
  readonly endpoints: { readonly healthy: number; readonly total: number };
  /** Median of the newest probes, milliseconds. */
  readonly latencyMs: number | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly reason: string;
}

export interface RouteStatus {
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly order: string;
  readonly sticky: boolean;
  readonly backends: readonly BackendStatus[];
  /** Who is served where, largest share first. */
  readonly servedBy: readonly ServedShare[];
  readonly lastFailover: { readonly from: string; readonly to: string; readonly at: string; readonly reason: string } | null;
}

export interface BackendStatus {
  readonly name: string;
  readonly cluster: string;
  readonly addresses: readonly string[];
  readonly health: Health;
  /** `Usable`, `Pending`, `Unknown`, `Unhealthy`, `Draining`, `Excluded`. */
  readonly standing: string;
  readonly since: string | null;
  readonly reason: string;
  readonly weight: number;
  /** ISO 8601 instant at which a pending failback ends, or `approval`. */
  readonly failbackAt: string | null;
}

export interface ServedShare {
  readonly cluster: string;
  /** Share of the world's population whose answers name this cluster, 0..1. */
  readonly population: number;
  /** ISO country codes served, most populous first. */
  readonly countries: readonly string[];
}
