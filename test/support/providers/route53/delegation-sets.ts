/** Name servers: four of a zone's own, or those of a reusable delegation set. */
import { type Account, type Call, created, type DelegationSet, newId, ok, type Result } from "./account.ts";
import { ApiError } from "./api-error.ts";
import { fieldsOf } from "./fields.ts";
import { type Element, element } from "./xml.ts";

/** One in each of four domains, no two zones alike. */
export function newNameServers(account: Account): readonly string[] {
  const number = account.nextNumber();
  return ["com", "net", "org", "co.uk"].map(
    (domain, at) => `ns-${number + 512 * at}.awsdns-${String(number % 64).padStart(2, "0")}.${domain}`,
  );
}

/** @throws ApiError NoSuchDelegationSet */
export function findDelegationSet(account: Account, id: string): DelegationSet {
  const set = account.delegationSets.get(id.replace(/^\/delegationset\//, ""));
  if (set === undefined) throw new ApiError(400, "NoSuchDelegationSet", `A reusable delegation set with the ID ${id} does not exist.`);
  return set;
}

export function createReusableDelegationSet({ body }: Call, account: Account): Result {
  const fields = fieldsOf(body, "", ["CallerReference", "HostedZoneId"]);
  const callerReference = fields.requiredText("CallerReference", [1, 128]);
  const zoneId = fields.text("HostedZoneId", [1, 32]);
  const sets = [...account.delegationSets.values()];
  if (sets.some((set) => set.callerReference === callerReference)) {
    throw new ApiError(400, "DelegationSetAlreadyCreated", "A delegation set with the same caller reference has already been created.");
  }
  if (sets.length >= account.quotas.reusableDelegationSets)
    throw new ApiError(400, "LimitsExceeded", "The account has reached its limit of reusable delegation sets.");
  const zone = zoneId === undefined ? undefined : account.zones.get(zoneId.replace(/^\/hostedzone\//, ""));
  if (zoneId !== undefined && zone === undefined) throw new ApiError(400, "HostedZoneNotFound", "The specified HostedZone can't be found.");
  const set: DelegationSet = { id: newId("N", account), callerReference, nameServers: zone?.nameServers ?? newNameServers(account) };
  account.delegationSets.set(set.id, set);
  return created(
    element("CreateReusableDelegationSetResponse", [encodeDelegationSet(set.nameServers, set.id, set.callerReference)]),
    `delegationset/${set.id}`,
  );
}

export function getReusableDelegationSet({ path: [id = ""] }: Call, account: Account): Result {
  const set = findDelegationSet(account, id);
  return ok(element("GetReusableDelegationSetResponse", [encodeDelegationSet(set.nameServers, set.id, set.callerReference)]));
}

export function deleteReusableDelegationSet({ path: [id = ""] }: Call, account: Account): Result {
  const set = findDelegationSet(account, id);
  if ([...account.zones.values()].some((zone) => zone.delegationSetId === set.id)) {
    throw new ApiError(400, "DelegationSetInUse", "The specified delegation contains associated hosted zones which must be deleted first.");
  }
  account.delegationSets.delete(set.id);
  return ok(element("DeleteReusableDelegationSetResponse"));
}

export function encodeDelegationSet(nameServers: readonly string[], id?: string, callerReference?: string): Element {
  return element("DelegationSet", [
    id === undefined ? undefined : element("Id", `/delegationset/${id}`),
    callerReference === undefined ? undefined : element("CallerReference", callerReference),
    element(
      "NameServers",
      nameServers.map((server) => element("NameServer", server)),
    ),
  ]);
}
