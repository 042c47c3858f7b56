/** `rollout` of a `GlobalRoute`: how a backend's weight is raised step by step. Progress lives in status, never in the spec. */
import { z } from "zod";
import { celRules, duration, entryName, integer, namedList } from "./parts.ts";

const step = z
  .strictObject({
    name: entryName().describe("Identifies the step, in status and messages."),
    backend: entryName().describe("The backend of this route whose weight the step sets."),
    weight: integer(0, 10_000).describe("Its weight from this step on, in place of that in backends."),
    pause: duration("0s", "168h")
      .optional()
      .meta({ whenAbsent: "it takes approval" })
      .describe("How long the backend must stay healthy before the next step follows by itself."),
    approval: z.boolean().default(false).describe("Whether the next step waits for a TrafficOverride with action PromoteStep."),
  })
  .meta(
    celRules({
      rule: "has(self.pause) != self.approval",
      message: "takes exactly one of pause and approval: set pause, as in 10m, or write approval: true",
    }),
  );

export const rollout = z
  .strictObject({
    steps: namedList(step, 16, 1).describe(
      "The steps, in order. The weights in backends hold before the first and where no step says otherwise.",
    ),
  })
  .optional()
  .meta({ whenAbsent: "the weights in backends hold at once" })
  .describe(
    "Moves clients to a backend step by step. Falls back to the weights in backends when the backend that a step raised becomes unhealthy, or with action AbortRollout. Begins anew when it is changed.",
  );
