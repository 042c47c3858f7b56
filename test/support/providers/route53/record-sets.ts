/** Actions on the record sets of a zone. */
import { type Account, type Call, encodeSubmitted, type HostedZone, ok, type Result, submitChange } from "./account.ts";
import { ApiError, invalidChangeBatch, invalidInput } from "./api-error.ts";
import { applyBatch } from "./change-batch.ts";
import { fieldsOf } from "./fields.ts";
import { findZone, isPrivate } from "./hosted-zones.ts";
import { DEFAULT_PAGE_RECORD_SETS, MAX_PAGE_RECORD_SETS } from "./limits.ts";
import { normaliseName, reversedName } from "./names.ts";
import { pageFrom, pageSize } from "./paging.ts";
import { RECORD_TYPES, recordSetKey } from "./record-set.ts";
import { type ChangeAction, decodeRecordSet, encodeRecordSet } from "./record-set-xml.ts";
import { type Element, element } from "./xml.ts";
import type { Change, ZoneContext } from "./zone-context.ts";

const ACTIONS: readonly ChangeAction[] = ["CREATE", "DELETE", "UPSERT"];

/** @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html */
export function listResourceRecordSets({ path: [id = ""], query }: Call, account: Account): Result {
  const zone = findZone(account, id);
  const size = pageSize(query, "maxitems", { usual: DEFAULT_PAGE_RECORD_SETS, most: MAX_PAGE_RECORD_SETS });
  const from = startKey(query);
  const start = from === undefined ? 0 : zone.sets.findIndex((set) => recordSetKey(set) >= from);
  const { items, next } = pageFrom(zone.sets, start, size);
  return ok(
    element("ListResourceRecordSetsResponse", [
      element("ResourceRecordSets", items.map(encodeRecordSet)),
      element("IsTruncated", next !== undefined),
      next === undefined ? undefined : element("NextRecordName", next.name),
      next === undefined ? undefined : element("NextRecordType", next.type),
      next?.setIdentifier === undefined ? undefined : element("NextRecordIdentifier", next.setIdentifier),
      element("MaxItems", size),
    ]),
  );
}

/** Where a list begins, as a key of {@link recordSetKey}; undefined = at the first set. */
function startKey(query: URLSearchParams): string | undefined {
  const [sentName, type, identifier] = ["name", "type", "identifier"].map((key) => query.get(key));
  if (typeof type === "string" && !RECORD_TYPES.some((one) => one === type)) throw invalidInput(`Invalid record type '${type}'`);
  if (typeof type === "string" && typeof sentName !== "string") throw invalidInput("The parameter type needs the parameter name");
  if (typeof identifier === "string" && typeof type !== "string")
    throw invalidInput("The parameter identifier needs the parameters name and type");
  if (typeof sentName !== "string") return undefined;
  const name = normaliseName(sentName);
  if (name === undefined) throw invalidInput(`'${sentName}' is not a domain name`);
  return [reversedName(name), type, identifier].filter((part) => typeof part === "string").join(" ");
}

/** @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html */
export function changeResourceRecordSets({ path: [id = ""], body }: Call, account: Account): Result {
  const zone = findZone(account, id);
  const { changes, comment } = decodeBatch(body);
  if (!account.admitChanges(changes.length)) throw rateExceeded();
  if (zone.inFlight > 0 || account.now() < zone.busyUntil) throw priorRequest();
  const outcome = applyBatch(zone.sets, changes, contextOf(zone, account));
  switch (outcome.kind) {
    case "NoSuchHealthCheck":
      throw new ApiError(404, "NoSuchHealthCheck", `No health check exists with the specified ID: ${outcome.id}`);
    case "Refused":
      throw invalidChangeBatch(outcome.messages);
    case "Applied":
      zone.sets = outcome.sets;
      zone.busyUntil = account.now() + account.processingMilliseconds();
      return ok(element("ChangeResourceRecordSetsResponse", [encodeSubmitted(submitChange(account, comment))]));
  }
}

export const rateExceeded = (): ApiError => new ApiError(400, "Throttling", "Rate exceeded");

const priorRequest = (): ApiError =>
  new ApiError(400, "PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.");

function decodeBatch(body: Element): { readonly changes: readonly Change[]; readonly comment: string | undefined } {
  const batch = fieldsOf(body, "", ["ChangeBatch"]).child("ChangeBatch", ["Comment", "Changes"]);
  const sent = batch?.list("Changes", "Change") ?? [];
  if (sent.length === 0) throw invalidInput("Invalid XML ; cvc-complex-type.2.4.b: The content of element 'Changes' is not complete.");
  const changes = sent.map((one, at) => {
    const path = `changeBatch.changes.${at + 1}.member`;
    const fields = fieldsOf(one, path, ["Action", "ResourceRecordSet"]);
    fields.requiredText("Action");
    const action = fields.choice("Action", ACTIONS)!;
    const source = one.children.find(({ name }) => name === "ResourceRecordSet");
    if (source === undefined) throw invalidInput("Invalid XML ; cvc-complex-type.2.4.b: The content of element 'Change' is not complete.");
    return { action, set: decodeRecordSet(source, `${path}.resourceRecordSet`, action) };
  });
  return { changes, comment: batch?.text("Comment", [0, 256]) };
}

export const contextOf = (zone: HostedZone, account: Account): ZoneContext => ({
  ...{ zoneId: zone.id, zoneName: zone.name, isPrivate: isPrivate(zone), quotas: account.quotas },
  ...{ serviceZones: account.serviceZones, mayDangle: account.mayDangle },
  hasHealthCheck: (checkId) => account.healthChecks.has(checkId),
  cidrLocations(collectionId) {
    const collection = account.collections.get(collectionId);
    return collection === undefined ? undefined : new Set(collection.locations.keys());
  },
});
