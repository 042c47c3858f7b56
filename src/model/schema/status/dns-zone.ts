/** `status` of a `DNSZone`. */
import { z } from "zod";
import { common, conditions, count, note, wholeList } from "./parts.ts";

export const dnsZoneStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound and no other DNSZone has its domain.",
      Programmed: "every replica of the controller serves this generation.",
      Ready: "accepted and programmed.",
    }),
    ...common,
    routes: count().optional().describe("GlobalRoutes that publish names in it."),
    hosts: count().optional().describe("Names that they publish."),
    serial: count(4_294_967_295).optional().describe("Serial of its SOA record, as the replica that wrote this serves it."),
    conflicts: wholeList(note(512), 32).optional().describe("Names that routes asked for and may not use, each with its route."),
  })
  .describe("How the zone is served. The controller writes it.");
