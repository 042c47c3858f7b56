/** `routing` of a GlobalRoute: in which order clusters are preferred, and for whom that differs. */
import { z } from "zod";
import { continents } from "../countries.ts";
import { countrySetNames } from "../country-sets.ts";
import {
  celRules,
  countryCode,
  duration,
  entryName,
  formed,
  integer,
  labelSelector,
  namedList,
  objectName,
  percent,
  setOf,
  subnet,
} from "./parts.ts";

const clients = z
  .strictObject({
    continents: setOf(z.enum(continents), 7)
      .optional()
      .describe("Continents by geographic code. EU is the continent, with its countries outside the Union; `sets: [eu]` is the Union."),
    countries: setOf(countryCode().meta({ remedy: "Write a code of two capital letters, such as DE." }), 250)
      .optional()
      .describe("Countries by ISO 3166-1 alpha-2 code."),
    subdivisions: setOf(formed(6, "^[A-Z]{2}-[A-Z0-9]{1,3}$", "a subdivision", "Write an ISO 3166-2 code in capitals, such as US-CA."), 250)
      .optional()
      .describe("States and provinces by ISO 3166-2 code. Needs a geo database that carries them."),
    asns: setOf(integer(1, 4_294_967_295).meta({ remedy: "Write the bare number, as in 64500." }), 250)
      .optional()
      .describe("Networks by autonomous system number. Needs a geo database that carries them."),
    subnets: setOf(subnet(), 256).optional().describe("Networks by prefix. A bare address is a network of one."),
    sets: setOf(z.enum(countrySetNames), 16)
      .optional()
      .describe(
        "Named sets of countries: eu (the Union's member states), eea (with Iceland, Liechtenstein and Norway), eu-gdpr (where the GDPR applies: the EEA).",
      ),
  })
  .meta(
    celRules({
      rule: "has(self.continents) || has(self.countries) || has(self.subdivisions) || has(self.asns) || has(self.subnets) || has(self.sets)",
      message: "must name somebody: add one of its lists; subnets: [0.0.0.0/0, '::/0'] is everybody",
    }),
  )
  .describe("Whom the rule is for: a client matches when any entry of any of these lists does.");

const to = z
  .strictObject({
    // As a pattern: a rule for each name of each rule would cost more than the API server allows.
    clusters: setOf(objectName().meta({ form: undefined }), 128)
      .optional()
      .describe("MemberClusters by name."),
    selector: labelSelector("Labels that a MemberCluster must have, all of them.")
      .optional()
      .describe("MemberClusters by label. Beside `clusters`, both must hold."),
  })
  .meta(celRules({ rule: "has(self.clusters) || has(self.selector)", message: "needs clusters or selector: add one of them" }))
  .describe("The clusters that the rule allows or prefers. At least one of them must have a backend in the route.");

const rule = z
  .strictObject({
    name: entryName().describe("Identifies the rule within the route, in reports and metrics."),
    clients,
    to,
    mode: z
      .enum(["Require", "Prefer"])
      .describe(
        "Require: these clients are never sent anywhere else, whatever fails. All matching Require rules hold together, wherever they stand. Prefer: these clusters first, others when none of these is usable; the first matching Prefer rule counts.",
      ),
    unknownPlace: z
      .enum(["Apply", "Skip"])
      .optional()
      .meta({ whenAbsent: "Skip for Prefer; Require needs it" })
      .describe("What a client whose place is unknown gets: Apply treats it as matching, Skip as not matching."),
  })
  .meta(
    celRules({
      rule: "self.mode != 'Require' || has(self.unknownPlace)",
      message: "unknownPlace is required with Require: Apply keeps clients of unknown place inside the rule, Skip leaves them out",
    }),
  );

export const routing = z
  .strictObject({
    order: z
      .enum(["Nearest", "Latency", "Weighted", "Priority"])
      .default("Nearest")
      .describe(
        "What makes a cluster come first among backends of equal priority: Nearest = distance from the client, Latency = estimated round-trip time, Weighted = nothing (all share by weight), Priority = nothing but `priority` itself.",
      ),
    tolerance: z
      .strictObject({
        distanceKm: integer(1, 20_040).optional().describe("With order Nearest: clusters within so many kilometres of the nearest one."),
        latency: duration("1ms", "10s").optional().describe("With order Latency: clusters within so much of the fastest one."),
      })
      .meta(
        celRules({
          rule: "has(self.distanceKm) != has(self.latency)",
          message: "takes exactly one of distanceKm and latency: keep distanceKm with order Nearest, latency with order Latency",
        }),
      )
      .optional()
      .meta({ whenAbsent: "each cluster by itself, but for order Weighted" })
      .describe("Clusters that are about as good as the best remaining one; they share clients by weight."),
    rules: namedList(rule, 64).default([]).describe("Exceptions for some clients. Without rules every client may get every cluster."),
    sticky: z
      .enum(["None", "ClientSubnet"])
      .default("None")
      .describe(
        "Whether the same clients get the same cluster each time where several share: ClientSubnet decides by the client's /24 (IPv4) or /48 (IPv6), None at random for each query.",
      ),
    shed: z
      .strictObject({
        lowPercent: percent(1).describe("Share of capacity in use at which the first clients are sent elsewhere."),
        highPercent: percent(1).describe("Share of capacity in use at which all of them are. Above lowPercent."),
      })
      .meta(
        celRules({
          rule: "self.lowPercent < self.highPercent",
          message: "lowPercent must be below highPercent: lower it, or raise highPercent",
        }),
      )
      .optional()
      .meta({ whenAbsent: "clusters keep their clients however busy they are" })
      .describe(
        "Send part of a busy cluster's clients to the next one. The load is what endpoints report in ORCA response headers to HTTP probes; where requests pass through this program (serve --proxy) also in those to users, and their rate beside `capacity`.",
      ),
  })
  .meta(
    celRules(
      {
        rule: "!has(self.tolerance) || !has(self.tolerance.distanceKm) || self.order == 'Nearest'",
        message: "tolerance.distanceKm goes with order Nearest only: remove it, or set order: Nearest",
      },
      {
        rule: "!has(self.tolerance) || !has(self.tolerance.latency) || self.order == 'Latency'",
        message: "tolerance.latency goes with order Latency only: remove it, or set order: Latency",
      },
    ),
  )
  .prefault({})
  .describe("Which cluster a client is sent to, health apart.");
