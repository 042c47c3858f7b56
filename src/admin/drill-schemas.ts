/** Reports of drills as zod schemas: for the OpenAPI document, the commands, and the files that outlive the server. */
import { z } from "zod";
import { DRILL_OUTCOMES, type DrillMove, type DrillReport, type DrillSight } from "../observe/drill-report.ts";

const instant = z.string().meta({ description: "ISO 8601 instant" });
const optionalInstant = z.exactOptional(instant);
const optionalText = z.exactOptional(z.string());
const strings = z.array(z.string());

const sightSchema: z.ZodType<DrillSight> = z.object({
  via: z.string().meta({ description: "A domain where it was published; `self`, `zone DOMAIN` or `resolver ADDRESS` where it was seen" }),
  seconds: z.number().meta({ description: "Since the written table, or since it was published there" }),
  totalSeconds: z.number().meta({ description: "Since the act" }),
});

const moveSchema: z.ZodType<DrillMove> = z.object({
  from: z.string().meta({ description: "Cluster" }),
  to: z.string(),
  at: instant,
  decideSeconds: z.exactOptional(z.number()),
  published: z.array(sightSchema).meta({ description: "Zones kept elsewhere that were written with it" }),
  seen: z.array(sightSchema).meta({ description: "Who was seen to answer so" }),
  unseen: strings.meta({ description: "Who was looked at, and not seen to" }),
});

export const drillReportSchema: z.ZodType<DrillReport> = z.object({
  name: z.string().meta({ description: "`namespace/name` of the TrafficOverride" }),
  target: z.string().meta({ description: "`MemberCluster NAME` or `GlobalRoute NAMESPACE/NAME[/BACKEND]`" }),
  reason: z.string(),
  outcome: z.enum(DRILL_OUTCOMES),
  settled: z.boolean().meta({ description: "Nothing more is expected of it" }),
  began: instant,
  until: instant.meta({ description: "ISO 8601 instant at which it was to end" }),
  ended: optionalInstant,
  interrupted: optionalInstant.meta({ description: "When the server came back that was away meanwhile" }),
  abort: z.exactOptional(z.object({ reason: z.string(), at: instant, route: optionalText, cluster: optionalText })),
  routes: z.array(
    z.object({
      route: z.string().meta({ description: "`namespace/name`" }),
      out: z.boolean().meta({ description: "A backend was taken out of service; without `withdrawn` nobody was answered with it" }),
      withdrawn: z.exactOptional(moveSchema),
      restored: z.exactOptional(moveSchema),
      held: z.exactOptional(strings.meta({ description: "Why a backend was left alone" })),
    }),
  ),
  routesLeftOut: z.int().meta({ description: "Routes that are not listed; `legs` are of all" }),
  legs: z.array(
    z.object({
      phase: z.enum(["withdraw", "restore"]),
      leg: z.enum(["decide", "publish", "propagate", "total"]),
      via: z.string().meta({ description: "Empty for `decide`" }),
      routes: z.int().meta({ description: "How many routes it was measured at" }),
      median: z.number().meta({ description: "Seconds" }),
      worst: z.number().meta({ description: "Seconds" }),
    }),
  ),
});

export const drillListSchema = z.object({ drills: z.array(drillReportSchema).meta({ description: "Newest first" }) });
