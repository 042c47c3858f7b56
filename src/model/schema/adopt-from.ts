/** `adoptFrom` of providers of a `DNSZone`. */
import { z } from "zod";
import { setOf } from "./parts.ts";

export const adoptFrom = setOf(z.string().min(1).max(253), 16)
  .optional()
  .meta({ whenAbsent: "records of others stay theirs" })
  .describe("Owner ids of ExternalDNS whose records become ours: --txt-owner-id of what wrote the zone before.");
