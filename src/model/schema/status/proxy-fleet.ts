/** `status` of a `ProxyFleet`. */
import { z } from "zod";
import { common, conditions, count, note, wholeList } from "./parts.ts";

export const proxyFleetStatus = z
  .object({
    conditions: conditions({
      Accepted: "the spec is sound.",
      Programmed: "every proxy that is connected to the replica which wrote this has taken what it is to have.",
      Ready: "accepted and programmed, and at least one proxy is connected.",
    }),
    ...common,
    summary: z
      .object({ proxies: note(64).optional().describe("Proxies that have what they are to have, of all that are connected.") })
      .optional()
      .describe("The state at a glance, for kubectl get."),
    nodes: z
      .object({
        connected: count().describe("Those that are connected to the replica which wrote this, or answer it."),
        current: count().describe("Those of them that have taken all there is."),
        rejected: count().describe("Those of them that have rejected something and go on with what they had."),
      })
      .optional()
      .describe("The proxies, counted."),
    members: wholeList(
      z.object({
        name: note(63).describe("Of the spec's members."),
        state: z
          .enum(["Current", "Pending", "ReloadNeeded", "Unreachable", "Failed"])
          .describe(
            "Current: requests meet what is wanted. Pending: it is being told. ReloadNeeded: it has to read its configuration again. Unreachable: its admin socket does not answer. Failed: see problem.",
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
