/** Record sets as the endpoints of a DNSEndpoint (externaldns.k8s.io/v1alpha1, `spec.endpoints[]`) and back. Pure. */
import { z } from "zod";
import type { Alias, HealthCheck, RecordSet, SetRouting } from "../record-set.ts";
import { formatPolicy, type Property, readPolicy } from "./properties.ts";

/** One RRset, or one member of several that have a name and type. */
export interface Endpoint {
  readonly dnsName: string;
  readonly recordType: string;
  /** Names in them without the trailing dot: ExternalDNS before 0.22 leaves out what has one. */
  readonly targets: readonly string[];
  /** Seconds. */
  readonly recordTTL?: number;
  readonly setIdentifier?: string;
  readonly providerSpecific?: readonly Property[];
}

/** All that ExternalDNS publishes unless it is told more (`--managed-record-types`), and all that clients of ours are sent. */
export const ENDPOINT_TYPES = ["A", "AAAA", "CNAME"] as const;

const ALIAS = "alias";
const EVALUATE = "aws/evaluate-target-health";
const TARGET_ZONE = "aws/target-hosted-zone";
const CHECK = "aws/health-check-id";

/**
 * @param hasPolicies whether ExternalDNS writes to Route 53, and so can follow routing and aliases
 * @throws RangeError, with what of the set cannot be told
 */
export function toEndpoint(set: RecordSet, hasPolicies: boolean): Endpoint {
  const { name, type, ttl, values, routing, alias, healthCheck } = set;
  if (!ENDPOINT_TYPES.some((known) => known === type)) throw new RangeError(`ExternalDNS is not asked to publish ${type}`);
  if (!hasPolicies && (routing !== undefined || alias !== undefined || healthCheck !== undefined))
    throw new RangeError("not every provider behind ExternalDNS knows routing, aliases and checks");
  const properties = [
    ...(routing === undefined ? [] : formatPolicy(routing.by)),
    ...(alias === undefined ? [] : formatAlias(alias)),
    ...(healthCheck === undefined ? [] : [{ name: CHECK, value: checkId(healthCheck) }]),
  ];
  return {
    ...{ dnsName: name, recordType: type },
    ...(alias === undefined
      ? { targets: [...values].sort().map((value) => (type === "CNAME" ? value.replace(/\.$/, "") : value)), recordTTL: ttl }
      : { targets: [alias.target] }),
    ...(routing === undefined ? {} : { setIdentifier: routing.id }),
    ...(properties.length === 0 ? {} : { providerSpecific: properties }),
  };
}

const formatAlias = ({ zone, followsHealth }: Alias): readonly Property[] => [
  { name: ALIAS, value: "true" },
  { name: EVALUATE, value: String(followsHealth) },
  ...(zone === undefined ? [] : [{ name: TARGET_ZONE, value: zone }]),
];

/**
 * ExternalDNS attaches checks that there are and makes none. A set whose check would be left out would go on being answered when nobody is
 * there any more, so it is not written.
 */
function checkId({ address }: HealthCheck): string {
  const id = /^health check (.+)$/.exec(address)?.[1];
  if (id === undefined) throw new RangeError("ExternalDNS cannot make health checks");
  return id;
}

/** A check that we know nothing of: it compares with no other, and keeps its id. */
const unknownCheck = (id: string): HealthCheck => ({ type: "TCP", address: `health check ${id}`, port: 0, interval: 30, threshold: 1 });

/** The schema of the kind asks for nothing, so anything may be missing. */
const endpointSchema = z.object({
  dnsName: z.string().min(1),
  recordType: z.string().min(1),
  targets: z.array(z.string()).default([]),
  recordTTL: z.number().default(0),
  setIdentifier: z.string().default(""),
  providerSpecific: z.array(z.object({ name: z.string().default(""), value: z.string().default("") })).default([]),
});

/** @param endpoint as anybody wrote it @returns undefined when it has no name or type */
export function fromEndpoint(endpoint: unknown): RecordSet | undefined {
  const read = endpointSchema.safeParse(endpoint);
  if (!read.success) return undefined;
  const { dnsName, recordType: type, targets, recordTTL, setIdentifier, providerSpecific } = read.data;
  const properties = new Map(providerSpecific.map(({ name, value }) => [name, value]));
  const check = properties.get(CHECK);
  const common = {
    ...{ name: readName(dnsName), type },
    ...routingOf(setIdentifier, properties),
    ...(check === undefined ? {} : { healthCheck: unknownCheck(check) }),
  };
  if (type !== "CNAME" && properties.get(ALIAS) === "true" && targets.length === 1) {
    const zone = properties.get(TARGET_ZONE);
    const alias: Alias = {
      target: readName(targets[0]!),
      ...(zone === undefined ? {} : { zone }),
      followsHealth: properties.get(EVALUATE) === "true",
    };
    return { ...common, ttl: 0, values: [], alias };
  }
  return { ...common, ttl: recordTTL, values: targets.map((target) => (type === "CNAME" ? `${readName(target)}.` : target)) };
}

function routingOf(id: string, properties: ReadonlyMap<string, string>): { readonly routing?: SetRouting } {
  const by = id === "" ? undefined : readPolicy(properties);
  return by === undefined ? {} : { routing: { id, by } };
}

const readName = (name: string): string => name.replace(/\.$/, "").toLowerCase();
