/** A `KubeApi` over HTTP: one pool of connections for each server and identity, a deadline for each request. */

import type { ApplyOptions, DeleteOptions, KubeApi, KubeList, ListOptions, WatchEvent, WatchOptions, WriteOptions } from "./kube-api.ts";
import type { KubeConnection } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject, Resource } from "./kube-object.ts";
import type { KubePorts } from "./kube-ports.ts";
import { field, readItem, readObject, readStatus, textField } from "./kube-status.ts";
import { createKubeTransport, type KubeRequest, QUIET_WATCH, type TransportOptions } from "./kube-transport.ts";
import { queryString, resourcePath } from "./resource-path.ts";
import { createLineReader } from "./watch-lines.ts";

const PAGE = 500;
/**
 * Objects of one list, whatever is kept of them: more than a vantage may report, for clusters of any size that Kubernetes supports (150,000 pods
 * and 10,000 Services). More are a mistake or malice, and would take our memory.
 */
const MOST_OBJECTS = 200_000;
/** Restarts of a list whose pages got too old while it was read; each is a whole list. */
const MAX_RESTARTS = 3;
/**
 * Servers are asked to end each watch a while before silence would count as a failure: bookmarks of quiet resources do not come on time
 * (kube-apiserver leaves out those that are not above the version that the watch began at). By chance, so that not all return at once.
 */
const watchSeconds = (quiet: number, random: number): number => Math.max(1, Math.round((quiet / 1000 - 10) * (0.6 + 0.4 * random)));

const JSON_TYPE = "application/json";
const MERGE_PATCH_TYPE = "application/merge-patch+json";
const APPLY_TYPE = "application/apply-patch+yaml"; // JSON is YAML

export type KubeApiOptions = TransportOptions;

/** Opens no connection yet: the first request does. */
export function openKubeApi(connection: KubeConnection, ports: KubePorts, options: KubeApiOptions): KubeApi {
  const transport = createKubeTransport(connection, ports, options);
  const { server } = connection;

  const malformed = (request: KubeRequest, what: string): KubeError =>
    new KubeError(`${server}: ${request.method} ${request.path}: ${what}. See that this is the address of a Kubernetes API server.`, {
      status: 0,
      reason: "Malformed",
    });

  const tooMany = (request: KubeRequest, { plural }: Resource): KubeError =>
    new KubeError(
      `${server}: ${request.method} ${request.path}: there are more than ${MOST_OBJECTS} ${plural}. Delete those that nobody needs, or leave the kind out of spec.access.sources of the MemberCluster.`,
      { status: 0, reason: "TooMany" },
    );

  async function forObject(request: KubeRequest): Promise<KubeObject> {
    const object = readObject(await transport.send(request));
    if (object === undefined) throw malformed(request, "the answer is no object of the API");
    return object;
  }

  const writeQuery = ({ dryRun, fieldManager }: WriteOptions): { dryRun?: string; fieldManager?: string } => ({
    ...(dryRun === true ? { dryRun: "All" } : {}),
    ...(fieldManager === undefined ? {} : { fieldManager }),
  });
  const signalOf = ({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } => (signal === undefined ? {} : { signal });

  async function listPages(resource: Resource, { namespace, labelSelector, fieldSelector, keep }: ListOptions): Promise<KubeList> {
    const items: KubeObject[] = [];
    let count = 0;
    const path = resourcePath(resource, namespace);
    let next: string | undefined;
    do {
      const request: KubeRequest = {
        method: "GET",
        path,
        query: queryString({ limit: PAGE, continue: next, labelSelector, fieldSelector }),
        verb: { name: "list", resource },
      };
      const body = await transport.send(request);
      const page = field(body, "items");
      const metadata = field(body, "metadata");
      if (!Array.isArray(page)) {
        // A server written in Go may say null for an empty list.
        if (page !== null || textField(metadata, "resourceVersion") === "") throw malformed(request, "the answer is no list");
      } else {
        for (const item of page) {
          const object = readItem(resource, item);
          if (object === undefined) throw malformed(request, "the list holds something that is no object of the API");
          const kept = keep === undefined ? object : keep(object);
          if (kept !== undefined) items.push(kept);
        }
      }
      count += Array.isArray(page) ? Math.max(1, page.length) : 1; // nor may empty pages go on for ever
      if (count > MOST_OBJECTS) throw tooMany(request, resource);
      const last = next;
      next = textField(metadata, "continue") || undefined;
      if (next !== undefined && next === last) throw malformed(request, "the list goes on where it has been already");
      if (next === undefined) return { items, resourceVersion: textField(metadata, "resourceVersion") };
    } while (next !== undefined);
    return { items, resourceVersion: "" };
  }

  return {
    server,

    async get(resource, namespace, name, getOptions = {}) {
      const verb = { name: "get", resource, object: name } as const;
      try {
        return await forObject({ method: "GET", path: resourcePath(resource, namespace, name), verb, ...signalOf(getOptions) });
      } catch (error) {
        if (error instanceof KubeError && error.isNotFound) return undefined;
        throw error;
      }
    },

    async list(resource, listOptions = {}) {
      for (let restarts = 0; ; restarts++) {
        try {
          return await listPages(resource, listOptions);
        } catch (error) {
          if (!(error instanceof KubeError && error.isGone) || restarts >= MAX_RESTARTS) throw error;
        }
      }
    },

    async watch(resource: Resource, watchOptions: WatchOptions, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void> {
      const { namespace, labelSelector, fieldSelector, resourceVersion } = watchOptions;
      const request: KubeRequest = {
        method: "GET",
        path: resourcePath(resource, namespace),
        query: queryString({
          watch: 1,
          allowWatchBookmarks: true,
          resourceVersion,
          labelSelector,
          fieldSelector,
          timeoutSeconds: watchSeconds(options.quietWatch ?? QUIET_WATCH, ports.random()),
        }),
        verb: { name: "watch", resource },
        signal,
      };
      const read = createLineReader((line) => onEvent(readWatchLine(line, resource, (what) => malformed(request, what), request, server)));
      await transport.stream(
        request,
        () => watchOptions.onOpen?.(),
        (chunk) => {
          try {
            read(chunk);
          } catch (error) {
            if (error instanceof SyntaxError) throw malformed(request, error.message);
            throw error;
          }
        },
      );
    },

    create: (resource, object, create = {}) =>
      forObject({
        method: "POST",
        path: resourcePath(resource, object.metadata.namespace),
        query: queryString(writeQuery(create)),
        body: object,
        contentType: JSON_TYPE,
        verb: { name: "create", resource, object: object.metadata.name },
        ...signalOf(create),
      }),

    replace: (resource, object, replace = {}) =>
      forObject({
        method: "PUT",
        path: resourcePath(resource, object.metadata.namespace, object.metadata.name, replace.subresource),
        query: queryString(writeQuery(replace)),
        body: object,
        contentType: JSON_TYPE,
        verb: verbOf("update", resource, object.metadata.name, replace.subresource),
        ...signalOf(replace),
      }),

    apply: (resource: Resource, object: KubeObject, apply: ApplyOptions) =>
      forObject({
        method: "PATCH",
        path: resourcePath(resource, object.metadata.namespace, object.metadata.name, apply.subresource),
        query: queryString({ ...writeQuery(apply), ...(apply.force === true ? { force: true } : {}) }),
        body: object,
        contentType: APPLY_TYPE,
        verb: verbOf("patch", resource, object.metadata.name, apply.subresource),
        ...signalOf(apply),
      }),

    mergePatch: (resource, namespace, name, patch, patchOptions = {}) =>
      forObject({
        method: "PATCH",
        path: resourcePath(resource, namespace, name, patchOptions.subresource),
        query: queryString(writeQuery(patchOptions)),
        body: patch,
        contentType: MERGE_PATCH_TYPE,
        verb: verbOf("patch", resource, name, patchOptions.subresource),
        ...signalOf(patchOptions),
      }),

    async delete(resource: Resource, namespace: string | undefined, name: string, deletion: DeleteOptions = {}) {
      const { uid, resourceVersion, propagation } = deletion;
      try {
        await transport.send({
          method: "DELETE",
          path: resourcePath(resource, namespace, name),
          query: queryString(writeQuery({ ...(deletion.dryRun === undefined ? {} : { dryRun: deletion.dryRun }) })),
          body: {
            apiVersion: "v1",
            kind: "DeleteOptions",
            ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }),
            ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
          },
          contentType: JSON_TYPE,
          verb: { name: "delete", resource, object: name },
          ...signalOf(deletion),
        });
        return true;
      } catch (error) {
        if (error instanceof KubeError && error.isNotFound) return false;
        throw error;
      }
    },

    request: (method, path, body, requestOptions = {}) => {
      const [bare = path, query] = path.split("?");
      return transport.send({
        method,
        path: bare,
        ...(query === undefined ? {} : { query: `?${query}` }),
        ...(body === undefined ? {} : { body, contentType: method === "PATCH" ? MERGE_PATCH_TYPE : JSON_TYPE }),
        ...signalOf(requestOptions),
      });
    },

    close: transport.close,
  };
}

const verbOf = (name: string, resource: Resource, object: string, subresource: string | undefined): NonNullable<KubeRequest["verb"]> => ({
  name,
  resource: subresource === undefined ? resource : { ...resource, plural: `${resource.plural}/${subresource}` },
  object,
});

/** @throws KubeError for ERROR events (410 among them) and for what is no event */
function readWatchLine(
  line: unknown,
  resource: Resource,
  malformed: (what: string) => KubeError,
  request: KubeRequest,
  server: string,
): WatchEvent {
  const type = textField(line, "type");
  const object = field(line, "object");
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const read = readItem(resource, object);
      if (read === undefined) throw malformed("a watch event holds no object of the API");
      return { type, object: read };
    }
    case "BOOKMARK":
      return { type, resourceVersion: textField(field(object, "metadata"), "resourceVersion") };
    case "ERROR": {
      const status = readStatus(object);
      const fact = status.message === "" ? `the watch failed (${status.reason})` : status.message;
      throw new KubeError(`${server}: ${request.method} ${request.path}: ${fact}. It is tried again.`, {
        status: status.code ?? 500,
        reason: status.reason,
      });
    }
    default:
      throw malformed("a watch event has an unknown type");
  }
}
