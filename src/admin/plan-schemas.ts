/** Plans of zones as zod schemas: for the OpenAPI document, the commands, and files of plans. */
import { z } from "zod";
import type { SetPolicy } from "../../dns-providers/record-set.ts";
import type { AppliedPlans, PlannedChange, SetContent, ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";

const optionalText = z.exactOptional(z.string());
const strings = z.array(z.string());
const setName = { name: z.string(), type: z.string(), setIdentifier: optionalText };

const policySchema: z.ZodType<SetPolicy> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("Weighted"), weight: z.int() }),
  z.object({ kind: z.literal("Latency"), region: z.string() }),
  z.object({ kind: z.literal("Geo"), continent: optionalText, country: optionalText, subdivision: optionalText }),
  z.object({ kind: z.literal("GeoProximity"), latitude: z.number(), longitude: z.number(), bias: z.number() }),
  z.object({ kind: z.literal("Failover"), role: z.enum(["Primary", "Secondary"]) }),
  z.object({ kind: z.literal("MultiValue") }),
  z.object({ kind: z.literal("Subnets"), subnets: strings }),
]);

const contentSchema: z.ZodType<SetContent> = z.object({
  ttl: z.int().meta({ description: "Seconds" }),
  values: strings.meta({ description: "RDATA in presentation form; none with an alias" }),
  policy: z.exactOptional(policySchema),
  alias: z.exactOptional(z.object({ target: z.string(), zone: optionalText, followsHealth: z.boolean() })),
  healthCheck: z.exactOptional(
    z.object({
      type: z.enum(["HTTP", "HTTPS", "TCP"]),
      address: z.string(),
      port: z.int(),
      host: optionalText,
      path: optionalText,
      body: optionalText,
      interval: z.union([z.literal(10), z.literal(30)]),
      threshold: z.int(),
    }),
  ),
});

const changeSchema: z.ZodType<PlannedChange> = z.object({
  action: z.enum(["Create", "Replace", "Delete"]),
  ...setName,
  resource: optionalText.meta({ description: "The object that it is for: `GlobalRoute/web/shop`" }),
  before: z.exactOptional(contentSchema),
  after: z.exactOptional(contentSchema),
});

export const zonePlanSchema: z.ZodType<ZonePlan> = z.object({
  zone: z.string().meta({ description: "Name of the DNSZone" }),
  domain: z.string(),
  provider: z.string(),
  owner: z.string(),
  policy: z.enum(["Sync", "UpsertOnly", "DryRun"]),
  destroy: z.exactOptional(z.literal(true)).meta({ description: "Everything of ours is to go" }),
  fence: z.nullable(z.object({ epoch: z.int(), write: z.int() })).meta({ description: "Last write as the zone's fence record tells it" }),
  changes: z.array(changeSchema).meta({ description: "In the order in which they are made" }),
  conflicts: z
    .array(
      z.object({
        name: z.string(),
        type: z.string(),
        reason: z.enum(["Foreign", "OwnedByAnother", "CnameThere", "NotAlone", "Reserved"]),
        owner: optionalText,
        resource: optionalText,
      }),
    )
    .meta({ description: "Wanted, and not published, as what is there is not ours" }),
  held: z.array(z.object(setName)).meta({ description: "Removals among the changes that wait for `confirm` or `apply`" }),
  kept: z.array(z.object(setName)).meta({ description: "Ours, wanted no more, and not removed by policy" }),
  waiting: z.exactOptional(
    z
      .array(z.object({ child: z.string(), why: z.string() }))
      .meta({ description: "Zones whose delegation is not as it is wanted, and what it waits for" }),
  ),
});

export const zonePlansSchema: z.ZodType<ZonePlans> = z.object({
  zones: z.array(zonePlanSchema),
  failures: z
    .array(z.object({ zone: z.string(), provider: z.string(), code: z.string(), message: z.string() }))
    .meta({ description: "Zones that could not be planned" }),
  notes: strings,
});

/** What `apply` is given. */
export const plansToApplySchema: z.ZodType<Pick<ZonePlans, "zones">> = z.object({ zones: z.array(zonePlanSchema) });

export const appliedPlansSchema: z.ZodType<AppliedPlans> = z.object({
  zones: z.array(
    z.object({
      zone: z.string(),
      outcome: z.enum(["Applied", "Stale", "Refused", "Failed"]),
      changes: z.int().meta({ description: "Changes that were made" }),
      message: z.string().meta({ description: "Why it was not applied, with the remedy; else empty" }),
    }),
  ),
});
