/**
 * The answers of the HTTP API as zod schemas: the one source of the OpenAPI document, and what clients decode answers with. Each is
 * declared as the type that the engine gives, so that the compiler reports a schema that says something else.
 */
import { z } from "zod";
import type { ClusterStatus, FleetStatus, Readiness, RouteStatus, Status } from "../engine/view.ts";
import type { Problem } from "../model/problem.ts";
import { EVENT_KINDS, type TimelineEvent } from "../observe/timeline.ts";
import type { Explanation } from "../routing/explanation.ts";
import { drillListSchema, drillReportSchema } from "./drill-schemas.ts";
import { ifDrainedSchema, loadSchema, mapFramesSchema, mapSchema } from "./map-schemas.ts";
import { appliedPlansSchema, plansToApplySchema, zonePlanSchema, zonePlansSchema } from "./plan-schemas.ts";

const health = z.enum(["Healthy", "Unhealthy", "Unknown"]);
const instant = z.string().meta({ description: "ISO 8601 instant" });
const strings = z.array(z.string());

export const problemSchema: z.ZodType<Problem> = z
  .object({
    severity: z.enum(["error", "warning"]),
    code: z.string(),
    file: z.string(),
    line: z.int().meta({ description: "1-based; 0 when the whole file is meant" }),
    column: z.int(),
    path: z.string().meta({ description: "The object and its field; empty for problems of a whole file" }),
    message: z.string(),
    remedy: z.string(),
  })
  .meta({ description: "Something wrong in what the user wrote" });

export const clusterSchema: z.ZodType<ClusterStatus> = z.object({
  name: z.string(),
  state: z.enum(["Active", "Draining", "Cordoned"]),
  health,
  location: z.object({ label: z.string(), latitude: z.number(), longitude: z.number(), country: z.exactOptional(z.string()) }),
  addresses: strings,
  endpoints: z.object({ healthy: z.int(), total: z.int() }),
  latencyMs: z.nullable(z.number()).meta({ description: "Median of the newest probes, milliseconds" }),
  since: z.nullable(instant),
  reason: z.string(),
});

export const routeSchema: z.ZodType<RouteStatus> = z.object({
  namespace: z.string(),
  name: z.string(),
  hosts: strings,
  order: z.string(),
  sticky: z.boolean(),
  backends: z.array(
    z.object({
      name: z.string(),
      cluster: z.string(),
      addresses: strings,
      health,
      standing: z.string().meta({ description: "Usable, Pending, Unknown, Unhealthy, Draining or Excluded" }),
      since: z.nullable(instant),
      reason: z.string(),
      weight: z.number(),
      failbackAt: z.nullable(z.string()).meta({ description: "Instant at which a pending failback ends, or `approval`" }),
    }),
  ),
  servedBy: z.array(
    z.object({
      cluster: z.string(),
      population: z.number().meta({ description: "Share of the world's population whose answers name this cluster, 0..1" }),
      countries: strings,
    }),
  ),
  lastFailover: z.nullable(z.object({ from: z.string(), to: z.string(), at: instant, reason: z.string() })),
});

const fleetSchema: z.ZodType<FleetStatus> = z.object({
  name: z.string(),
  type: z.enum(["Envoy", "HAProxy"]),
  proxies: z.object({
    connected: z.int().meta({ description: "Proxies that are connected to this process, or answer it" }),
    current: z.int().meta({ description: "Those of them that have taken all there is" }),
    rejected: z.int().meta({ description: "Those of them that have rejected something" }),
  }),
  members: z.array(
    z.object({
      name: z.string().meta({ description: "Of a HAProxy its name in the fleet, of an Envoy the id of its node" }),
      place: z.string(),
      state: z.enum(["Current", "Pending", "ReloadNeeded", "Rejected", "Unreachable", "Failed"]),
      problem: z.exactOptional(z.string()),
      routes: z.exactOptional(strings),
    }),
  ),
  problems: strings,
});

export const statusSchema: z.ZodType<Status> = z.object({
  clusters: z.array(clusterSchema),
  routes: z.array(routeSchema),
  zones: z.exactOptional(z.array(z.object({ name: z.string(), domain: z.string() }))),
  table: z.object({ version: z.int(), age: z.number().meta({ description: "Seconds since the table was compiled" }) }),
  config: z.object({ path: z.string(), problems: z.array(problemSchema) }),
  overrides: z.array(
    z.object({ name: z.string(), target: z.string(), action: z.string(), reason: z.string(), until: z.exactOptional(instant) }),
  ),
  degraded: strings,
  fleets: z.exactOptional(z.array(fleetSchema)),
});

export const overviewSchema = z
  .object({
    version: z.string().meta({ description: "Of the program" }),
    clusters: z.array(clusterSchema),
    routes: z.array(
      z.object({
        namespace: z.string(),
        name: z.string(),
        hosts: strings,
        order: z.string(),
        backends: z.int(),
        usable: z.int().meta({ description: "Backends in service" }),
        servedBy: z
          .array(z.object({ cluster: z.string(), population: z.number() }))
          .meta({ description: "Shares of the world's population, the six largest first; empty for a route beyond those that are drawn" }),
        serving: z.int().meta({ description: "How many clusters serve somebody" }),
        lastFailover: z.nullable(z.object({ from: z.string(), to: z.string(), at: instant, reason: z.string() })),
      }),
    ),
    table: z.object({ version: z.int(), age: z.number() }),
    config: z.object({
      path: z.string(),
      errors: z.int().meta({ description: "How many errors the objects have" }),
      warnings: z.int(),
      problems: z.array(problemSchema).meta({ description: "The first of them, errors before warnings; `/v1/status` has all" }),
    }),
    overrides: z.array(
      z.object({ name: z.string(), target: z.string(), action: z.string(), reason: z.string(), until: z.exactOptional(instant) }),
    ),
    degraded: strings,
    fleets: z.exactOptional(z.array(fleetSchema)).meta({ description: "ProxyFleets; absent where there are none" }),
    acts: z.object({
      drain: z.boolean().meta({ description: "Whether `/v1/drain` works on this server" }),
      command: z.string().meta({ description: "What drains by command line; CLUSTER stands for its name" }),
    }),
  })
  .meta({ description: "Status in short: what changes often, without what only one route's page needs" });

export type Overview = z.infer<typeof overviewSchema>;

export const drainSchema = z
  .strictObject({
    target: z.string().min(1).max(512).meta({ description: "CLUSTER, NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND" }),
    reason: z.string().trim().min(1).max(256).meta({ description: "Why; shown in status, timeline and logs" }),
    for: z.string().min(1).max(32).meta({ description: "How long, for example 30m or 2h; it ends by itself then" }),
  })
  .meta({ description: "Send no clients there for a while" });
export const drainedSchema = z.object({
  target: z.string(),
  until: instant,
  file: z.string().meta({ description: "On the server; deleting it undoes the drain" }),
});
export const undrainSchema = z.strictObject({ target: z.string().min(1).max(512) }).meta({ description: "Undo a drain" });
export const undrainedSchema = z.object({
  target: z.string(),
  removed: z.boolean().meta({ description: "False when it was not drained by `/v1/drain` or `globalroute drain`" }),
  drainedBy: strings.meta({ description: "Drains of the target that remain: `TrafficOverride namespace/name`" }),
});

const optionalText = z.exactOptional(z.string());
const optionalNumber = z.exactOptional(z.number());
const optionalTexts = z.exactOptional(strings);

export const explanationSchema: z.ZodType<Explanation> = z.object({
  client: z.string(),
  host: z.string(),
  route: z.string(),
  family: z.enum(["A", "AAAA"]),
  place: z.object({
    known: z.boolean(),
    continent: optionalText,
    country: optionalText,
    subdivisions: optionalTexts,
    asn: optionalNumber,
    latitude: optionalNumber,
    longitude: optionalNumber,
    subnets: optionalTexts,
  }),
  rules: z.array(z.object({ name: z.string(), mode: z.enum(["Require", "Prefer"]), why: z.string() })),
  rule: z.nullable(z.string()),
  tier: z.nullable(z.int()).meta({ description: "1-based tier that serves" }),
  mode: z.string(),
  slot: optionalNumber,
  shares: z.exactOptional(z.record(z.string(), z.number())),
  scopePrefixLength: z.int(),
  ttl: z.int().meta({ description: "Seconds" }),
  clusters: strings,
  addresses: strings,
  candidates: z.array(
    z.object({
      cluster: z.string(),
      backend: z.string(),
      address: z.string(),
      health: z.enum(["Healthy", "Unhealthy", "Unknown", "Draining", "Cordoned"]),
      distanceKm: z.nullable(z.number()),
      latencyMs: z.nullable(z.number()),
      latencySource: z.nullable(z.enum(["measured", "model"])),
      weight: z.number(),
      tier: z.nullable(z.int()),
      taken: z.boolean(),
      reason: z.string(),
    }),
  ),
  notes: strings,
});

export const eventSchema: z.ZodType<TimelineEvent> = z.object({
  id: z.int().meta({ description: "Grows by one within one process" }),
  at: z.number().meta({ description: "Milliseconds since the epoch" }),
  kind: z.enum(EVENT_KINDS),
  object: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

export const readinessSchema: z.ZodType<Readiness> = z.object({ ready: z.boolean(), degraded: strings });
export const routeListSchema = z.object({ routes: z.array(routeSchema) });
export const clusterListSchema = z.object({ clusters: z.array(clusterSchema) });
export const timelineSchema = z.object({
  events: z.array(eventSchema).meta({ description: "Oldest first" }),
  newest: z.int().meta({ description: "Id of the newest event there is; 0 when there is none" }),
});
export const confirmSchema = z.object({ accepted: strings.meta({ description: "What was accepted; empty when nothing was held" }) });
export const aliveSchema = z.object({ status: z.literal("ok") });
export const errorSchema = z.object({
  error: z.object({ code: z.string().meta({ description: "Stable; listed in docs/api.md" }), message: z.string(), remedy: z.string() }),
});

/** The named schemas of the OpenAPI document. */
export const apiSchemas = {
  Plans: zonePlansSchema,
  Plan: zonePlanSchema,
  PlansToApply: plansToApplySchema,
  AppliedPlans: appliedPlansSchema,
  Status: statusSchema,
  Overview: overviewSchema,
  WorldMap: mapSchema,
  Load: loadSchema,
  MapFrames: mapFramesSchema,
  IfDrained: ifDrainedSchema,
  Drain: drainSchema,
  Drained: drainedSchema,
  Undrain: undrainSchema,
  Undrained: undrainedSchema,
  DrillReport: drillReportSchema,
  DrillList: drillListSchema,
  Cluster: clusterSchema,
  Route: routeSchema,
  Explanation: explanationSchema,
  Event: eventSchema,
  Problem: problemSchema,
  Readiness: readinessSchema,
  Alive: aliveSchema,
  ClusterList: clusterListSchema,
  RouteList: routeListSchema,
  Timeline: timelineSchema,
  Confirmed: confirmSchema,
  Error: errorSchema,
} as const;

/** @returns the named schemas as JSON Schema 2020-12, each with its name as `$id`; references between them are `Name#` */
export function apiJsonSchemas(): readonly Record<string, unknown>[] {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(apiSchemas)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input",
    uri: (id) => `${id}#`,
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum; // zod bounds every integer; to a reader it is noise
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return Object.entries(schemas).map(([id, { $schema: _, ...schema }]) => ({ ...schema, $id: id }));
}
