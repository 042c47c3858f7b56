/** Record sets in the form of Route 53's API (2013-04-01) and back. Pure. */
import type { ResourceRecordSet, RRType } from "@aws-sdk/client-route-53";
import type { HealthCheck, PolicyOf, RecordSet, SetPolicy } from "../record-set.ts";

/** What the API calls things that a set refers to. */
export interface Ids {
  /** @returns undefined when there is no such check */
  readonly ofCheck: (check: HealthCheck) => string | undefined;
  /** The collection that holds the subnets of all sets of a name and type, and their place in it. */
  readonly ofSubnets: (set: RecordSet, by: PolicyOf<"Subnets">) => { readonly collection: string; readonly location: string } | undefined;
}

export interface Things {
  readonly checkOf: (id: string) => HealthCheck | undefined;
  /** @param location `*` is everybody else */
  readonly subnetsOf: (collection: string, location: string) => readonly string[] | undefined;
}

/** The zone of what a set aliases is this one. */
export type ZoneId = string;

/** @throws RangeError when the API has no id for what the set refers to: it has to be made first */
export function toResourceRecordSet(set: RecordSet, zone: ZoneId, ids: Ids): ResourceRecordSet {
  const { name, type, ttl, values, routing, alias, healthCheck } = set;
  const check = healthCheck === undefined ? undefined : (unknownCheckId(healthCheck) ?? ids.ofCheck(healthCheck));
  if (healthCheck !== undefined && check === undefined) throw new RangeError(`no health check for ${name} ${type}`);
  return {
    ...{ Name: `${name}.`, Type: type as RRType },
    ...(alias === undefined
      ? { TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) }
      : { AliasTarget: { HostedZoneId: alias.zone ?? zone, DNSName: `${alias.target}.`, EvaluateTargetHealth: alias.followsHealth } }),
    ...(routing === undefined ? {} : { SetIdentifier: routing.id, ...policyOf(set, routing.by, ids) }),
    ...(check === undefined ? {} : { HealthCheckId: check }),
  };
}

function policyOf(set: RecordSet, by: SetPolicy, ids: Ids): Partial<ResourceRecordSet> {
  switch (by.kind) {
    case "Weighted":
      return { Weight: by.weight };
    case "Latency":
      return { Region: by.region as NonNullable<ResourceRecordSet["Region"]> };
    case "Failover":
      return { Failover: by.role === "Primary" ? "PRIMARY" : "SECONDARY" };
    case "MultiValue":
      return { MultiValueAnswer: true };
    case "GeoProximity":
      return {
        GeoProximityLocation: { Coordinates: { Latitude: degrees(by.latitude), Longitude: degrees(by.longitude) }, Bias: by.bias },
      };
    case "Geo":
      return { GeoLocation: geoLocation(by) };
    case "Subnets": {
      const found = ids.ofSubnets(set, by);
      if (found === undefined) throw new RangeError(`no CIDR collection for ${set.name} ${set.type}`);
      return { CidrRoutingConfig: { CollectionId: found.collection, LocationName: found.location } };
    }
  }
}

const degrees = (value: number): string => value.toFixed(2);

function geoLocation({ continent, country, subdivision }: PolicyOf<"Geo">): NonNullable<ResourceRecordSet["GeoLocation"]> {
  if (subdivision !== undefined) return { CountryCode: subdivision.slice(0, 2), SubdivisionCode: subdivision.slice(3) };
  if (continent !== undefined) return { ContinentCode: continent };
  return { CountryCode: country ?? "*" };
}

/** A set as the API lists it. What is none of ours to make, as a set of a traffic policy, is told well enough to be left alone. */
export function fromResourceRecordSet(listed: ResourceRecordSet, zone: ZoneId, things: Things): RecordSet {
  const { Name = "", Type = "", TTL = 0, ResourceRecords = [], AliasTarget, HealthCheckId, SetIdentifier } = listed;
  const by = SetIdentifier === undefined ? undefined : readPolicy(listed, things);
  return {
    name: readName(Name),
    type: Type,
    ttl: TTL,
    values: ResourceRecords.map(({ Value = "" }) => Value),
    ...(SetIdentifier === undefined || by === undefined ? {} : { routing: { id: SetIdentifier, by } }),
    ...(AliasTarget === undefined
      ? {}
      : {
          alias: {
            target: readName(AliasTarget.DNSName ?? ""),
            ...(AliasTarget.HostedZoneId === zone || AliasTarget.HostedZoneId === undefined ? {} : { zone: AliasTarget.HostedZoneId }),
            followsHealth: AliasTarget.EvaluateTargetHealth ?? false,
          },
        }),
    ...(HealthCheckId === undefined ? {} : { healthCheck: things.checkOf(HealthCheckId) ?? unknownCheck(HealthCheckId) }),
  };
}

function readPolicy(listed: ResourceRecordSet, things: Things): SetPolicy {
  const { Weight, Region, Failover, MultiValueAnswer, GeoLocation, GeoProximityLocation, CidrRoutingConfig } = listed;
  if (Weight !== undefined) return { kind: "Weighted", weight: Weight };
  if (Region !== undefined) return { kind: "Latency", region: Region };
  if (Failover !== undefined) return { kind: "Failover", role: Failover === "PRIMARY" ? "Primary" : "Secondary" };
  if (MultiValueAnswer === true) return { kind: "MultiValue" };
  if (GeoLocation !== undefined) {
    const { ContinentCode, CountryCode, SubdivisionCode } = GeoLocation;
    if (ContinentCode !== undefined) return { kind: "Geo", continent: ContinentCode };
    if (SubdivisionCode !== undefined) return { kind: "Geo", subdivision: `${CountryCode}-${SubdivisionCode}` };
    return CountryCode === undefined || CountryCode === "*" ? { kind: "Geo" } : { kind: "Geo", country: CountryCode };
  }
  if (CidrRoutingConfig !== undefined) {
    const { CollectionId = "", LocationName = "" } = CidrRoutingConfig;
    const subnets = LocationName === "*" ? [] : things.subnetsOf(CollectionId, LocationName);
    return { kind: "Subnets", subnets: subnets ?? [`${CollectionId} ${LocationName}`] };
  }
  const { Coordinates, Bias = 0 } = GeoProximityLocation ?? {};
  return { kind: "GeoProximity", latitude: Number(Coordinates?.Latitude), longitude: Number(Coordinates?.Longitude), bias: Bias };
}

/** Lower case, without the trailing dot; `\052` and other octal escapes as the characters that they stand for. */
export const readName = (name: string): string =>
  name
    .replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\.$/, "")
    .toLowerCase();

/** A check that we know nothing of: it compares with no other, and keeps its id. */
const unknownCheck = (id: string): HealthCheck => ({ type: "TCP", address: `health check ${id}`, port: 0, interval: 30, threshold: 1 });
const unknownCheckId = ({ address }: HealthCheck): string | undefined => /^health check (.+)$/.exec(address)?.[1];
