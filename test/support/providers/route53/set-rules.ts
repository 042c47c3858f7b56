/** What a set that is created or replaced must be beside the others of its zone: names, groups of one policy, alias targets. */
import { CLOUDFRONT_ZONE } from "./locations.ts";
import { isWithin } from "./names.ts";
import { type RecordSet, type RecordType, type RoutingPolicy, recordSetKey } from "./record-set.ts";
import type { Change, ZoneContext } from "./zone-context.ts";
import type { ZoneDraft } from "./zone-draft.ts";

/**
 * @param draft may hold an older version of the set, which is disregarded
 * @param later changes of the same batch
 * @returns a message for each rule that is broken
 */
export function neighbourProblems(draft: ZoneDraft, set: RecordSet, later: readonly Change[], context: ZoneContext): readonly string[] {
  return [
    ...nameProblems(draft, set, context),
    ...groupProblems(draft, set, context),
    ...policyProblems(set, context),
    ...aliasProblems(draft, set, later, context),
  ];
}

function nameProblems(draft: ZoneDraft, set: RecordSet, { zoneName }: ZoneContext): readonly string[] {
  const { name, type } = set;
  const types = new Set(draft.atName(name).map((other) => other.type));
  const other = (is: (type: RecordType) => boolean): boolean => [...types].some((one) => one !== type && is(one));
  const problems: string[] = [];
  if (type === "CNAME" && name === zoneName)
    problems.push(`RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zoneName}`);
  else if (type === "CNAME" && other(() => true)) {
    problems.push(
      `RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zoneName}`,
    );
  }
  if (other((one) => one === "CNAME")) {
    problems.push(
      `RRSet of type ${type} with DNS name ${name} is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone ${zoneName}`,
    );
  }
  if (type === "SOA" && name !== zoneName) problems.push(`RRSet of type SOA with DNS name ${name} is not permitted in zone ${zoneName}`);
  if (type === "NS" && name.startsWith("\\052.")) problems.push(`RRSet of type NS with DNS name ${name} is not permitted as a wildcard`);
  return problems;
}

function groupProblems(draft: ZoneDraft, set: RecordSet, { quotas }: ZoneContext): readonly string[] {
  const { policy, setIdentifier } = set;
  const others = draft.group(set.name, set.type).filter((other) => other.setIdentifier !== setIdentifier);
  if (others.some((other) => other.policy.kind !== policy.kind)) return [mixedPolicies(set)];
  const most = policy.kind === "Geoproximity" ? quotas.geoproximitySetsPerGroup : quotas.setsPerGroup;
  const problems =
    others.length >= most
      ? [`${subject(set)} cannot be created because the limit of ${most} RRSets with the same name and type is reached.`]
      : [];
  const rival = rivalry(policy);
  if (rival !== undefined && others.some((other) => rivalry(other.policy)?.what === rival.what)) {
    problems.push(
      `${subject(set)}, and ${rival.what} cannot be created because a ${rival.policy} RRSet with the same name, type and ${rival.of} already exists.`,
    );
  }
  if (
    policy.kind === "IpBased" &&
    others.some((other) => other.policy.kind === "IpBased" && other.policy.collectionId !== policy.collectionId)
  ) {
    problems.push(`${subject(set)} cannot be created because RRSets with the same name and type use another CIDR collection.`);
  }
  return problems;
}

const subject = ({ name, type, setIdentifier }: RecordSet): string =>
  `RRSet with DNS name ${name}, type ${type}${setIdentifier === undefined ? "" : `, SetIdentifier ${setIdentifier}`}`;

function mixedPolicies(set: RecordSet): string {
  switch (set.policy.kind) {
    case "Simple":
      return `${subject(set)} cannot be created as other RRSets exist with the same name and type.`;
    case "MultivalueAnswer":
      return `${subject(set)} cannot be created because a non multivalue answer rrset exists with the same name and type.`;
    default: {
      const words = {
        Weighted: "weighted",
        Latency: "latency",
        Failover: "failover",
        Geolocation: "geolocation",
        Geoproximity: "geoproximity",
        IpBased: "cidr",
      };
      return `${subject(set)} cannot be created as a non-${words[set.policy.kind]} set exists with the same name and type.`;
    }
  }
}

/** What only one set of a group may have. */
function rivalry(policy: RoutingPolicy): { readonly policy: string; readonly of: string; readonly what: string } | undefined {
  switch (policy.kind) {
    case "Latency":
      return { policy: "latency", of: "region", what: `Region Name=${policy.region}` };
    case "Failover":
      return { policy: "failover", of: "failover value", what: `Failover=${policy.role}` };
    case "Geolocation": {
      const place = policy.continent ?? [policy.country, policy.subdivision].filter((part) => part !== undefined).join("-");
      return {
        policy: "geolocation",
        of: "location",
        what: `${policy.continent === undefined ? "CountryCode" : "ContinentCode"}=${place}`,
      };
    }
    case "IpBased":
      return { policy: "cidr", of: "location", what: `LocationName=${policy.location}` };
    case "Simple":
    case "Weighted":
    case "Geoproximity":
    case "MultivalueAnswer":
      return undefined;
  }
}

/** Which types a policy takes, and what it needs beside itself. */
function policyProblems(set: RecordSet, { isPrivate, cidrLocations }: ZoneContext): readonly string[] {
  const { policy, type, content, healthCheckId } = set;
  const problems: string[] = [];
  const simpleOnly: readonly RecordType[] = ["NS", "SOA", "DS"];
  if (policy.kind !== "Simple" && simpleOnly.includes(type))
    problems.push(`${subject(set)} cannot be created as type ${type} takes the simple routing policy only.`);
  if (policy.kind === "MultivalueAnswer" && type === "CNAME")
    problems.push(`${subject(set)} cannot be created as multivalue answer does not take type CNAME.`);
  if (policy.kind === "Failover" && policy.role === "PRIMARY" && content.kind === "Values" && healthCheckId === undefined) {
    problems.push("A non-alias primary ResourceRecordSet must have an associated health check. No changes made.");
  }
  if (policy.kind === "IpBased") {
    if (isPrivate) problems.push(`${subject(set)} cannot be created as private hosted zones do not take IP-based routing.`);
    const locations = cidrLocations(policy.collectionId);
    if (locations === undefined) problems.push(`No CIDR collection exists with the ID ${policy.collectionId}.`);
    else if (policy.location !== "*" && !locations.has(policy.location))
      problems.push(`The CIDR collection ${policy.collectionId} has no location ${policy.location}.`);
  }
  return problems;
}

/**
 * A target in this zone must be there already, with the same type: one that the batch only creates or replaces later is not, as replacing is
 * deleting and creating. Another zone must be one of AWS's services.
 */
function aliasProblems(
  draft: ZoneDraft,
  set: RecordSet,
  later: readonly Change[],
  { zoneId, zoneName, serviceZones, isPrivate }: ZoneContext,
): readonly string[] {
  const { content, type } = set;
  if (content.kind !== "Alias") return [];
  const tried = `Tried to create an alias that targets ${content.target}, type ${type} in zone ${content.zoneId}`;
  const notFound = `${tried}, but that target was not found`;
  if (content.zoneId !== zoneId) {
    if (!serviceZones.has(content.zoneId)) return [notFound];
    if (content.zoneId !== CLOUDFRONT_ZONE) return [];
    if (isPrivate) return [`${tried}, but private hosted zones do not take aliases to CloudFront`];
    return content.evaluateTargetHealth ? [`${tried}, but EvaluateTargetHealth may not be true for CloudFront`] : [];
  }
  if (!isWithin(content.target, zoneName)) return [`${tried}, but the alias target name does not lie within the target zone`, notFound];
  const isReplacedLater = (target: RecordSet): boolean =>
    later.some((change) => change.action === "UPSERT" && recordSetKey(change.set) === recordSetKey(target));
  const targets = draft.group(content.target, type).filter((target) => recordSetKey(target) !== recordSetKey(set));
  return targets.some((target) => !isReplacedLater(target)) ? [] : [notFound];
}
