/** The engine as others see it: status, explanations, readiness. Reads only. */
import type { Capabilities } from "../geo/capabilities.ts";
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import { type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import { maskNetwork, parsePrefix } from "../model/ip.ts";
import type { Problem } from "../model/problem.ts";
import type { Timeline } from "../observe/timeline.ts";
import { findRoute, indexHosts } from "../routing/decide.ts";
import { explain } from "../routing/explain.ts";
import { measuresOf } from "../routing/measure.ts";
import { servedBy } from "../routing/served-by.ts";
import { ROUTE_OFFERS_A } from "../routing/table.ts";
import { keyOf } from "./endpoints.ts";
import { createHealthFeed } from "./health-feed.ts";
import type { Standings } from "./standings.ts";
import { buildStatus } from "./status.ts";
import { unknownHost } from "./unknown-host.ts";
import type { EngineView, ServedShare, ServingMap } from "./view.ts";
import type { World } from "./world.ts";

export interface EngineViewInput {
  readonly world: () => World | undefined;
  readonly path: string;
  readonly standings: Standings;
  readonly health: (key: EndpointKey) => EndpointHealth;
  readonly capabilities: () => Capabilities | undefined;
  readonly problems: () => readonly Problem[];
  readonly population: ReadonlyMap<string, number>;
  readonly degraded: () => readonly string[];
  readonly isStopping: () => boolean;
  readonly timeline: Timeline;
  readonly map: ServingMap;
  readonly confirm: () => readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Shares of the population are worked out for at most this many routes… */
const MOST_SHARES = 200;
/** …and for no longer than this at a time, ms: with geo data of cities one route can take a tenth of a second. The rest has its turn later. */
const SHARES_TIME = 100;

export function createEngineView(input: EngineViewInput): EngineView {
  const { standings, health, timeline, now } = input;
  const shares = new Map<RouteKey, { readonly stamp: string; readonly served: readonly ServedShare[] }>();

  /** @param until when to leave it at what is known */
  function served(world: World, route: Route, index: number, until: number): readonly ServedShare[] {
    if (index >= MOST_SHARES) return [];
    const key = routeKey(route);
    const standing = standings.evaluation(key)?.backends.map(({ standing, keep }) => `${standing}@${keep}`);
    const stamp = `${world.table.version} ${standing?.join(" ")}`;
    const known = shares.get(key);
    if (known?.stamp === stamp) return known.served;
    if (now() >= until) return known?.served ?? [];
    const family = (world.table.hot.routeFlags[index]! & ROUTE_OFFERS_A) !== 0 ? 0 : 1;
    const fresh = servedBy(world.table, index, family, input.population);
    if (shares.size > 2 * MOST_SHARES) shares.clear(); // routes that are gone
    shares.set(key, { stamp, served: fresh });
    return fresh;
  }

  return {
    timeline,
    map: input.map,
    health: createHealthFeed({ inventory: () => input.world()?.inventory, standings, health, now }),
    confirm: input.confirm,
    readiness: () => ({ ready: input.world() !== undefined && !input.isStopping(), degraded: input.degraded() }),
    status(withShares = true) {
      const world = input.world();
      const config = { path: input.path, problems: input.problems() };
      const until = now() + SHARES_TIME;
      if (world === undefined)
        return { clusters: [], routes: [], table: { version: 0, age: 0 }, config, overrides: [], degraded: input.degraded() };
      return buildStatus({
        inventory: world.inventory,
        health,
        endpointHealth: (route, backend, address) => standings.endpointHealth(route, backend, address),
        endpointKeys: (route) => standings.endpointKeys(route),
        evaluation: (route) => standings.evaluation(route),
        lastFailover: (route) => standings.lastFailover(route),
        servedBy: (route, index) => (withShares ? served(world, route, index, until) : []),
        table: world.table,
        config,
        degraded: input.degraded(),
        now: now(),
      });
    },
    explain(host, client, family) {
      const world = input.world();
      if (world === undefined) return { ok: false, error: "No table is served yet. Try again in a moment." };
      return explainWorld(world, host, client, family, { health, capabilities: input.capabilities(), now: now() });
    },
  };
}

/** Shared by a running engine and by `explain --config`, where every health is Unknown. */
export function explainWorld(
  world: Pick<World, "inventory" | "table" | "latency">,
  host: string,
  client: string,
  family: "A" | "AAAA",
  facts: { readonly health: (key: EndpointKey) => EndpointHealth; readonly capabilities: Capabilities | undefined; readonly now: number },
): ReturnType<EngineView["explain"]> {
  const name = host.toLowerCase().replace(/\.$/, "");
  const route = findRoute(indexHosts(world.table), name);
  if (route === undefined) return { ok: false, error: unknownHost(name, world.inventory) };
  const prefix = parsePrefix(client);
  if (prefix === undefined)
    return { ok: false, error: `${client} is no address. Write one like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48.` };
  const { capabilities } = facts;
  const missingFields = (["subdivision", "asn"] as const).filter((field) => capabilities !== undefined && !capabilities[field]);
  const explanation = explain(
    {
      inventory: world.inventory,
      table: world.table,
      measures: measuresOf(world.inventory.clusters, world.latency),
      fact(spec, _backend, address) {
        const { health, reason } = facts.health(keyOf(spec, address));
        return { health, why: health === "Healthy" ? "" : reason === "not-probed" ? "not probed yet" : reason };
      },
      missingFields,
      now: facts.now,
    },
    route,
    name,
    maskNetwork(prefix, prefix.length),
    family === "A" ? 0 : 1,
  );
  return { ok: true, explanation };
}
