/** Actions on CIDR collections. @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeCidrCollection.html */
import { type Account, type Call, type CidrCollection, created, newUuid, ok, type Result, submitChange } from "./account.ts";
import { ApiError, constraint, invalidInput } from "./api-error.ts";
import { blockKey, parseBlock } from "./cidr.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { MAX_PAGE_CIDR } from "./limits.ts";
import { byText } from "./names.ts";
import { pageFrom, pageSize } from "./paging.ts";
import { type Element, element } from "./xml.ts";

/** Blocks of one request. */
const MAX_REQUEST_BLOCKS = 1000;
const NAME = /^[0-9A-Za-z_-]+$/;
const ACTIONS = ["PUT", "DELETE_IF_EXISTS"] as const;

/** @throws ApiError NoSuchCidrCollectionException */
function findCollection(account: Account, id: string): CidrCollection {
  const collection = account.collections.get(id);
  if (collection === undefined)
    throw new ApiError(404, "NoSuchCidrCollectionException", "The CIDR collection you specified, doesn't exist.");
  return collection;
}

export function createCidrCollection({ body }: Call, account: Account): Result {
  const fields = fieldsOf(body, "", ["Name", "CallerReference"]);
  const name = requiredName(fields, "Name", 64);
  const callerReference = fields.requiredText("CallerReference", [1, 64]);
  const { collections, quotas } = account;
  const known = [...collections.values()].find((one) => one.name === name);
  if (known !== undefined && known.callerReference !== callerReference) {
    throw new ApiError(
      400,
      "CidrCollectionAlreadyExistsException",
      "A CIDR collection with this name and a different caller reference already exists in this account.",
    );
  }
  if (known === undefined && collections.size >= quotas.cidrCollections) throw limitsExceeded(`${quotas.cidrCollections} CIDR collections`);
  const collection = known ?? { id: newUuid(account), name, callerReference, version: 1, locations: new Map() };
  collections.set(collection.id, collection);
  return created(
    element("CreateCidrCollectionResponse", [element("Collection", summaryOf(account, collection))]),
    `cidrcollection/${collection.id}`,
  );
}

/** All changes are made, one after another, or none. */
export function changeCidrCollection({ path: [id = ""], body }: Call, account: Account): Result {
  const collection = findCollection(account, id);
  const fields = fieldsOf(body, "", ["CollectionVersion", "Changes"]);
  const version = fields.integer("CollectionVersion", [1, Number.MAX_SAFE_INTEGER]);
  if (version !== undefined && version !== collection.version) {
    throw new ApiError(
      409,
      "CidrCollectionVersionMismatchException",
      "The CIDR collection version you provided, doesn't match the one in the ListCidrCollections operation.",
    );
  }
  const changes = (fields.list("Changes", "member") ?? []).map(decodeChange);
  const blocks = changes.reduce((sum, change) => sum + change.blocks.length, 0);
  if (blocks === 0 || blocks > MAX_REQUEST_BLOCKS)
    throw invalidInput(`Between 1 and ${MAX_REQUEST_BLOCKS} CIDR blocks are allowed in a request`);

  /** Location and text of each block. */
  const byBlock = new Map<string, readonly [location: string, text: string]>();
  for (const [location, texts] of collection.locations) for (const text of texts) byBlock.set(keyOf(text), [location, text]);
  for (const { action, location, blocks: texts } of changes) {
    for (const text of texts) {
      const holder = byBlock.get(keyOf(text))?.[0];
      if (action === "PUT" && holder !== undefined && holder !== location)
        throw inUse(`The CIDR block ${text} is already in use in location ${holder}.`);
      if (action === "PUT") byBlock.set(keyOf(text), [location, text]);
      else if (holder === location) byBlock.delete(keyOf(text));
    }
  }
  if (byBlock.size > account.quotas.cidrBlocksPerCollection)
    throw limitsExceeded(`${account.quotas.cidrBlocksPerCollection} CIDR blocks in a collection`);
  const locations = new Map<string, string[]>();
  for (const [location, text] of byBlock.values()) locations.set(location, [...(locations.get(location) ?? []), text]);
  const gone = [...collection.locations.keys()].find((location) => !locations.has(location) && isUsed(account, id, location));
  if (gone !== undefined) throw inUse(`The location ${gone} is in use by a resource record set.`);
  account.collections.set(id, { ...collection, locations, version: collection.version + 1 });
  return ok(element("ChangeCidrCollectionResponse", [element("Id", submitChange(account).id)]));
}

function decodeChange(source: Element, at: number) {
  const fields = fieldsOf(source, `changes.${at + 1}.member`, ["LocationName", "Action", "CidrList"]);
  const location = requiredName(fields, "LocationName", 16);
  fields.requiredText("Action");
  const action = fields.choice("Action", ACTIONS)!;
  const blocks = (fields.list("CidrList", "Cidr") ?? []).map(({ text }) => text);
  const wrong = blocks.find((text) => parseBlock(text) === undefined);
  if (wrong !== undefined) throw invalidInput(`The CIDR block ${wrong} is not valid: 1 to 24 bits of IPv4, or 1 to 48 of IPv6`);
  return { location, action, blocks };
}

export function deleteCidrCollection({ path: [id = ""] }: Call, account: Account): Result {
  const collection = findCollection(account, id);
  if (collection.locations.size > 0 || isUsed(account, id)) {
    throw new ApiError(400, "CidrCollectionInUseException", "This CIDR collection is in use, and isn't empty.");
  }
  account.collections.delete(id);
  return ok(element("DeleteCidrCollectionResponse"));
}

export function listCidrCollections({ query }: Call, account: Account): Result {
  const collections = [...account.collections.values()];
  return listOf(
    "ListCidrCollectionsResponse",
    "CidrCollections",
    query,
    collections.map((one) => [one.id, summaryOf(account, one)] as const),
  );
}

export function listCidrLocations({ path: [id = ""], query }: Call, account: Account): Result {
  const names = [...findCollection(account, id).locations.keys()].sort(byText);
  return listOf(
    "ListCidrLocationsResponse",
    "CidrLocations",
    query,
    names.map((name) => [name, [element("LocationName", name)]] as const),
  );
}

export function listCidrBlocks({ path: [id = ""], query }: Call, account: Account): Result {
  const { locations } = findCollection(account, id);
  const wanted = query.get("location");
  if (wanted !== null && !locations.has(wanted)) {
    throw new ApiError(404, "NoSuchCidrLocationException", "The CIDR collection location doesn't match any locations in your account.");
  }
  const blocks = [...locations].filter(([location]) => wanted === null || location === wanted);
  const items = blocks.flatMap(([location, texts]) =>
    texts.map((text) => [text, [element("CidrBlock", text), element("LocationName", location)]] as const),
  );
  return listOf("ListCidrBlocksResponse", "CidrBlocks", query, items);
}

/** @param items each with the token that a list may begin at */
function listOf(
  root: string,
  list: string,
  query: URLSearchParams,
  items: readonly (readonly [token: string, members: readonly Element[]])[],
): Result {
  const size = pageSize(query, "maxresults", { usual: MAX_PAGE_CIDR, most: MAX_PAGE_CIDR });
  const token = query.get("nexttoken");
  const start = token === null ? 0 : items.findIndex(([own]) => Buffer.from(own).toString("base64url") === token);
  if (start === -1) throw invalidInput(`Invalid next token '${token}'`);
  const page = pageFrom(items, start, size);
  return ok(
    element(root, [
      page.next === undefined ? undefined : element("NextToken", Buffer.from(page.next[0]).toString("base64url")),
      element(
        list,
        page.items.map(([, members]) => element("member", members)),
      ),
    ]),
  );
}

const summaryOf = (account: Account, { id, name, version }: CidrCollection): readonly Element[] => [
  element("Arn", `arn:aws:route53::${account.id}:cidrcollection/${id}`),
  element("Id", id),
  element("Name", name),
  element("Version", version),
];

/** Whether a record set names the collection, or this location of it. */
const isUsed = (account: Account, collectionId: string, location?: string): boolean =>
  [...account.zones.values()].some(({ sets }) =>
    sets.some(
      ({ policy }) =>
        policy.kind === "IpBased" && policy.collectionId === collectionId && (location === undefined || policy.location === location),
    ),
  );

function requiredName(fields: Fields, member: string, most: number): string {
  const name = fields.requiredText(member, [1, most]);
  if (!NAME.test(name))
    throw constraint(member.charAt(0).toLowerCase() + member.slice(1), name, "satisfy regular expression pattern: [0-9A-Za-z_\\-]+");
  return name;
}

const keyOf = (text: string): string => blockKey(parseBlock(text)!);
const inUse = (message: string): ApiError => new ApiError(400, "CidrBlockInUseException", message);
const limitsExceeded = (what: string): ApiError => new ApiError(400, "LimitsExceeded", `The account has reached its limit of ${what}.`);
