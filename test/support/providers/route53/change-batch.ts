/**
 * What a batch of changes makes of a zone: all of it, or nothing and why. Pure.
 *
 * Changes are made in their order: a CNAME that is created before what stood at its name is deleted is refused. Where messages of the real service
 * are known they are used word for word; where they are not, code and form are right and the words are ours.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
 */
import { MAX_BATCH_RECORDS, MAX_BATCH_VALUE_CHARACTERS } from "./limits.ts";
import { isWithin } from "./names.ts";
import { canonicalValue, isSameRecordSet, type RecordSet, recordSetKey } from "./record-set.ts";
import type { ChangeAction } from "./record-set-xml.ts";
import { valueProblem } from "./record-values.ts";
import { neighbourProblems } from "./set-rules.ts";
import type { Change, ZoneContext } from "./zone-context.ts";
import { draftOf, type ZoneDraft } from "./zone-draft.ts";

export type BatchOutcome =
  | { readonly kind: "Applied"; readonly sets: readonly RecordSet[] }
  | { readonly kind: "Refused"; readonly messages: readonly string[] }
  | { readonly kind: "NoSuchHealthCheck"; readonly id: string };

/** @param sets of the zone, in list order. @returns all sets afterwards, in list order, or what is wrong with the batch */
export function applyBatch(sets: readonly RecordSet[], changes: readonly Change[], context: ZoneContext): BatchOutcome {
  const missing = changes.find(
    ({ action, set }) => action !== "DELETE" && set.healthCheckId !== undefined && !context.hasHealthCheck(set.healthCheckId),
  );
  if (missing !== undefined) return { kind: "NoSuchHealthCheck", id: missing.set.healthCheckId! };
  const formal = [...sizeProblems(changes), ...sequenceProblems(changes)];
  if (formal.length > 0) return { kind: "Refused", messages: formal };

  const draft = draftOf(context.zoneId, sets);
  const messages: string[] = [];
  for (const [at, change] of changes.entries()) {
    const problems = changeProblems(draft, change, changes.slice(at + 1), context);
    messages.push(...problems);
    if (problems.length > 0) continue;
    if (change.action === "DELETE") draft.remove(change.set);
    else draft.put(change.set);
  }
  messages.push(...zoneProblems(draft, context));
  if (messages.length > 0) return { kind: "Refused", messages };
  shareWeightedTtls(draft, changes);
  return { kind: "Applied", sets: draft.all() };
}

/** An alias counts as one record; an UPSERT counts twice, both its records and its characters. */
function sizeProblems(changes: readonly Change[]): readonly string[] {
  let records = 0;
  let characters = 0;
  for (const { action, set } of changes) {
    const times = action === "UPSERT" ? 2 : 1;
    const values = set.content.kind === "Values" ? set.content.values : [];
    records += times * Math.max(1, values.length);
    characters += times * values.reduce((sum, value) => sum + value.length, 0);
  }
  return [
    ...(records > MAX_BATCH_RECORDS ? [`Number of records limit of ${MAX_BATCH_RECORDS} exceeded.`] : []),
    ...(characters > MAX_BATCH_VALUE_CHARACTERS ? [`Number of characters limit of ${MAX_BATCH_VALUE_CHARACTERS} exceeded.`] : []),
  ];
}

/** One set may be changed once, or deleted and then created. */
function sequenceProblems(changes: readonly Change[]): readonly string[] {
  const actions = new Map<string, { readonly set: RecordSet; readonly sequence: ChangeAction[] }>();
  for (const { action, set } of changes) {
    const key = recordSetKey(set);
    if (!actions.has(key)) actions.set(key, { set, sequence: [] });
    actions.get(key)!.sequence.push(action);
  }
  return [...actions.values()]
    .filter(({ sequence }) => sequence.length > 1 && sequence.join() !== "DELETE,CREATE")
    .map(({ set }) => `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}'`);
}

function changeProblems(draft: ZoneDraft, { action, set }: Change, later: readonly Change[], context: ZoneContext): readonly string[] {
  if (!isWithin(set.name, context.zoneName)) return [`RRSet with DNS name ${set.name} is not permitted in zone ${context.zoneName}`];
  const there = draft.find(set);
  if (action === "DELETE") {
    if (there === undefined) return [`Tried to delete resource record set ${label(set)} but it was not found`];
    if (!isSameRecordSet(there, set)) {
      return [`Tried to delete resource record set ${label(set)} but the values provided do not match the current values`];
    }
    return danglingProblems(draft, set, later, context);
  }
  if (action === "CREATE" && there !== undefined) return [`Tried to create resource record set ${label(set)} but it already exists`];
  return [...contentProblems(set, context), ...neighbourProblems(draft, set, later, context)];
}

function contentProblems({ type, content }: RecordSet, { quotas }: ZoneContext): readonly string[] {
  if (content.kind === "Alias") return type === "NS" || type === "SOA" ? [`An alias of type ${type} is not permitted`] : [];
  const { values } = content;
  const problems = values.flatMap((value) => {
    const problem = valueProblem(type, value);
    return problem === undefined ? [] : [`Invalid Resource Record: FATAL problem: ${problem} encountered with '${value}'`];
  });
  const seen = new Set<string>();
  for (const value of values) {
    const canonical = canonicalValue(type, value);
    if (seen.has(canonical)) problems.push(`Duplicate Resource Record: '${value}'`);
    seen.add(canonical);
  }
  if (values.length > quotas.valuesPerRecordSet) problems.push(`Cannot have more than ${quotas.valuesPerRecordSet} records in a RRSet.`);
  if ((type === "CNAME" || type === "SOA") && values.length > 1) problems.push(`Only one record of type ${type} is permitted in a RRSet.`);
  return problems;
}

/** The last of a group goes while an alias leads to it. Aliases that the batch replaces later count as gone. */
function danglingProblems(draft: ZoneDraft, set: RecordSet, later: readonly Change[], { mayDangle }: ZoneContext): readonly string[] {
  if (mayDangle || draft.group(set.name, set.type).length > 1) return [];
  const isReplaced = (alias: RecordSet): boolean =>
    later.some((change) => change.action === "UPSERT" && recordSetKey(change.set) === recordSetKey(alias));
  const comesBack = later.some((change) => change.action !== "DELETE" && change.set.name === set.name && change.set.type === set.type);
  if (comesBack || draft.aliasesTo(set.name, set.type).every(isReplaced)) return [];
  return [`Tried to delete resource record set ${label(set)} but it is the target of an alias`];
}

function zoneProblems(draft: ZoneDraft, { zoneName, quotas }: ZoneContext): readonly string[] {
  return [
    ...(draft.group(zoneName, "SOA").length === 1 ? [] : ["A HostedZone must contain exactly one SOA record."]),
    ...(draft.group(zoneName, "NS").length === 1 ? [] : ["A HostedZone must contain at least one NS record for the zone itself."]),
    ...(draft.size > quotas.recordSetsPerZone ? [`Number of resource record sets limit of ${quotas.recordSetsPerZone} exceeded.`] : []),
  ];
}

/**
 * «If you create two or more weighted records that have the same name and type, and you specify different values for TTL, Route 53 changes the value
 * of TTL for all of the records to the last value that you specified.»
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-weighted.html
 */
function shareWeightedTtls(draft: ZoneDraft, changes: readonly Change[]): void {
  for (const { action, set } of changes) {
    const { policy, content } = set;
    if (action === "DELETE" || policy.kind !== "Weighted" || content.kind !== "Values") continue;
    for (const other of draft.group(set.name, set.type)) {
      if (other.content.kind === "Values" && other.content.ttl !== content.ttl)
        draft.put({ ...other, content: { ...other.content, ttl: content.ttl } });
    }
  }
}

const label = ({ name, type, setIdentifier }: RecordSet): string =>
  `[name='${name}', type='${type}'${setIdentifier === undefined ? "" : `, set-identifier='${setIdentifier}'`}]`;
