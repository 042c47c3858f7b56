/** `status` of a `TrafficOverride`. */
import { z } from "zod";
import { common, conditions, count } from "./parts.ts";

export const trafficOverrideStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound and may be given here; an override of a MemberCluster belongs into the controller's namespace.",
      Active: "it is in force now: begun, not over, and its target is there.",
      Ready: "accepted, and every replica of the controller has it.",
    }),
    ...common,
    routes: count().optional().describe("GlobalRoutes that it touches."),
  })
  .describe("Whether the act is in force. The controller writes it.");
