/** An endpoint to probe, as another instance tells it. Its key is made here, so that no key can stand for another probe than its own. */
import { type Endpoint, endpointKey } from "../../src/model/health.ts";
import type { Probe, Quorum } from "../../src/model/inventory.ts";
import { type Milliseconds, ms } from "../../src/model/units.ts";
import { asBoolean, asCount, asList, asObject, asOneOf, asText, Malformed, optional } from "./decode.ts";

const LONGEST_TEXT = 4096;
const LONGEST_PERIOD = 86_400_000;
const MOST_RUNS = 1000;

/** Throws {@link Malformed}. Whether the address may be probed is the prober's decision, by what this instance was started with. */
export function decodeTarget(value: unknown): Endpoint {
  const target = asObject(value, "target");
  const address = asText(target.address, "target.address", 253);
  const probe = decodeProbe(asObject(target.probe, "target.probe"));
  const policy = decodePolicy(asObject(target.policy, "target.policy"));
  return { key: endpointKey(address, probe, policy), cluster: asText(target.cluster, "target.cluster", 253), address, probe, policy };
}

function decodeProbe(probe: Readonly<Record<string, unknown>>): Probe {
  const expect = asObject(probe.expect, "target.expect");
  const body = optional(expect.body, (text) => asText(text, "target.expect.body", LONGEST_TEXT));
  return {
    type: asOneOf(probe.type, "target.type", ["HTTP", "TCP", "TLS", "GRPC"] as const),
    scheme: asOneOf(probe.scheme, "target.scheme", ["HTTP", "HTTPS"] as const),
    port: asCount(probe.port, "target.port", 65_535),
    path: asAnyText(probe.path, "target.path"),
    host: asAnyText(probe.host, "target.host"),
    service: asAnyText(probe.service, "target.service"),
    expect: {
      status: asList(expect.status, "target.expect.status", 64, (range) => {
        const { from, to } = asObject(range, "target.expect.status");
        return { from: asCount(from, "target.expect.status", 999), to: asCount(to, "target.expect.status", 999) };
      }),
      ...(body === undefined ? {} : { body }),
    },
    verify: asBoolean(probe.verify, "target.verify"),
  };
}

/** Header injection has no way in: what could end a line or a header is refused. */
function asAnyText(value: unknown, place: string): string {
  if (value === "") return "";
  const text = asText(value, place, LONGEST_TEXT);
  if (/[^\x20-\x7e]/.test(text)) throw new Malformed(place);
  return text;
}

function decodePolicy(policy: Readonly<Record<string, unknown>>): Endpoint["policy"] {
  return {
    interval: asPeriod(policy.interval, "target.interval", SHORTEST_INTERVAL),
    timeout: asPeriod(policy.timeout, "target.timeout", 1),
    rise: asRun(policy.rise, "target.rise"),
    fall: asRun(policy.fall, "target.fall"),
    quorum: decodeQuorum(asObject(policy.quorum, "target.quorum")),
  };
}

/** Never so short that a vantage would be made to flood somebody. */
const SHORTEST_INTERVAL = 100;

function asPeriod(value: unknown, place: string, shortest: number): Milliseconds {
  const period = asCount(value, place, LONGEST_PERIOD);
  if (period < shortest) throw new Malformed(place);
  return ms(period);
}

function asRun(value: unknown, place: string): number {
  const run = asCount(value, place, MOST_RUNS);
  if (run === 0) throw new Malformed(place);
  return run;
}

const decodeQuorum = (quorum: Readonly<Record<string, unknown>>): Quorum =>
  asOneOf(quorum.type, "target.quorum", ["Majority", "Count"] as const) === "Majority"
    ? { type: "Majority" }
    : { type: "Count", count: asRun(quorum.count, "target.quorum.count") };
