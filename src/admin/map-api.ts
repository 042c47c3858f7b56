/** What the dashboard reads: the map, its past, and the state in short. */
import type { FastifyInstance } from "fastify";
import type { EngineView } from "../engine/view.ts";
import { routeKey } from "../model/inventory.ts";
import type { ActDesk } from "./act-desk.ts";
import { ApiError } from "./api-error.ts";
import type { Overview } from "./api-schemas.ts";
import { operation, parameters, ref, errors as refusals, text, WHOLE_NUMBER } from "./operation.ts";
import { type Region, worldMap } from "./world-map.ts";

/** One mistake in a template can be thousands. */
const MOST_PROBLEMS = 50;

/** Of a route: the smaller ones are on its map. */
const MOST_SHARES = 6;

export interface MapApiContext {
  readonly view: EngineView;
  readonly acts: Pick<ActDesk, "canDrain" | "command">;
  readonly regions: readonly Region[];
  /** Cluster → answers per second. */
  readonly load: () => ReadonlyMap<string, number>;
  readonly version: string;
}

export function registerMapReads(app: FastifyInstance, context: MapApiContext): void {
  const { view, regions, load } = context;
  app.get(
    "/v1/overview",
    operation("state", "Status in short, for pages that follow it", { 200: ref("Overview") }),
    (): Overview => overview(context),
  );
  app.get<{ Querystring: { route?: string; frame?: number } }>(
    "/v1/map",
    operation(
      "state",
      "Who is served where, country by country: now, or at a moment that is kept",
      { 200: ref("WorldMap"), ...refusals(400, 404, 503) },
      { querystring: MAP_QUERY },
    ),
    ({ query: { route, frame: id } }) => {
      const frame = view.map.frame(route, id);
      if (frame === undefined) throw noFrame(view, route, id);
      return worldMap({ frame, route: route ?? null, regions, sample: view.map.sample, load: id === undefined ? load() : undefined });
    },
  );
  app.get("/v1/map/load", operation("state", "Load of the clusters, as far as this server answers for them", { 200: ref("Load") }), () => ({
    clusters: [...load()].map(([name, rate]) => ({ name, answersPerSecond: Math.round(rate * 10) / 10 })),
  }));
  app.get("/v1/map/frames", operation("state", "Moments of which the map is kept", { 200: ref("MapFrames") }), () => ({
    frames: view.map.frames(),
  }));
  app.get<{ Querystring: { cluster: string } }>(
    "/v1/map/if-drained",
    operation(
      "state",
      "Where clients would go if a cluster were drained now",
      { 200: ref("IfDrained"), ...refusals(400, 404) },
      { querystring: parameters({ cluster: text(253) }, ["cluster"]) },
    ),
    async ({ query: { cluster } }) => {
      const drained = await view.map.ifDrained(cluster);
      if (drained === undefined) throw new ApiError("no-cluster", `There is no MemberCluster ${cluster}.`);
      return { cluster, ...drained };
    },
  );
}

function overview({ view, acts, version }: MapApiContext): Overview {
  const { clusters, routes, table, config, overrides, degraded, fleets = [] } = view.status(false);
  const errors = config.problems.filter(({ severity }) => severity === "error");
  return {
    version,
    clusters: [...clusters],
    routes: routes.map((route) => {
      const shares = view.map.shares(routeKey(route));
      return {
        namespace: route.namespace,
        name: route.name,
        hosts: [...route.hosts],
        order: route.order,
        backends: route.backends.length,
        usable: route.backends.filter(({ standing }) => standing === "Usable").length,
        servedBy: shares
          .slice(0, MOST_SHARES)
          .map(({ cluster, population }) => ({ cluster, population: Math.round(population * 1000) / 1000 })),
        serving: shares.length,
        lastFailover: route.lastFailover,
      };
    }),
    table,
    config: {
      path: config.path,
      errors: errors.length,
      warnings: config.problems.length - errors.length,
      problems: [...errors, ...config.problems.filter(({ severity }) => severity !== "error")].slice(0, MOST_PROBLEMS),
    },
    overrides: [...overrides],
    degraded: [...degraded],
    ...(fleets.length === 0 ? {} : { fleets: [...fleets] }),
    acts: { drain: acts.canDrain, command: acts.command },
  };
}

function noFrame(view: EngineView, route: string | undefined, id: number | undefined): ApiError {
  const frames = view.map.frames();
  if (frames.length === 0) return new ApiError("not-ready", "The map has not been drawn yet.");
  if (id !== undefined && !frames.some((frame) => frame.id === id))
    return new ApiError("no-frame", `Frame ${id} is not kept; there are ${frames[0]?.id} to ${frames.at(-1)?.id}.`);
  return new ApiError("no-route", `There is no GlobalRoute ${route}${id === undefined ? "" : ` in frame ${id}`}.`);
}

const MAP_QUERY = parameters({
  route: { ...text(317), description: "`namespace/name`; all routes together if not given" },
  frame: { ...WHOLE_NUMBER, description: "Of `/v1/map/frames`; now if not given" },
});
