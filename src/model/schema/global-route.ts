/** `GlobalRoute`: host names, where they are served, and the policy that says who is sent where. */
import { z } from "zod";
import { health } from "./health.ts";
import { http } from "./http.ts";
import { referenceKinds } from "./member-cluster.ts";
import {
  address,
  celRules,
  duration,
  entryName,
  integer,
  namedList,
  objectName,
  percent,
  setOf,
  wholeSeconds,
  wildcardHost,
} from "./parts.ts";
import { rollout } from "./rollout.ts";
import { routing } from "./routing.ts";

const sourceRef = z
  .strictObject({
    kind: z
      .enum(referenceKinds)
      .describe("Kind of the source: Ingress, Gateway, Service of type LoadBalancer, or a route of the Gateway API."),
    name: objectName().describe("Name of the source."),
  })
  .optional()
  .meta({ whenAbsent: "addresses are listed" })
  .describe("An object of the cluster, in the namespace that is called as the route's own, whose published addresses are taken.");

const backend = z
  .strictObject({
    name: entryName().describe("Identifies the backend within the route, in overrides, reports and metrics."),
    cluster: objectName().describe("The MemberCluster that serves it."),
    addresses: setOf(address(), 64)
      .optional()
      .meta({ whenAbsent: "sourceRef tells them" })
      .describe("What clients are answered: IPv4 and IPv6 addresses, or host names, which are resolved for them."),
    sourceRef,
    weight: integer(0, 10_000)
      .default(100)
      .describe(
        "Share of the clients, relative to the weights of backends that are equally good. 0 = warm standby, used when no weighted backend of its priority is usable; all 0 = equal shares. Multiplied by the cluster's weight.",
      ),
    priority: integer(0, 1000)
      .default(0)
      .describe("Lower first. Backends of a higher number serve only when none of a lower number is usable."),
    bias: integer(-99, 99)
      .default(0)
      .describe(
        "Draws clients (above 0) or pushes them away (below 0): distance or latency d counts as d·(1−bias/100) above 0 and d/(1+bias/100) below.",
      ),
    capacity: integer(1, 1_000_000_000)
      .optional()
      .meta({ whenAbsent: "not known" })
      .describe(
        "Requests per second of this route that it can serve. `globalroute simulate` compares loads with it. With routing.shed an instance that passes requests on compares their rate with it; else answers do not depend on it.",
      ),
  })
  .meta(
    celRules({
      rule: "has(self.addresses) != has(self.sourceRef)",
      message: "takes exactly one of addresses and sourceRef: remove one, or add the one that is missing",
    }),
  );

const failover = z
  .strictObject({
    whenAllUnhealthy: z
      .enum(["FailOpen", "HoldLast"])
      .default("FailOpen")
      .describe(
        "What clients get when no allowed backend is usable: FailOpen = addresses of unknown health, else unhealthy, else draining ones; HoldLast = what was last answered. A cordoned cluster is never given, nor one that a Require rule forbids.",
      ),
    failback: z
      .strictObject({
        mode: z
          .enum(["Automatic", "Approval"])
          .default("Automatic")
          .describe(
            "Automatic: a recovered backend serves again by itself. Approval: it waits for a TrafficOverride with action ApproveFailback.",
          ),
        after: duration("0s", "24h")
          .prefault("5m")
          .describe("How long it must have been healthy without a break. Doubles each time it fails again soon."),
        slowStart: duration("0s", "24h").prefault("0s").describe("Over how long its share then grows from a tenth to the whole."),
      })
      .prefault({})
      .describe("How clients return to a backend that has recovered."),
    tricklePercent: percent(0, 50)
      .default(0)
      .describe(
        "Share of the clients that always goes to the next best clusters, so that the way there stays proven. Never leaves a Require rule.",
      ),
    maxWithdrawalPercent: percent()
      .default(34)
      .describe(
        "At most this share of the backends, and always one, is withdrawn because of failures that the prober's own network could have caused. More needs a second probing site or a TrafficOverride with action ConfirmWithdrawal. Proven failures (refused, TLS, HTTP status) are not bounded.",
      ),
  })
  .prefault({})
  .describe("What happens when backends fail, and when they recover.");

export const globalRouteSpec = z
  .strictObject({
    hosts: setOf(wildcardHost(), 64).describe(
      "Names that this route answers: lower-case, international names as A-labels (xn--…). The first label may be *, and a zone's apex is allowed.",
    ),
    ttl: z
      .strictObject({
        min: wholeSeconds("1s", "24h")
          .optional()
          .meta({ whenAbsent: "5s, or max if that is shorter" })
          .describe("Used while a change is near."),
        max: wholeSeconds("1s", "24h")
          .optional()
          .meta({ whenAbsent: "60s, or min if that is longer" })
          .describe("Used while everything is stable."),
      })
      .meta(
        celRules({
          rule: "!has(self.min) || !has(self.max) || duration(self.min) <= duration(self.max)",
          message: "min must not be longer than max: swap or correct them; equal bounds fix the TTL",
        }),
      )
      .prefault({})
      .describe(
        "How long resolvers may keep an answer: until the earliest change that could alter it, within these bounds. Equal bounds fix it.",
      ),
    answers: integer(1, 32).default(2).describe("Up to how many usable addresses of the chosen cluster an answer holds."),
    spread: integer(1, 16)
      .default(1)
      .describe(
        "How many equally good clusters one answer names. Above 1 clients choose among them, so their shares become about equal whatever the weights.",
      ),
    families: z
      .enum(["Common", "Each"])
      .default("Common")
      .describe(
        "Common: A (or AAAA) is offered only if every backend with a weight has an IPv4 (IPv6) address, so that both families reach the same clusters. Each: a family is offered if any backend has it.",
      ),
    https: z
      .strictObject({
        alpn: setOf(z.enum(["h2", "h3", "http/1.1"]), 3).describe("The protocols that every backend speaks over TLS, best first."),
      })
      .optional()
      .meta({ whenAbsent: "no HTTPS record" })
      .describe(
        "Also answers HTTPS records (RFC 9460), with the protocols and, where this program answers itself, with the same addresses as hints. Browsers that see one use https:// at once, so set it only when every backend serves TLS.",
      ),
    discovery: z
      .enum(["SameNamespace", "None"])
      .optional()
      .meta({ whenAbsent: "None when backends are listed, else SameNamespace" })
      .describe(
        "SameNamespace: annotated sources of a namespace that is called as the route's own join as backends, from any member cluster that the zone's clusterSelector allows. None: only what is listed.",
      ),
    backends: namedList(backend, 128)
      .default([])
      .meta({ whenAbsent: "none" })
      .describe("Where the service runs. May be empty where annotated sources join (see discovery)."),
    routing,
    health,
    failover,
    http,
    rollout,
    publish: z
      .strictObject({
        dns: z
          .array(z.strictObject({ zone: objectName().describe("Name of the DNSZone.") }))
          .min(1)
          .max(16)
          .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["zone"] })
          .optional()
          .meta({ whenAbsent: "every DNSZone whose domain holds a host" })
          .describe("The zones that answer for this route."),
        proxies: namedList(z.strictObject({ name: objectName().describe("Name of the ProxyFleet.") }), 16, 1)
          .optional()
          .meta({ whenAbsent: "every ProxyFleet" })
          .describe("The fleets whose proxies pass requests of this route on."),
      })
      .prefault({})
      .describe("Where the route is published."),
  })
  .meta(
    celRules(
      {
        rule: "(has(self.backends) && self.backends.size() > 0) || !has(self.discovery) || self.discovery != 'None'",
        message: "backends must list at least one with discovery None: add it, or write discovery: SameNamespace",
      },
      {
        rule: "!has(self.rollout) || has(self.backends) && self.rollout.steps.all(step, self.backends.exists(backend, backend.name == step.backend))",
        message: "rollout.steps must name backends of this route: correct backend, or add it to backends",
      },
    ),
  )
  .describe("What the route serves, and how.");
