/** Who is answered with a set, as ExternalDNS is told for Route 53: properties of an endpoint (its docs/tutorials/aws.md). Pure. */
import type { PolicyOf, SetPolicy } from "../record-set.ts";

export interface Property {
  readonly name: string;
  readonly value: string;
}

/** What ExternalDNS can tell Route 53: lists of subnets (CIDR collections) are not among it. */
export const AWS_POLICIES = [
  "Weighted",
  "Latency",
  "Geo",
  "GeoProximity",
  "Failover",
  "MultiValue",
] as const satisfies readonly SetPolicy["kind"][];

const WEIGHT = "aws/weight";
const REGION = "aws/region";
const FAILOVER = "aws/failover";
const MULTI_VALUE = "aws/multi-value-answer";
const CONTINENT = "aws/geolocation-continent-code";
const COUNTRY = "aws/geolocation-country-code";
const SUBDIVISION = "aws/geolocation-subdivision-code";
const COORDINATES = "aws/geoproximity-coordinates";
const BIAS = "aws/geoproximity-bias";

/**
 * Written exactly as ExternalDNS reads them back from Route 53: what differs by a letter is written anew at every one of its rounds.
 *
 * @throws RangeError for a policy that ExternalDNS has no property for
 */
export function formatPolicy(by: SetPolicy): readonly Property[] {
  switch (by.kind) {
    case "Weighted":
      return [{ name: WEIGHT, value: String(by.weight) }];
    case "Latency":
      return [{ name: REGION, value: by.region }];
    case "Failover":
      return [{ name: FAILOVER, value: by.role === "Primary" ? "PRIMARY" : "SECONDARY" }];
    case "MultiValue":
      return [{ name: MULTI_VALUE, value: "" }]; // that it is there is what counts
    case "Geo":
      return formatPlace(by);
    case "GeoProximity":
      return [
        { name: COORDINATES, value: `${by.latitude.toFixed(2)},${by.longitude.toFixed(2)}` },
        { name: BIAS, value: String(by.bias) },
      ];
    case "Subnets":
      throw new RangeError("ExternalDNS cannot tell clients apart by subnets");
  }
}

function formatPlace({ continent, country, subdivision }: PolicyOf<"Geo">): readonly Property[] {
  if (continent !== undefined) return [{ name: CONTINENT, value: continent }];
  if (subdivision === undefined) return [{ name: COUNTRY, value: country ?? "*" }];
  return [
    { name: COUNTRY, value: subdivision.slice(0, 2) },
    { name: SUBDIVISION, value: subdivision.slice(3) },
  ];
}

/** @returns undefined when the properties are of none of the policies that we know */
export function readPolicy(properties: ReadonlyMap<string, string>): SetPolicy | undefined {
  const [weight, region, failover, coordinates] = [WEIGHT, REGION, FAILOVER, COORDINATES].map((name) => properties.get(name));
  if (weight !== undefined) return { kind: "Weighted", weight: Number(weight) };
  if (region !== undefined) return { kind: "Latency", region };
  if (failover !== undefined) return { kind: "Failover", role: failover === "PRIMARY" ? "Primary" : "Secondary" };
  if (properties.has(MULTI_VALUE)) return { kind: "MultiValue" };
  if (coordinates !== undefined) {
    const [latitude = Number.NaN, longitude = Number.NaN] = coordinates.split(",").map(Number);
    return { kind: "GeoProximity", latitude, longitude, bias: Number(properties.get(BIAS) ?? 0) };
  }
  return readPlace(properties);
}

function readPlace(properties: ReadonlyMap<string, string>): PolicyOf<"Geo"> | undefined {
  const [continent, country, subdivision] = [CONTINENT, COUNTRY, SUBDIVISION].map((name) => properties.get(name));
  if (continent !== undefined) return { kind: "Geo", continent };
  if (country === undefined) return undefined;
  if (subdivision !== undefined) return { kind: "Geo", subdivision: `${country}-${subdivision}` };
  return country === "*" ? { kind: "Geo" } : { kind: "Geo", country };
}
