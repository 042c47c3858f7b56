/** From a route's `health` to the policy that the prober works by. */
import { formatDuration } from "./duration.ts";
import type { Findings } from "./findings.ts";
import type { HealthPolicy, Probe, Quorum } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { ms } from "./units.ts";

type HealthSpec = ObjectOf<"GlobalRoute">["spec"]["health"];

/** @param hosts the route's; the first that is no wildcard stands in for `probe.host` */
export function toHealthPolicy(health: HealthSpec, hosts: readonly string[], findings: Findings): HealthPolicy {
  const { interval, rise, fall } = health;
  const timeout = health.timeout ?? ms(Math.min(2000, interval));
  if (timeout > interval) {
    const message = `${formatDuration(timeout)} is longer than the interval, ${formatDuration(interval)}`;
    findings.error(["spec", "health", "timeout"], "range-order", message, "Shorten the timeout or lengthen the interval.");
  }
  const readiness = health.useReadiness ? {} : { useReadiness: false };
  const requests = health.useRequests ? {} : { useRequests: false };
  const quorum = toQuorum(health.quorum, findings);
  return { probe: toProbe(health.probe, hosts, findings), interval, timeout, rise, fall, quorum, ...readiness, ...requests };
}

/** Members that a type of probe does not use are set to one value, so that routes that differ only there share their probes. */
function toProbe(probe: HealthSpec["probe"], hosts: readonly string[], findings: Findings): Probe {
  const { type } = probe;
  const http = type === "HTTP";
  const unused = (member: "path" | "expect" | "service" | "scheme" | "insecureSkipVerify", use: string) =>
    findings.error(
      ["spec", "health", "probe", member],
      "field-unused",
      `goes with ${use} only, and the probe's type is ${type}`,
      "Remove it, or change the type.",
    );
  if (!http && probe.path !== undefined) unused("path", "type HTTP");
  if (!http && probe.expect !== undefined) unused("expect", "type HTTP");
  if (type !== "GRPC" && probe.service !== undefined) unused("service", "type GRPC");
  if ((type === "TCP" || type === "TLS") && probe.scheme !== undefined) unused("scheme", "types HTTP and GRPC");

  const scheme = type === "TLS" ? "HTTPS" : type === "TCP" ? "HTTP" : (probe.scheme ?? "HTTP");
  const tls = scheme === "HTTPS";
  if (!tls && probe.insecureSkipVerify) unused("insecureSkipVerify", "TLS (scheme HTTPS or type TLS)");
  const body = probe.expect?.body;
  return {
    type,
    scheme,
    port: probe.port ?? (tls ? 443 : 80),
    path: http ? (probe.path ?? "/") : "",
    host: type === "TCP" ? "" : probeHost(probe.host, hosts, findings),
    service: probe.service ?? "",
    expect: { status: http ? (probe.expect?.status ?? [{ from: 200, to: 399 }]) : [], ...(body === undefined ? {} : { body }) },
    verify: !probe.insecureSkipVerify,
  };
}

function probeHost(given: string | undefined, hosts: readonly string[], findings: Findings): string {
  const host = given ?? hosts.find((candidate) => !candidate.startsWith("*."));
  if (host !== undefined) return host;
  const example = hosts[0]?.replace("*", "health") ?? "";
  const remedy = `Add host with a name that every cluster serves, such as ${example}.`;
  findings.error(["spec", "health", "probe", "host"], "probe-host", "is required, because all hosts of the route are wildcards", remedy);
  return example;
}

function toQuorum({ type, count }: HealthSpec["quorum"], findings: Findings): Quorum {
  if (type === "Majority") {
    if (count !== undefined)
      findings.error(
        ["spec", "health", "quorum", "count"],
        "field-unused",
        "goes with type Count only",
        "Remove it, or write type: Count.",
      );
    return { type };
  }
  if (count === undefined) {
    findings.error(
      ["spec", "health", "quorum", "count"],
      "field-missing",
      "is required with type Count",
      "Add count: how many sites must agree.",
    );
  }
  return { type, count: count ?? 1 };
}
