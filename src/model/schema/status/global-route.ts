/** `status` of a `GlobalRoute`. It changes on transitions only: latencies and effective weights live in `explain` and metrics. */
import { z } from "zod";
import { common, conditions, count, healthWord, instant, note, wholeList } from "./parts.ts";

const failback = z
  .object({
    phase: z
      .enum(["Out", "Waiting", "AwaitingApproval", "Returned"])
      .describe(
        "Out: it is not healthy. Waiting: it is healthy again and serves after `until`. AwaitingApproval: it waits for ApproveFailback. Returned: it serves again; a failure soon afterwards doubles its next wait.",
      ),
    level: count(16).describe("How often its waits were doubled, because it failed again soon after a return."),
    since: instant().describe("When the outage began; with Returned: when it came back."),
    healthySince: instant().optional().describe("Since when it has been healthy again."),
    until: instant().optional().describe("When it serves again, if it stays healthy."),
  })
  .optional()
  .describe("Present from its first outage on: how it returns. A new writer goes on from here.");

const backend = z.object({
  name: z.string().min(1).max(63).describe("The backend's name: as in the spec, or as discovery named it."),
  cluster: note(253).describe("The MemberCluster that serves it."),
  source: note(512).optional().describe("Where its addresses come from, such as Ingress web/shop. Empty when the spec lists them."),
  addresses: wholeList(note(253), 64).default([]).describe("What clients can be answered."),
  health: healthWord().describe("The health of its best address."),
  since: instant().optional().describe("Since when its health has been so."),
  reason: note(128)
    .optional()
    .describe(
      "Why its health is so, or why it has no or old addresses: a reason class, such as timeout, refused, SourceMissing or Pending.",
    ),
  failback,
});

export const globalRouteStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound and its hosts are allowed.",
      Programmed: "every replica of the controller serves this generation.",
      Healthy: "backends are usable; False while clients are answered by fail-open or a hold.",
      Ready: "accepted and programmed. An outage does not change it: that is Healthy.",
    }),
    ...common,
    summary: z
      .object({
        hosts: note(300).optional().describe("The first host, and how many there are besides."),
        serving: note(1024).optional().describe("The clusters that clients are sent to, the largest share first."),
        health: note(16).optional().describe("Backends that are healthy, of all."),
      })
      .optional()
      .describe("The state at a glance, for kubectl get."),
    backends: wholeList(backend, 256).optional().describe("The backends, listed and discovered ones."),
    policySource: note(1024)
      .optional()
      .describe(
        "For a generated route: the source whose annotations count, as cluster/namespace/Kind/name. It keeps winning while it is there.",
      ),
    lastFailover: z
      .object({
        from: note(253).describe("The cluster that clients left."),
        to: note(1024).describe("Where they went."),
        at: instant().describe("When."),
        reason: note(256).describe("Why: a reason class."),
      })
      .optional()
      .describe("The newest failover."),
    failbackPending: wholeList(note(63), 256)
      .optional()
      .describe(
        "Backends that have recovered and wait to serve again; those that wait for ApproveFailback are AwaitingApproval in backends.",
      ),
    rollout: z
      .object({
        generation: count().describe("The generation whose rollout this is."),
        step: count(64).describe("How many steps are done."),
        name: note(63).optional().describe("The step that is under way, or the last one."),
        since: instant().describe("Since when phase and step have been so."),
        phase: z
          .enum(["Progressing", "AwaitingApproval", "Completed", "Aborted"])
          .describe(
            "Progressing: a step's pause is running. AwaitingApproval: the next step waits for PromoteStep. Completed: all steps are done. Aborted: the weights are those from before the rollout.",
          ),
        reason: note(256).optional().describe("Why it was aborted."),
        act: note(64)
          .optional()
          .describe("The newest PromoteSteps that have been taken into account: when they were made, and the beginnings of their UIDs."),
      })
      .optional()
      .describe("How far spec.rollout has come."),
  })
  .describe("What became of the route, and how it is. The controller writes it.");
