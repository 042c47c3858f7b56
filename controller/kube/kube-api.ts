/** What this program asks of a Kubernetes API server. One object for each server and identity; `openKubeApi` makes it. */
import type { KubeObject, Resource } from "./kube-object.ts";

export interface ListOptions {
  /** Absent = all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * What of each item is kept, decided as its page arrives, so that long lists of large objects do not pile up in memory; undefined leaves
   * the item out. Must give the same for what it gave.
   */
  readonly keep?: (object: KubeObject) => KubeObject | undefined;
}

export interface KubeList {
  readonly items: readonly KubeObject[];
  /** To watch from. */
  readonly resourceVersion: string;
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface WriteOptions {
  /** Checked by the server, and not kept. */
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** Ends the request. Every request has a deadline of its own besides. */
  readonly signal?: AbortSignal;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields over from other managers. */
  readonly force?: boolean;
  readonly subresource?: "status";
}

export interface DeleteOptions extends WriteOptions {
  /** Only this very object. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: "Background" | "Foreground" | "Orphan";
}

export interface WatchOptions extends Omit<ListOptions, "keep"> {
  readonly resourceVersion: string;
  /** Called once when the server has accepted the watch, however quiet it then is. */
  readonly onOpen?: () => void;
}

/** All methods reject with a `KubeError` and with nothing else. */
export interface KubeApi {
  /** `https://host:port`, for messages. */
  readonly server: string;
  /** @returns undefined when there is none */
  get(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<KubeObject | undefined>;
  /** Pages through everything. Rejects with status 404 when the server does not know the resource. */
  list(resource: Resource, options?: ListOptions): Promise<KubeList>;
  /**
   * One watch request with bookmarks, until the server ends it (resolves), it fails (rejects; `isGone` when the version is too old), or the
   * signal ends it (resolves). A watch that the server neither feeds nor ends for longer than it was asked to counts as failed.
   */
  watch(resource: Resource, options: WatchOptions, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
  create(resource: Resource, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Replaces the object; its resourceVersion must be today's. */
  replace(resource: Resource, object: KubeObject, options?: WriteOptions & { readonly subresource?: "status" }): Promise<KubeObject>;
  /**
   * Server-side apply. With `metadata.uid` and `metadata.resourceVersion` in the object it is refused (409) when the object is another or
   * has changed.
   */
  apply(resource: Resource, object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** A JSON merge patch (RFC 7386). */
  mergePatch(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options?: WriteOptions & { readonly subresource?: "status" },
  ): Promise<KubeObject>;
  /** @returns false when it was not there */
  delete(resource: Resource, namespace: string | undefined, name: string, options?: DeleteOptions): Promise<boolean>;
  /** Any other request, such as `POST …/serviceaccounts/NAME/token`. @returns the parsed body */
  request(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    options?: { readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Ends what is under way. */
  close(): void;
}
