/** Actions on hosted zones and their name servers. @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html */
import {
  type Account,
  type Call,
  created,
  encodeChange,
  encodeSubmitted,
  type HostedZone,
  newId,
  ok,
  type Result,
  submitChange,
  type Vpc,
} from "./account.ts";
import { ApiError, invalidInput } from "./api-error.ts";
import { encodeDelegationSet, findDelegationSet, newNameServers } from "./delegation-sets.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { MAX_PAGE_ZONES } from "./limits.ts";
import { LATENCY_REGIONS } from "./locations.ts";
import { byText, isWithin, normaliseName, parseName, reversedName } from "./names.ts";
import { pageFrom, pageSize } from "./paging.ts";
import type { RecordSet } from "./record-set.ts";
import { type Element, element } from "./xml.ts";

const NS_TTL = 172_800;
const SOA_TTL = 900;
const PAGE = { usual: MAX_PAGE_ZONES, most: MAX_PAGE_ZONES };

export const isPrivate = (zone: HostedZone): boolean => zone.vpcs.length > 0;

/** @throws ApiError NoSuchHostedZone */
export function findZone(account: Account, id: string): HostedZone {
  const zone = account.zones.get(id.replace(/^\/hostedzone\//, ""));
  if (zone === undefined) throw new ApiError(404, "NoSuchHostedZone", `No hosted zone found with ID: ${id}`);
  return zone;
}

export function createHostedZone({ body }: Call, account: Account): Result {
  const fields = fieldsOf(body, "", ["Name", "VPC", "CallerReference", "HostedZoneConfig", "DelegationSetId"]);
  const callerReference = fields.requiredText("CallerReference", [1, 128]);
  const config = fields.child("HostedZoneConfig", ["Comment", "PrivateZone"]);
  const comment = config?.text("Comment", [0, 256]);
  const vpc = decodeVpc(fields.child("VPC", ["VPCRegion", "VPCId"]));
  if (config?.flag("PrivateZone") === true && vpc === undefined)
    throw invalidInput("A private hosted zone needs values for VPCId and VPCRegion.");
  const name = zoneName(fields.requiredText("Name", [0, 1024]), vpc !== undefined);
  const zones = [...account.zones.values()];
  if (zones.some((zone) => zone.callerReference === callerReference)) {
    throw new ApiError(409, "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.");
  }
  if (zones.length >= account.quotas.hostedZones) {
    throw new ApiError(
      400,
      "TooManyHostedZones",
      `Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more than ${account.quotas.hostedZones} hosted zones.`,
    );
  }
  if (zones.some((zone) => zone.name === name && zone.vpcs.some(({ id, region }) => id === vpc?.id && region === vpc.region))) {
    throw new ApiError(
      400,
      "ConflictingDomainExists",
      `The VPC ${vpc!.id} in region ${vpc!.region} has already been associated with a hosted zone of the same name.`,
    );
  }
  const delegationSetId = fields.text("DelegationSetId", [1, 32]);
  if (delegationSetId !== undefined && vpc !== undefined)
    throw invalidInput("A reusable delegation set cannot be associated with a private hosted zone.");
  const nameServers = delegationSetId === undefined ? newNameServers(account) : reusedNameServers(account, delegationSetId, name);
  const zone: HostedZone = {
    ...{ id: newId("Z", account), name, callerReference, vpcs: vpc === undefined ? [] : [vpc], nameServers },
    ...{ sets: apexSets(name, nameServers), busyUntil: 0, inFlight: 0 },
    ...(comment === undefined ? {} : { comment }),
    ...(delegationSetId === undefined ? {} : { delegationSetId: findDelegationSet(account, delegationSetId).id }),
  };
  account.zones.set(zone.id, zone);
  return created(
    element("CreateHostedZoneResponse", [
      encodeZone(zone),
      encodeSubmitted(submitChange(account)),
      isPrivate(zone) ? undefined : encodeDelegationSet(zone.nameServers, zone.delegationSetId),
      vpc === undefined ? undefined : encodeVpc(vpc),
    ]),
    `hostedzone/${zone.id}`,
  );
}

/** No top-level domain may be a public zone, and `*` is not allowed leftmost. */
function zoneName(text: string, isPrivateZone: boolean): string {
  const labels = parseName(text);
  if (labels === undefined || labels[0]!.includes("*"))
    throw new ApiError(400, "InvalidDomainName", `The domain name '${text}' is not valid.`);
  if (labels.length === 1 && !isPrivateZone) throw new ApiError(400, "InvalidDomainName", `${labels[0]}. is reserved by AWS!`);
  return normaliseName(text)!;
}

function decodeVpc(fields: Fields | undefined): Vpc | undefined {
  if (fields === undefined) return undefined;
  const region = fields.requiredText("VPCRegion", [1, 64]);
  const id = fields.requiredText("VPCId", [1, 1024]);
  if (!LATENCY_REGIONS.has(region) || !/^vpc-[0-9a-f]{8,17}$/.test(id)) throw new ApiError(400, "InvalidVPCId", "The VPC ID is invalid.");
  return { region, id };
}

/** Zones of one name, and a zone and its child, may not share name servers. */
function reusedNameServers(account: Account, id: string, name: string): readonly string[] {
  const set = findDelegationSet(account, id);
  const sharing = [...account.zones.values()].filter((zone) => zone.delegationSetId === set.id);
  if (sharing.some((zone) => isWithin(zone.name, name) || isWithin(name, zone.name))) {
    throw new ApiError(
      400,
      "ConflictingDomainExists",
      "Cannot create hosted zone: a parent, child or zone of the same name uses these name servers.",
    );
  }
  if (sharing.length >= account.quotas.zonesPerDelegationSet) {
    throw new ApiError(
      400,
      "TooManyHostedZones",
      `Cannot use a delegation set for more than ${account.quotas.zonesPerDelegationSet} hosted zones.`,
    );
  }
  return set.nameServers;
}

/** @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html */
function apexSets(name: string, nameServers: readonly string[]): readonly RecordSet[] {
  const soa = `${nameServers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400`;
  return [
    {
      name,
      type: "NS",
      policy: { kind: "Simple" },
      content: { kind: "Values", ttl: NS_TTL, values: nameServers.map((server) => `${server}.`) },
    },
    { name, type: "SOA", policy: { kind: "Simple" }, content: { kind: "Values", ttl: SOA_TTL, values: [soa] } },
  ];
}

export function getHostedZone({ path: [id = ""] }: Call, account: Account): Result {
  const zone = findZone(account, id);
  return ok(
    element("GetHostedZoneResponse", [
      encodeZone(zone),
      isPrivate(zone) ? undefined : encodeDelegationSet(zone.nameServers, zone.delegationSetId),
      isPrivate(zone) ? element("VPCs", zone.vpcs.map(encodeVpc)) : undefined,
    ]),
  );
}

export function deleteHostedZone({ path: [id = ""] }: Call, account: Account): Result {
  const zone = findZone(account, id);
  if (zone.sets.some(({ name, type }) => name !== zone.name || (type !== "NS" && type !== "SOA"))) {
    throw new ApiError(
      400,
      "HostedZoneNotEmpty",
      "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
    );
  }
  account.zones.delete(zone.id);
  account.tags.delete(`hostedzone/${zone.id}`);
  return ok(element("DeleteHostedZoneResponse", [encodeSubmitted(submitChange(account))]));
}

export function listHostedZones({ query }: Call, account: Account): Result {
  const size = pageSize(query, "maxitems", PAGE);
  const marker = query.get("marker");
  const kind = query.get("hostedzonetype");
  if (kind !== null && kind !== "PrivateHostedZone") throw invalidInput(`Invalid hosted zone type '${kind}'`);
  const delegationSetId = query.get("delegationsetid");
  const wanted = delegationSetId === null ? undefined : findDelegationSet(account, delegationSetId).id;
  const zones = [...account.zones.values()].filter(
    (zone) => (kind === null || isPrivate(zone)) && (wanted === undefined || zone.delegationSetId === wanted),
  );
  const start = marker === null ? 0 : zones.findIndex((zone) => zone.id === marker);
  if (start === -1) throw invalidInput(`Invalid marker '${marker}'`);
  const { items, next } = pageFrom(zones, start, size);
  return ok(
    element("ListHostedZonesResponse", [
      element("HostedZones", items.map(encodeZone)),
      marker === null ? undefined : element("Marker", marker),
      element("IsTruncated", next !== undefined),
      next === undefined ? undefined : element("NextMarker", next.id),
      element("MaxItems", size),
    ]),
  );
}

export function listHostedZonesByName({ query }: Call, account: Account): Result {
  const size = pageSize(query, "maxitems", PAGE);
  const dnsName = query.get("dnsname");
  const zoneId = query.get("hostedzoneid");
  if (zoneId !== null && dnsName === null) throw invalidInput("hostedzoneid needs dnsname");
  const from = dnsName === null ? undefined : normaliseName(dnsName);
  if (dnsName !== null && from === undefined) throw new ApiError(400, "InvalidDomainName", `The domain name '${dnsName}' is not valid.`);
  const orderOf = (name: string, id: string): string => `${reversedName(name)} ${id}`;
  const zones = [...account.zones.values()].sort((a, b) => byText(orderOf(a.name, a.id), orderOf(b.name, b.id)));
  const start = from === undefined ? 0 : zones.findIndex((zone) => orderOf(zone.name, zone.id) >= orderOf(from, zoneId ?? ""));
  const { items, next } = pageFrom(zones, start, size);
  return ok(
    element("ListHostedZonesByNameResponse", [
      element("HostedZones", items.map(encodeZone)),
      dnsName === null ? undefined : element("DNSName", dnsName),
      zoneId === null ? undefined : element("HostedZoneId", zoneId),
      element("IsTruncated", next !== undefined),
      next === undefined ? undefined : element("NextDNSName", next.name),
      next === undefined ? undefined : element("NextHostedZoneId", next.id),
      element("MaxItems", size),
    ]),
  );
}

export const getHostedZoneCount = (_call: Call, account: Account): Result =>
  ok(element("GetHostedZoneCountResponse", [element("HostedZoneCount", account.zones.size)]));

export function getHostedZoneLimit({ path: [id = "", type = ""] }: Call, account: Account): Result {
  const zone = findZone(account, id);
  if (type !== "MAX_RRSETS_BY_ZONE" && type !== "MAX_VPCS_ASSOCIATED_BY_ZONE") throw invalidInput(`Unknown limit '${type}'`);
  const isOfSets = type === "MAX_RRSETS_BY_ZONE";
  if (!isOfSets && !isPrivate(zone)) throw new ApiError(400, "HostedZoneNotPrivate", "The specified hosted zone is a public hosted zone.");
  return ok(
    element("GetHostedZoneLimitResponse", [
      element("Limit", [element("Type", type), element("Value", isOfSets ? account.quotas.recordSetsPerZone : account.quotas.vpcsPerZone)]),
      element("Count", isOfSets ? zone.sets.length : zone.vpcs.length),
    ]),
  );
}

export function getAccountLimit({ path: [type = ""] }: Call, account: Account): Result {
  const { quotas, zones, healthChecks, delegationSets } = account;
  const limits: Readonly<Record<string, readonly [value: number, count: number]>> = {
    MAX_HEALTH_CHECKS_BY_OWNER: [quotas.healthChecks, healthChecks.size],
    MAX_HOSTED_ZONES_BY_OWNER: [quotas.hostedZones, zones.size],
    MAX_REUSABLE_DELEGATION_SETS_BY_OWNER: [quotas.reusableDelegationSets, delegationSets.size],
    MAX_TRAFFIC_POLICIES_BY_OWNER: [50, 0],
    MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER: [5, 0],
  };
  const limit = limits[type];
  if (limit === undefined) throw invalidInput(`Unknown limit '${type}'`);
  return ok(
    element("GetAccountLimitResponse", [element("Limit", [element("Type", type), element("Value", limit[0])]), element("Count", limit[1])]),
  );
}

export function getChange({ path: [id = ""] }: Call, account: Account): Result {
  const change = account.changes.get(id);
  if (change === undefined) throw new ApiError(404, "NoSuchChange", `Could not find resource with ID: ${id}`);
  return ok(element("GetChangeResponse", [encodeChange(account, change)]));
}

function encodeZone(zone: HostedZone): Element {
  return element("HostedZone", [
    element("Id", `/hostedzone/${zone.id}`),
    element("Name", zone.name),
    element("CallerReference", zone.callerReference),
    element("Config", [zone.comment === undefined ? undefined : element("Comment", zone.comment), element("PrivateZone", isPrivate(zone))]),
    element("ResourceRecordSetCount", zone.sets.length),
  ]);
}

const encodeVpc = ({ region, id }: Vpc): Element => element("VPC", [element("VPCRegion", region), element("VPCId", id)]);
