/** `status` of a `ProxyFleet`. */
import { z } from "zod";
import { common, conditions, count, note, wholeList } from "./parts.ts";

export const proxyFleetStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound.",
      Programmed: "every replica serves this generation, and no proxy that is connected to the one which wrote this has rejected anything.",
      Ready: "accepted and programmed. A proxy that is away does not change it.",
    }),
    ...common,
    summary: z
      .object({ proxies: note(64).optional().describe("Proxies that follow, of all that are connected.") })
      .optional()
      .describe("The state at a glance, for kubectl get."),
    nodes: z
      .object({
        connected: count().describe("Those that are connected to the replica which wrote this, or answer it."),
        following: count().describe("Those of them that take what they are told; the others go on with what they had."),
      })
      .optional()
      .describe("The proxies, counted."),
    members: wholeList(
      z.object({
        name: note(63).describe("Of the spec's members."),
        state: z
          .enum(["Following", "ReloadNeeded", "Unreachable", "Failed"])
          .describe(
            "Following: requests meet what is wanted, or will in a moment. ReloadNeeded: it has to read its configuration again. Unreachable: its admin socket does not answer. Failed: see problem.",
          ),
        problem: note(512).optional().describe("Why, for people."),
      }),
      64,
    )
      .optional()
      .describe("Each HAProxy, as the replica which wrote this finds it."),
    rejections: wholeList(note(700), 8).optional().describe("What Envoys did not take, in their words; the first eight."),
  })
  .describe("How the proxies follow. The controller writes it.");
