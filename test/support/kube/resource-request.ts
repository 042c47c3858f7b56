/** A request for a resource, with what it asks for in common words. */
import type { Access, User } from "./access.ts";
import type { Json, JsonObject } from "./json.ts";
import { apiVersionOf, type ServedKind } from "./kinds.ts";
import type { Page, PageRequest } from "./lists.ts";
import type { Registry } from "./registry.ts";
import type { Route } from "./route.ts";
import { parseSelectors, type Selector } from "./selectors.ts";
import { StatusError } from "./status-error.ts";
import type { WriterWorld } from "./write-request.ts";

export interface ResourceRequest {
  readonly route: Route;
  readonly kind: ServedKind;
  readonly verb: string;
  readonly query: URLSearchParams;
  readonly user: User;
  readonly userAgent: string;
  readonly contentType: string;
  readonly wantsTable: boolean;
  /** Parsed; null when there is none. */
  readonly body: Json;
}

export interface Answer {
  readonly code: number;
  readonly body: JsonObject;
  readonly warnings?: readonly string[];
}

export interface ResourceWorld extends WriterWorld {
  readonly registry: Registry;
  readonly access: Access;
  readonly list: (request: PageRequest) => Page;
}

/** For what is no resource; said in plain text. */
export const PAGE_NOT_FOUND = "404 page not found";
export const pageNotFound = (): StatusError => new StatusError(404, PAGE_NOT_FOUND);

/** Under the version that was asked for. */
export const presented = (kind: ServedKind, object: JsonObject): JsonObject => ({
  ...object,
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
});

/** The namespace of the URL, if the kind has one. */
export const scopeOf = ({ kind, route }: ResourceRequest): string | undefined => (kind.namespaced ? route.namespace : undefined);

/** What the selectors of the query let through. */
export function selectorOf({ query, kind }: ResourceRequest): { readonly selector: Selector; readonly hasSelector: boolean } {
  const [labels, fields] = [query.get("labelSelector") ?? "", query.get("fieldSelector") ?? ""];
  return { selector: parseSelectors(labels, fields, kind.selectable), hasSelector: labels !== "" || fields !== "" };
}
