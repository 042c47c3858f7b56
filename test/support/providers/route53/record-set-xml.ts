/** A ResourceRecordSet between XML and {@link RecordSet}: which elements go together, and ranges. What a zone says to it is change-batch.ts's. */
import { constraint, invalidInput } from "./api-error.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { CONTINENTS, COUNTRIES, isLocalZoneGroup, LATENCY_REGIONS, SUBDIVISIONS } from "./locations.ts";
import { normaliseName } from "./names.ts";
import { type GeoproximityPlace, RECORD_TYPES, type RecordContent, type RecordSet, type RoutingPolicy } from "./record-set.ts";
import { type Element, element } from "./xml.ts";

const POLICIES = ["Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "GeoProximityLocation", "CidrRoutingConfig"];
const MEMBERS = [
  "Name",
  "Type",
  "SetIdentifier",
  ...POLICIES,
  "TTL",
  "ResourceRecords",
  "AliasTarget",
  "HealthCheckId",
  "TrafficPolicyInstanceId",
];
const MAX_TTL = 2 ** 31 - 1;

export type ChangeAction = "CREATE" | "DELETE" | "UPSERT";

/**
 * @param path of the element, for messages: `changeBatch.changes.1.member.resourceRecordSet`
 * @throws ApiError InvalidInput
 */
export function decodeRecordSet(source: Element, path: string, action: ChangeAction): RecordSet {
  const fields = fieldsOf(source, path, MEMBERS);
  const sentName = fields.requiredText("Name", [0, 1024]);
  fields.requiredText("Type");
  const type = fields.choice("Type", RECORD_TYPES)!;
  const setIdentifier = fields.text("SetIdentifier", [1, 128]);
  const change = `Change with [Action=${action}, Name=${sentName}, Type=${type}, SetIdentifier=${setIdentifier ?? "null"}]`;
  const problems = structureProblems(fields);
  if (problems.length > 0) throw invalidInput(`Invalid request: ${problems.map((problem) => `${problem} in ${change}`).join(", ")}`);
  const name = normaliseName(sentName);
  if (name === undefined) throw invalidInput(`Invalid request: '${sentName}' is not a domain name in ${change}`);
  const healthCheckId = fields.text("HealthCheckId", [1, 64]);
  return {
    ...{ name, type, policy: decodePolicy(fields), content: decodeContent(fields, path) },
    ...(setIdentifier === undefined ? {} : { setIdentifier }),
    ...(healthCheckId === undefined ? {} : { healthCheckId }),
  };
}

/** The API's rules of what goes with what, in its words. */
function structureProblems(fields: Fields): readonly string[] {
  const problems: string[] = [];
  const policies = POLICIES.filter((name) => fields.has(name)).length;
  const isGrouped = fields.has("SetIdentifier");
  if (policies > 1 || (policies === 0 && isGrouped)) {
    const list = `${POLICIES.slice(0, -1).join(", ")}, or ${POLICIES.at(-1)}`;
    problems.push(`Expected exactly one of [${list}], but found ${policies === 0 ? "none" : "more than one"}`);
  }
  if (policies > 0 && !isGrouped) problems.push("Missing field 'SetIdentifier'");
  const hasAny = fields.has("TTL") || fields.has("ResourceRecords");
  const hasAll = fields.has("TTL") && fields.has("ResourceRecords");
  const kinds = [fields.has("AliasTarget"), hasAny, fields.has("TrafficPolicyInstanceId")].filter(Boolean).length;
  if (kinds > 1 || kinds === 0 || (hasAny && !hasAll)) {
    const found = kinds > 1 ? "more than one" : "none";
    problems.push(
      `Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found ${found}`,
    );
  }
  if (fields.has("TrafficPolicyInstanceId")) problems.push("Traffic policy instances are not part of this emulator");
  if (fields.has("MultiValueAnswer") && fields.has("AliasTarget")) problems.push("MultiValueAnswer and AliasTarget exclude each other");
  return problems;
}

function decodePolicy(fields: Fields): RoutingPolicy {
  const weight = fields.integer("Weight", [0, 255]);
  if (weight !== undefined) return { kind: "Weighted", weight };
  const region = fields.choice("Region", [...LATENCY_REGIONS]);
  if (region !== undefined) return { kind: "Latency", region };
  const role = fields.choice("Failover", ["PRIMARY", "SECONDARY"]);
  if (role !== undefined) return { kind: "Failover", role };
  const geolocation = fields.child("GeoLocation", ["ContinentCode", "CountryCode", "SubdivisionCode"]);
  if (geolocation !== undefined) return decodeGeolocation(geolocation);
  const geoproximity = fields.child("GeoProximityLocation", ["AWSRegion", "LocalZoneGroup", "Coordinates", "Bias"]);
  if (geoproximity !== undefined) return decodeGeoproximity(geoproximity);
  const cidr = fields.child("CidrRoutingConfig", ["CollectionId", "LocationName"]);
  if (cidr !== undefined) {
    const location = cidr.requiredText("LocationName", [1, 16]);
    if (!/^[0-9A-Za-z_\-*]+$/.test(location))
      throw constraint(`${cidr.path}.locationName`, location, "satisfy regular expression pattern: [0-9A-Za-z_\\-\\*]+");
    return { kind: "IpBased", collectionId: cidr.requiredText("CollectionId"), location };
  }
  const isMultivalue = fields.flag("MultiValueAnswer");
  if (isMultivalue === false) throw invalidInput("Invalid request: MultiValueAnswer may only be true");
  return isMultivalue ? { kind: "MultivalueAnswer" } : { kind: "Simple" };
}

function decodeGeolocation(fields: Fields): RoutingPolicy {
  const continent = fields.text("ContinentCode", [2, 2]);
  const country = fields.text("CountryCode", [1, 2]);
  const subdivision = fields.text("SubdivisionCode", [1, 3]);
  if (continent !== undefined) {
    if (country !== undefined || subdivision !== undefined)
      throw invalidInput("Invalid request: ContinentCode goes with neither CountryCode nor SubdivisionCode");
    if (!CONTINENTS.has(continent)) throw invalidInput(`Invalid request: unknown ContinentCode '${continent}'`);
    return { kind: "Geolocation", continent };
  }
  if (country === undefined) throw invalidInput("Invalid request: GeoLocation needs a ContinentCode or a CountryCode");
  if (country !== "*" && !COUNTRIES.has(country)) throw invalidInput(`Invalid request: unknown CountryCode '${country}'`);
  if (subdivision === undefined) return { kind: "Geolocation", country };
  if (!SUBDIVISIONS[country]?.has(subdivision))
    throw invalidInput(`Invalid request: unknown SubdivisionCode '${subdivision}' of CountryCode '${country}'`);
  return { kind: "Geolocation", country, subdivision };
}

function decodeGeoproximity(fields: Fields): RoutingPolicy {
  const region = fields.text("AWSRegion", [1, 64]);
  const group = fields.text("LocalZoneGroup", [1, 64]);
  const coordinates = fields.child("Coordinates", ["Latitude", "Longitude"]);
  if ([region, group, coordinates].filter((one) => one !== undefined).length !== 1) {
    throw invalidInput("Invalid request: Expected exactly one of [AWSRegion, LocalZoneGroup, or Coordinates] in GeoProximityLocation");
  }
  const bias = fields.integer("Bias", [-99, 99]);
  return { kind: "Geoproximity", place: decodePlace(region, group, coordinates), ...(bias === undefined ? {} : { bias }) };
}

function decodePlace(region: string | undefined, group: string | undefined, coordinates: Fields | undefined): GeoproximityPlace {
  if (region !== undefined) {
    if (!LATENCY_REGIONS.has(region)) throw invalidInput(`Invalid request: unknown AWSRegion '${region}'`);
    return { kind: "Region", region };
  }
  if (group !== undefined) {
    if (!isLocalZoneGroup(group)) throw invalidInput(`Invalid request: unknown LocalZoneGroup '${group}'`);
    return { kind: "LocalZoneGroup", group };
  }
  return {
    kind: "Coordinates",
    latitude: decodeDegrees(coordinates!, "Latitude", 90, /^[-+]?[0-9]{1,2}(\.[0-9]{0,2})?$/, 6),
    longitude: decodeDegrees(coordinates!, "Longitude", 180, /^[-+]?[0-9]{1,3}(\.[0-9]{0,2})?$/, 7),
  };
}

/** Degrees as text, with two decimals at most. */
function decodeDegrees(fields: Fields, name: "Latitude" | "Longitude", most: number, pattern: RegExp, length: number): string {
  const text = fields.requiredText(name, [1, length]);
  const path = `${fields.path}.${name.toLowerCase()}`;
  if (!pattern.test(text)) throw constraint(path, text, `satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`);
  if (Math.abs(Number(text)) > most) throw constraint(path, text, `be between -${most} and ${most}`);
  return text;
}

function decodeContent(fields: Fields, path: string): RecordContent {
  const alias = fields.child("AliasTarget", ["HostedZoneId", "DNSName", "EvaluateTargetHealth"]);
  if (alias === undefined) {
    const records = fields.list("ResourceRecords", "ResourceRecord") ?? [];
    if (records.length === 0)
      throw invalidInput("Invalid XML ; cvc-complex-type.2.4.b: The content of element 'ResourceRecords' is not complete.");
    const values = records.map((record, at) =>
      fieldsOf(record, `${path}.resourceRecords.${at + 1}.member`, ["Value"]).requiredText("Value"),
    );
    return { kind: "Values", ttl: fields.integer("TTL", [0, MAX_TTL])!, values };
  }
  const sent = alias.requiredText("DNSName", [0, 1024]);
  const target = normaliseName(sent);
  if (target === undefined) throw invalidInput(`Invalid request: '${sent}' is not a domain name in AliasTarget`);
  alias.requiredText("EvaluateTargetHealth");
  return {
    kind: "Alias",
    zoneId: alias.requiredText("HostedZoneId", [1, 32]),
    target,
    evaluateTargetHealth: alias.flag("EvaluateTargetHealth")!,
  };
}

/** In the order of the API's reference. */
export function encodeRecordSet({ name, type, setIdentifier, policy, content, healthCheckId }: RecordSet): Element {
  const optional = (tag: string, text: string | number | undefined): Element | undefined =>
    text === undefined ? undefined : element(tag, text);
  return element("ResourceRecordSet", [
    element("Name", name),
    element("Type", type),
    optional("SetIdentifier", setIdentifier),
    policy.kind === "Weighted" ? element("Weight", policy.weight) : undefined,
    policy.kind === "Latency" ? element("Region", policy.region) : undefined,
    policy.kind === "Geolocation"
      ? element("GeoLocation", [
          optional("ContinentCode", policy.continent),
          optional("CountryCode", policy.country),
          optional("SubdivisionCode", policy.subdivision),
        ])
      : undefined,
    policy.kind === "Failover" ? element("Failover", policy.role) : undefined,
    policy.kind === "MultivalueAnswer" ? element("MultiValueAnswer", true) : undefined,
    content.kind === "Values" ? element("TTL", content.ttl) : undefined,
    content.kind === "Values"
      ? element(
          "ResourceRecords",
          content.values.map((value) => element("ResourceRecord", [element("Value", value)])),
        )
      : undefined,
    content.kind === "Alias"
      ? element("AliasTarget", [
          element("HostedZoneId", content.zoneId),
          element("DNSName", content.target),
          element("EvaluateTargetHealth", content.evaluateTargetHealth),
        ])
      : undefined,
    optional("HealthCheckId", healthCheckId),
    policy.kind === "IpBased"
      ? element("CidrRoutingConfig", [element("CollectionId", policy.collectionId), element("LocationName", policy.location)])
      : undefined,
    policy.kind === "Geoproximity"
      ? element("GeoProximityLocation", [encodePlace(policy.place), optional("Bias", policy.bias)])
      : undefined,
  ]);
}

function encodePlace(place: GeoproximityPlace): Element {
  switch (place.kind) {
    case "Region":
      return element("AWSRegion", place.region);
    case "LocalZoneGroup":
      return element("LocalZoneGroup", place.group);
    case "Coordinates":
      return element("Coordinates", [element("Latitude", place.latitude), element("Longitude", place.longitude)]);
  }
}
