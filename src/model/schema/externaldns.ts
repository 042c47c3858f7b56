/** `spec.provider.externalDns` of a `DNSZone`: DNSEndpoints, which ExternalDNS publishes at whatever provider it is started for. */
import { z } from "zod";
import { celRules, duration, entryName } from "./parts.ts";

export const externaldns = z
  .strictObject({
    namespace: entryName()
      .meta(
        celRules({
          rule: "self == oldSelf",
          message: "is immutable: what was written stays where it is, and two namespaces would have it",
        }),
      )
      .describe("Where the DNSEndpoints are made, in the controller's own cluster; it exists, and ExternalDNS reads it. Immutable."),
    interval: duration("1s", "24h")
      .prefault("1m")
      .describe(
        "How often ExternalDNS looks, its --interval. When it has not read what was written for three of them, that is told, as nothing of it is published.",
      ),
  })
  .describe(
    "DNSEndpoints (externaldns.k8s.io/v1alpha1), which ExternalDNS reads with --source=crd and publishes. Works only with a Kubernetes controller.",
  );
