/** `TrafficOverride`: an operator's act, with its target, its reason and its end. */
import { z } from "zod";
import { type Decoded, decoded, fault } from "../fault.ts";
import { celRules, entryName, objectName, text } from "./parts.ts";

const timePattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$";
const timeForm = new RegExp(timePattern);
const remedy = "Write an RFC 3339 time with its zone, as in 2026-11-21T18:00:00Z.";

/** Milliseconds since the epoch. */
function parseTime(value: string): Decoded<number> {
  if (!timeForm.test(value)) return fault("field-format", "is not a time", remedy);
  const time = Date.parse(value);
  const day = Number(value.slice(8, 10));
  // Date.parse lets 30 February roll over into March.
  const existing = !Number.isNaN(time) && new Date(`${value.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
  return existing ? decoded(time) : fault("field-format", "is not a day and time that exists", remedy);
}

// Without a form: with this format a rule sees no text, and the API server's own message is good.
const time = () => text(35, timePattern, parseTime).meta({ format: "date-time" });

export const trafficOverrideSpec = z
  .strictObject({
    targetRef: z
      .strictObject({
        kind: z
          .enum(["MemberCluster", "GlobalRoute"])
          .describe("Kind of the target. A GlobalRoute is one of this override's own namespace."),
        name: objectName().describe("Name of the target."),
        backend: entryName()
          .optional()
          .meta({ whenAbsent: "all of the route" })
          .describe("With kind GlobalRoute: only this backend of it."),
      })
      .meta(
        celRules({
          rule: "self.kind == 'GlobalRoute' || !has(self.backend)",
          message: "backend goes with kind GlobalRoute only: remove it",
        }),
      )
      .describe("What is overridden."),
    action: z
      .enum(["Drain", "Cordon", "Freeze", "ForceUp", "Drill", "ApproveFailback", "ConfirmWithdrawal", "PromoteStep", "AbortRollout"])
      .describe(
        "Drain: send no clients there, except when nothing else allowed is left. Cordon: send none at all. Freeze: keep the present decisions, whatever probes say. ForceUp: treat as healthy, whatever probes say. Drill: rehearse its loss: send no clients there while everything else is in service, measure how fast they move, and give up by itself at a second failure. ApproveFailback: let a recovered backend serve again. ConfirmWithdrawal: let more backends be withdrawn than failover.maxWithdrawalPercent allows. PromoteStep: let the rollout go on from the step that it waits at. AbortRollout: go back to the weights from before the rollout.",
      ),
    start: time().optional().meta({ whenAbsent: "at once; Drill needs it" }).describe("When it begins (RFC 3339)."),
    until: time()
      .optional()
      .meta({ whenAbsent: "without end; Drain, Cordon, Freeze, ForceUp and Drill need it" })
      .describe("When it ends by itself (RFC 3339)."),
    reason: z.string().min(1).max(256).describe("Why, for the people who find it later. Appears in status, timeline and logs."),
  })
  .meta(
    celRules(
      {
        rule: "!(self.action in ['Drain', 'Cordon', 'Freeze', 'ForceUp', 'Drill']) || has(self.until)",
        message:
          "until is required with Drain, Cordon, Freeze, ForceUp and Drill, so that nothing is forgotten: set it to when the work is done, as in 2026-11-21T18:00:00Z",
      },
      {
        rule: "self.action != 'Drill' || has(self.start)",
        message: "start is required with Drill, so that all replicas begin together: set it to a time to come, as in 2026-11-21T18:00:00Z",
      },
      {
        rule: "!has(self.start) || !has(self.until) || timestamp(self.start) < timestamp(self.until)",
        message: "until must lie after start: move one of them",
      },
      {
        rule: "!(self.action in ['PromoteStep', 'AbortRollout']) || (self.targetRef.kind == 'GlobalRoute' && !has(self.targetRef.backend))",
        message: "PromoteStep and AbortRollout go with kind GlobalRoute and without backend: they act on the route's rollout",
      },
    ),
  )
  .describe("The act, its target, its reason and its end.");
