/** `MemberCluster`: a Kubernetes cluster, or any other site, that serves routes. */
import { z } from "zod";
import { location } from "./location.ts";
import { address, celRules, formed, host, integer, objectName, plainIp, setOf } from "./parts.ts";

/** The kinds of objects that a backend's `sourceRef` may name. */
export const referenceKinds = ["Ingress", "Gateway", "Service", "HTTPRoute", "GRPCRoute", "TLSRoute"] as const;
/** The kinds of objects that are read in a member cluster. */
export const watchedKinds = [...referenceKinds, "EndpointSlice"] as const;

const access = z
  .strictObject({
    secretRef: z
      .strictObject({
        name: objectName().describe("Name of the Secret, in the controller's own namespace."),
        key: formed(253, "^[-._A-Za-z0-9]+$", "a key of a Secret", "Use letters, digits, -, _ and . only, as in kubeconfig.")
          .prefault("kubeconfig")
          .describe("Key of the Secret under which the kubeconfig lies."),
      })
      .describe("The Secret with a kubeconfig for the cluster; globalroute join makes it."),
    sources: setOf(z.enum(watchedKinds), watchedKinds.length)
      .optional()
      .meta({ whenAbsent: "all of them" })
      .describe(
        "Kinds of objects that are read there; each needs permission to get, list and watch it. EndpointSlice tells how many replicas of a Service are ready.",
      ),
  })
  .optional()
  .meta({ whenAbsent: "nothing is read there: backends list their addresses" })
  .describe("How the cluster's API server is reached, to find sources there.");

const addressing = z
  .strictObject({
    type: z
      .enum(["Status", "Static", "HostName"])
      .default("Status")
      .describe(
        "Status: what each source publishes in its status. Static: the addresses listed here, for every source that has published any. HostName: this host name, likewise.",
      ),
    addresses: setOf(address(), 64).optional().describe("With type Static: what clients connect to."),
    hostName: host().optional().describe("With type HostName: what clients connect to; it is resolved for them."),
    nat: z
      .array(
        z.strictObject({
          from: plainIp().describe("The address that sources publish."),
          to: plainIp().describe("The address that clients connect to in its place."),
        }),
      )
      .min(1)
      .max(256)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["from"] })
      .optional()
      .meta({ whenAbsent: "published addresses are taken as they are" })
      .describe("With type Status: addresses that are translated on the way to the cluster."),
  })
  .meta(
    celRules(
      {
        rule: "(self.type == 'Static') == has(self.addresses)",
        message: "addresses is required with type Static and goes with no other: set type: Static, or remove addresses",
      },
      {
        rule: "(self.type == 'HostName') == has(self.hostName)",
        message: "hostName is required with type HostName and goes with no other: set type: HostName, or remove hostName",
      },
      { rule: "self.type == 'Status' || !has(self.nat)", message: "nat goes with type Status only: remove it" },
    ),
  )
  .optional()
  .meta({ whenAbsent: "what each source publishes in its status" })
  .describe(
    "Which addresses clients of this cluster's sources are given, where those in the sources' statuses are not reachable from outside.",
  );

export const memberClusterSpec = z
  .strictObject({
    location: location("the cluster"),
    access,
    addressing,
    state: z
      .enum(["Active", "Draining", "Cordoned"])
      .default("Active")
      .describe(
        "What its owner wants: Active serves. Draining gets no clients, except when nothing else allowed is left. Cordoned gets none at all. No command writes this; for work with an end use a TrafficOverride.",
      ),
    weight: integer(0, 1000)
      .default(100)
      .describe("Percent by which the weights of all backends in this cluster are multiplied. 0 makes them standbys."),
  })
  .describe("Where the cluster is and what its owner wants of it.");
