/** What the map's API answers, as zod schemas: part of the OpenAPI document. */
import { z } from "zod";

const share = z.number().meta({ description: "0..1" });
const instant = z.number().meta({ description: "Milliseconds since the epoch" });
const frameId = z.int().meta({ description: "Grows by one with every frame of the process" });

export const mapSchema = z
  .object({
    frame: z.object({ id: frameId, at: instant, version: z.int().meta({ description: "Of the routing table" }) }),
    route: z.nullable(z.string()).meta({ description: "`namespace/name`; null = all routes together, each counting the same" }),
    clusters: z.array(
      z.object({
        name: z.string(),
        state: z.enum(["Active", "Draining", "Cordoned"]),
        health: z.enum(["Healthy", "Unhealthy", "Unknown"]),
        location: z.object({ label: z.string(), latitude: z.number(), longitude: z.number() }),
        population: share.meta({ description: "Share of the world's population that is served here, 0..1" }),
        answersPerSecond: z
          .nullable(z.number())
          .meta({ description: "Answers of this server that named the cluster, mean of the last seconds; null for a frame of the past" }),
      }),
    ),
    regions: z
      .array(
        z.object({
          country: z.string().meta({ description: "ISO 3166-1 alpha-2" }),
          name: z.string().meta({ description: "In English" }),
          latitude: z.number().meta({ description: "Of its people on average" }),
          longitude: z.number(),
          population: z.int().meta({ description: "People in its cities: a weight, no census" }),
          sample: z.nullable(z.string()).meta({ description: "A network of the country, to ask `/v1/explain` with" }),
          served: z
            .array(z.object({ cluster: z.string(), share }))
            .meta({ description: "Largest share first; empty where nobody answers" }),
        }),
      )
      .meta({ description: "Countries that the loaded geo data can tell apart, and those of which it knows nothing" }),
  })
  .meta({ description: "Who is served where at one moment" });

export const loadSchema = z
  .object({ clusters: z.array(z.object({ name: z.string(), answersPerSecond: z.number() })) })
  .meta({ description: "Answers of this server by the cluster that they named first, mean of the last seconds" });

export const mapFramesSchema = z.object({
  frames: z.array(z.object({ id: frameId, at: instant, version: z.int() })).meta({ description: "Oldest first; one for each change" }),
});

export const ifDrainedSchema = z
  .object({
    cluster: z.string(),
    routes: z.int().meta({ description: "Routes with a backend there" }),
    stuckRoutes: z
      .int()
      .meta({ description: "Of these: routes of which some clients stay, because nothing else may serve them (fail-open)" }),
    moves: z
      .array(z.object({ to: z.string(), population: share }))
      .meta({ description: "Where clients would go, over all routes, largest first" }),
  })
  .meta({ description: "What would move if the cluster were drained now" });

export type WorldMap = z.infer<typeof mapSchema>;
