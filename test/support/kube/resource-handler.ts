/** Requests for resources, each to what does it. */
import { type JsonObject, textAt } from "./json.ts";
import { apiVersionOf, storageOf } from "./kinds.ts";
import { type Answer, pageNotFound, presented, type ResourceRequest, type ResourceWorld, scopeOf, selectorOf } from "./resource-request.ts";
import { badRequest, invalid, notFound } from "./status-error.ts";
import { tableOf } from "./table.ts";
import { finishTermination } from "./terminating.ts";
import { requestToken } from "./token-request.ts";
import type { WatchRequest } from "./watch.ts";
import { handleWrite } from "./write-handler.ts";

/** @returns the answer, or the watch that the request asks for */
export function handleResource(world: ResourceWorld, request: ResourceRequest): Answer | WatchRequest {
  const { route, kind, verb } = request;
  const { subresource } = route;
  if (verb === "watch") return watch(world, request);
  if (subresource === "token" && kind.kind === "ServiceAccount" && verb === "create") return requestToken(world, request);
  if (subresource !== undefined && !(subresource === "status" && kind.hasStatus)) throw pageNotFound();
  if (verb === "get") return get(world, request);
  if (verb === "list") return list(world, request);
  const written = handleWrite(world, request);
  finishTermination(world.store, world.registry);
  return written;
}

function shown(world: ResourceWorld, { kind, wantsTable }: ResourceRequest, object: JsonObject): JsonObject {
  if (!wantsTable) return presented(kind, object);
  return tableOf(kind, [object], { resourceVersion: textAt(object, "metadata", "resourceVersion") }, world.now());
}

function get(world: ResourceWorld, request: ResourceRequest): Answer {
  const { kind, route } = request;
  const object = world.store.get(storageOf(kind), kind.namespaced ? `${route.namespace}/${route.name}` : (route.name ?? ""));
  if (object === undefined) throw notFound(kind, route.name ?? "");
  return { code: 200, body: shown(world, request, object) };
}

function list(world: ResourceWorld, request: ResourceRequest): Answer {
  const { kind, query, wantsTable } = request;
  const limit = query.get("limit") ?? "0";
  if (!/^\d+$/.test(limit)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
  const { items, metadata } = world.list({
    kind,
    namespace: scopeOf(request),
    ...selectorOf(request),
    limit: Number(limit),
    continueToken: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
  });
  if (wantsTable) return { code: 200, body: tableOf(kind, items, metadata, world.now()) };
  const envelope = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata };
  return { code: 200, body: { ...envelope, items: kind.isCustom ? items.map((item) => presented(kind, item)) : items } };
}

function watch(world: ResourceWorld, request: ResourceRequest): WatchRequest {
  const { query, kind, route } = request;
  const seconds = Number(query.get("timeoutSeconds") ?? "0");
  const named = route.name;
  const { selector } = selectorOf(request);
  const isSet = (name: string): boolean => ["1", "true"].includes(query.get(name) ?? "");
  const initialEvents = isSet("sendInitialEvents");
  if (initialEvents && query.get("resourceVersionMatch") !== "NotOlderThan") {
    const message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", [
      { reason: "FieldValueForbidden", message, field: "resourceVersionMatch" },
    ]);
  }
  return {
    kind,
    namespace: scopeOf(request),
    selector: named === undefined ? selector : (object) => textAt(object, "metadata", "name") === named && selector(object),
    resourceVersion: query.get("resourceVersion") ?? "",
    bookmarks: isSet("allowWatchBookmarks"),
    initialEvents,
    timeout: seconds > 0 ? seconds * 1000 : 2_400_000,
    present: (object) => shown(world, request, object),
  };
}
