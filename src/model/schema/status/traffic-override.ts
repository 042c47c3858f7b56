/** `status` of a `TrafficOverride`. */
import { z } from "zod";
import { common, conditions, count, instant, note } from "./parts.ts";

/** Characters. */
export const MAX_ABORT_REASON = 512;

export const trafficOverrideStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound and may be given here; an override of a MemberCluster belongs into the controller's namespace.",
      Active: "it is in force now: begun, not over, and its target is there.",
      Ready: "accepted, and every replica of the controller has it.",
    }),
    ...common,
    routes: count().optional().describe("GlobalRoutes that it touches."),
    aborted: z
      .object({
        reason: note(MAX_ABORT_REASON).describe("The second failure."),
        at: instant().describe("When (RFC 3339)."),
      })
      .optional()
      .describe("A Drill that was given up by itself: it is over for good, whatever until says."),
  })
  .describe("Whether the act is in force. The controller writes it.");
