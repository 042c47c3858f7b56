/** `status` of a `MemberCluster`. */
import { z } from "zod";
import { common, conditions, count, healthWord, instant, note } from "./parts.ts";

export const memberClusterStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound.",
      Connected:
        "its API server is read; True with reason NotNeeded without access. It names permissions that are missing, and says nothing of the replicas.",
      Healthy: "at least one of its endpoints is.",
      Ready:
        "accepted, and its objects have been read once. An API server that cannot be reached later does not change it: that is Connected.",
    }),
    ...common,
    summary: z
      .object({
        location: note(128).optional().describe("Where it is, as in aws eu-west-1."),
        endpoints: note(32).optional().describe("Endpoints that are healthy, of all."),
      })
      .optional()
      .describe("The state at a glance, for kubectl get."),
    uid: note(128)
      .optional()
      .describe(
        "UID of its kube-system namespace: the identity of the cluster behind the credential. A cluster that is found twice is one.",
      ),
    version: note(64).optional().describe("Version of its API server."),
    state: z.enum(["Active", "Draining", "Cordoned"]).optional().describe("The state in force: that of the spec, or of a TrafficOverride."),
    health: healthWord().optional().describe("Healthy while any endpoint is, Unknown while none is known to be down."),
    since: instant().optional().describe("Since when its health has been so."),
    endpoints: z
      .object({
        healthy: count().describe("Those that are healthy."),
        total: count().describe("All that are probed."),
      })
      .optional()
      .describe("The endpoints of all routes in this cluster."),
  })
  .describe("How the cluster is connected and how its endpoints are. The controller writes it.");
