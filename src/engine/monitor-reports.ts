/** What the monitor finds, as events of the timeline and counts. */
import type { Holds } from "../../health/monitor.ts";
import { count } from "../model/count.ts";
import type { Endpoint, EndpointHealth } from "../model/health.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";

export interface MonitorReports {
  /** An endpoint's health changed, or only what it rests on. */
  health(endpoint: Endpoint, health: EndpointHealth, previous: EndpointHealth): void;
  /** The vantage suspects itself, or ceases to. */
  suspect(holds: Pick<Holds, "suspect" | "clusters">): void;
}

export function createMonitorReports(timeline: Timeline, metrics: Pick<Metrics, "guardHold">): MonitorReports {
  return {
    health({ cluster, address, probe }, health, previous) {
      if (health.health === previous.health) return;
      const kind =
        health.health === "Healthy" ? "EndpointHealthy" : health.health === "Unhealthy" ? "EndpointUnhealthy" : "EndpointUnknown";
      timeline.add({
        kind,
        object: `endpoint ${address}:${probe.port}`,
        message: `${cluster} (${address}:${probe.port}, ${probe.host}) is ${health.health}${health.health === "Healthy" ? "" : `: ${health.reason}`}`,
        details: { cluster, address, reason: health.reason, firstSign: health.firstSign },
      });
    },
    suspect({ suspect, clusters }) {
      if (suspect) metrics.guardHold("self-distrust");
      const named = count(clusters.length, "cluster");
      timeline.add({
        kind: suspect ? "VantageSuspect" : "VantageTrusted",
        object: "vantage",
        message: suspect
          ? `probes of ${named} fall silent at once (${clusters.join(", ")}): this vantage may be the one that is cut off, so their verdicts wait`
          : `probes of ${named} are believed again (${clusters.join(", ")})`,
        details: { clusters: clusters.join(",") },
      });
    },
  };
}
