/** The vocabulary of health, shared by the prober, the router and everything that reports. */

import type { HealthPolicy, Probe } from "./inventory.ts";
import type { Milliseconds } from "./units.ts";

export type Health = "Healthy" | "Unhealthy" | "Unknown";

/**
 * Why a probe ended as it did: a class, never bytes of a response.
 * `timeout`, `unreachable`, `resolution` and `descriptors` could be the vantage's own network ({@link isInferred}); the rest prove
 * that something answered at the endpoint. `not-ready` comes from no probe: the member cluster itself has no ready endpoint behind it.
 * `requests-failed` was a probe that succeeded while most requests of users failed: it is inferred, because the requests may be at fault.
 */
export type ProbeReason =
  | "ok"
  | "timeout"
  | "unreachable"
  | "resolution"
  | "descriptors"
  | "refused"
  | "reset"
  | "tls"
  | "status"
  | "body"
  | "protocol"
  | "not-serving"
  | "not-ready"
  | "forbidden-address"
  | "requests-failed";

const inferred: ReadonlySet<ProbeReason> = new Set(["timeout", "unreachable", "resolution", "descriptors", "requests-failed"]);

/** True when something else than the endpoint could have caused this failure, the vantage's own network first of all, so that it alone proves nothing. */
export const isInferred = (reason: ProbeReason): boolean => inferred.has(reason);

/** One address of one cluster probed in one way. Routes that ask for the same probe of the same address share it. */
export interface Endpoint {
  readonly key: EndpointKey;
  readonly cluster: string;
  readonly address: string;
  readonly probe: Probe;
  readonly policy: Pick<HealthPolicy, "interval" | "timeout" | "rise" | "fall" | "quorum">;
}

/** Identity of an {@link Endpoint}; equal for equal address, probe and policy. See `endpointKey`. */
export type EndpointKey = string;

export interface ProbeResult {
  readonly ok: boolean;
  readonly reason: ProbeReason;
  /** From first connect to verdict. */
  readonly latency: Milliseconds;
  /** One network round trip (connect time of a fresh connection), if this probe measured one. */
  readonly roundTrip?: Milliseconds;
  /** Share of capacity in use, 1 = full, if the endpoint said so (ORCA `application_utilization`). */
  readonly load?: number;
}

/** One probe's outcome at one vantage. */
export interface Observation extends ProbeResult {
  readonly endpoint: EndpointKey;
  readonly vantage: string;
  /** When the probe ended, by the observer's clock (ms since the epoch). */
  readonly at: number;
}

/** What all vantages together hold of one endpoint. */
export interface EndpointHealth {
  readonly health: Health;
  /** Since when, ms since the epoch. */
  readonly since: number;
  /** The newest reason that counted. */
  readonly reason: ProbeReason | "not-probed";
  /** True when an Unhealthy verdict rests on proof, not on silence ({@link isInferred}). */
  readonly proven: boolean;
  /** How many sites voted for the present verdict. */
  readonly votes: number;
  /** When the first probe of the run that led to the present verdict ended, ms since the epoch. */
  readonly firstSign: number;
  /** The earliest instant at which the verdict can change, ms since the epoch. */
  readonly nextChange: number;
  readonly latency?: Milliseconds;
  readonly load?: number;
}

/** What is held of an endpoint that nobody has looked at. */
export const NOT_PROBED: EndpointHealth = {
  health: "Unknown",
  since: 0,
  reason: "not-probed",
  proven: false,
  votes: 0,
  firstSign: 0,
  nextChange: 0,
};

/** Identity of an endpoint: equal address, probe and policy give equal keys. */
export const endpointKey = (address: string, probe: Probe, policy: Endpoint["policy"]): EndpointKey => address + probeKey(probe, policy);

/** What {@link endpointKey} puts behind the address. */
export function probeKey(probe: Probe, policy: Endpoint["policy"]): string {
  const quorum = policy.quorum.type === "Count" ? `count:${policy.quorum.count}` : "majority";
  const expect = `${probe.expect.status.map((range) => `${range.from}-${range.to}`).join(",")}~${probe.expect.body ?? ""}`;
  const how = `${probe.type}|${probe.scheme}|${probe.host}|${probe.path}|${probe.service}|${probe.verify}|${expect}`;
  return `|${probe.port}|${how}|${policy.interval}|${policy.timeout}|${policy.rise}/${policy.fall}|${quorum}`;
}
