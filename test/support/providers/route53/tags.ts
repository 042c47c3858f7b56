/** Tags of hosted zones and health checks. @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html */
import { type Account, type Call, ok, type Result } from "./account.ts";
import { invalidInput } from "./api-error.ts";
import { fieldsOf } from "./fields.ts";
import { findHealthCheck } from "./health-checks.ts";
import { findZone } from "./hosted-zones.ts";
import { type Element, element } from "./xml.ts";

const MAX_PER_REQUEST = 10;

export function changeTagsForResource({ path: [type = "", id = ""], body }: Call, account: Account): Result {
  const key = resourceKey(account, type, id);
  const fields = fieldsOf(body, "", ["AddTags", "RemoveTagKeys"]);
  const added = fields.list("AddTags", "Tag")?.map((tag, at) => {
    const members = fieldsOf(tag, `addTags.${at + 1}.member`, ["Key", "Value"]);
    return [members.requiredText("Key", [1, 128]), members.text("Value", [0, 256]) ?? ""] as const;
  });
  const removed = fields.list("RemoveTagKeys", "Key")?.map(({ text }) => text);
  for (const list of [added, removed]) {
    if (list !== undefined && (list.length === 0 || list.length > MAX_PER_REQUEST))
      throw invalidInput(`Between 1 and ${MAX_PER_REQUEST} tags are allowed in a request`);
  }
  if (added === undefined && removed === undefined) throw invalidInput("AddTags or RemoveTagKeys is needed");
  const tags = new Map(account.tags.get(key));
  for (const name of removed ?? []) tags.delete(name);
  for (const [name, value] of added ?? []) tags.set(name, value);
  account.tags.set(key, tags);
  return ok(element("ChangeTagsForResourceResponse"));
}

export function listTagsForResource({ path: [type = "", id = ""] }: Call, account: Account): Result {
  return ok(element("ListTagsForResourceResponse", [encodeTags(account, type, id)]));
}

export function listTagsForResources({ path: [type = ""], body }: Call, account: Account): Result {
  const ids = fieldsOf(body, "", ["ResourceIds"]).list("ResourceIds", "ResourceId") ?? [];
  if (ids.length === 0 || ids.length > MAX_PER_REQUEST) throw invalidInput(`Between 1 and ${MAX_PER_REQUEST} ResourceIds are allowed`);
  return ok(
    element("ListTagsForResourcesResponse", [
      element(
        "ResourceTagSets",
        ids.map(({ text }) => encodeTags(account, type, text)),
      ),
    ]),
  );
}

/** @throws ApiError when there is no such resource */
function resourceKey(account: Account, type: string, id: string): string {
  if (type === "hostedzone") return `hostedzone/${findZone(account, id).id}`;
  if (type === "healthcheck") return `healthcheck/${findHealthCheck(account, id).id}`;
  throw invalidInput(`Unknown resource type '${type}'`);
}

function encodeTags(account: Account, type: string, id: string): Element {
  const tags = [...(account.tags.get(resourceKey(account, type, id)) ?? [])];
  return element("ResourceTagSet", [
    element("ResourceType", type),
    element("ResourceId", id),
    element(
      "Tags",
      tags.map(([key, value]) => element("Tag", [element("Key", key), element("Value", value)])),
    ),
  ]);
}
