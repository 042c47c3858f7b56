/**
 * The objects of one resource, kept up to date by a list and then a watch. Nothing is forgotten because a server cannot be asked: what was
 * seen stays until a later list or event says otherwise.
 */
import { createBackoff } from "./backoff.ts";
import type { KubeApi, KubeList, ListOptions, WatchEvent } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import { isOlderVersion, type KubeObject, objectKey, type Resource } from "./kube-object.ts";
import type { KubePorts } from "./kube-ports.ts";
import { field, textField } from "./kube-status.ts";
import { createObjectStore, type StoreChange } from "./object-store.ts";
import { pause } from "./pause.ts";
import { resourcePath } from "./resource-path.ts";
import { findServed } from "./served-resource.ts";

export interface ResourceWatchOptions extends ListOptions {
  /** Takes the newest version that the server offers, whatever the resource says. For kinds of CustomResourceDefinitions. */
  readonly discover?: boolean;
}

export interface WatchChange extends StoreChange {
  /** From a whole list; the first one comes even if it is empty. */
  readonly listed: boolean;
}

export interface WatchState {
  /** A whole list has been read once. */
  readonly synced: boolean;
  /** Monotonic milliseconds since when the server could not be asked; absent while it can. */
  readonly failingSince?: number;
  /** What went wrong last, until it has gone well again. */
  readonly error?: KubeError;
  /** The identity may not read this kind. */
  readonly forbidden: boolean;
  /** False when the server says that it has no such kind; as last heard, like `forbidden`. */
  readonly served: boolean;
}

export interface WatchHandlers {
  /** May throw: `onError` is told, and the watch goes on. */
  readonly onChange: (change: WatchChange) => void;
  readonly onState?: (state: WatchState) => void;
  /** Each failure, and what handlers throw. */
  readonly onError?: (error: unknown) => void;
}

export interface ResourceWatch {
  readonly resource: Resource;
  /** By `objectKey`. Live: it changes with each `onChange`. */
  objects(): ReadonlyMap<string, KubeObject>;
  state(): WatchState;
  /** Goes on with another connection, from a new list. What was seen stays until that list is there. */
  use(api: KubeApi): void;
  close(): void;
}

/** A server that goes on ends a watch when it was asked to, which is later than this, ms. */
const EARLY = 45_000;
/** A watch that held so long was a success; one that ends sooner is not asked for again at once. */
const LASTED = 5_000;

export function watchResource(
  api: KubeApi,
  resource: Resource,
  options: ResourceWatchOptions,
  ports: KubePorts,
  handlers: WatchHandlers,
): ResourceWatch {
  const { keep, discover, ...selection } = options;
  const trim = (object: KubeObject): KubeObject | undefined => {
    const lean = withoutManagedFields(object);
    return keep === undefined ? lean : keep(lean);
  };
  const store = createObjectStore(trim);
  const closing = new AbortController();
  let using = { api, signal: new AbortController() };
  let state: WatchState = { synced: false, forbidden: false, served: true };

  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      handlers.onError?.(error);
    }
  };
  const tell = (change: StoreChange, listed: boolean): void => guarded(() => handlers.onChange({ ...change, listed }));
  const become = (next: WatchState): void => {
    state = next;
    guarded(() => handlers.onState?.(next));
  };
  /** @param first told before the new state is, and knows it already */
  const succeeded = (first: () => void = () => undefined): void => {
    const isNews = !state.synced || state.failingSince !== undefined || state.forbidden || !state.served;
    state = { synced: true, forbidden: false, served: true };
    first();
    if (isNews) become(state);
  };
  const failed = (error: KubeError): void => {
    // A refusal is an answer.
    const isAway = !error.isForbidden && !error.isNotFound;
    become({
      synced: state.synced,
      ...(isAway ? { failingSince: state.failingSince ?? ports.now() } : {}),
      error,
      // Who does not answer has not changed its mind.
      forbidden: isAway ? state.forbidden : error.isForbidden,
      served: isAway ? state.served : !error.isNotFound,
    });
    guarded(() => handlers.onError?.(error));
  };

  /** One connection's life: lists, watches, and starts over, until another connection is to be used. */
  async function follow({ api: current, signal: { signal } }: typeof using): Promise<void> {
    const backoff = createBackoff(ports.random);
    let from: { readonly resource: Resource; readonly version: string } | undefined;
    let goneInARow = 0;
    /** Nobody followed the server for a moment: it may have been restored from a backup meanwhile. */
    let isDoubtful = false;
    while (!signal.aborted) {
      let openedAt: number | undefined;
      let wait: number;
      try {
        // A watch from a version that a restored server has not reached again would be silent, and one that it has passed would be wrong.
        if (from !== undefined && isDoubtful) {
          const first = await firstOf(current, from.resource, selection);
          if (isOlderVersion(first.version, from.version) || !isSeen(store.objects, first.item)) from = undefined;
        }
        isDoubtful = false;
        if (from === undefined) {
          const served = await servedBy(current, resource, discover === true);
          const list: KubeList = await current.list(served, { ...selection, keep: trim });
          if (signal.aborted) return;
          from = { resource: served, version: list.resourceVersion };
          const change = store.replaceAll(list.items);
          const isFirst = !state.synced;
          const isChange = isFirst || change.changed.length > 0 || change.vanished.length > 0;
          succeeded(() => (isChange ? tell(change, true) : undefined));
        }
        const watched = from;
        const stop = new AbortController();
        const onOpen = (): void => {
          openedAt ??= ports.now();
          succeeded();
        };
        const onEvent = (event: WatchEvent): void => {
          if (signal.aborted) return;
          onOpen();
          if (event.type === "BOOKMARK" && isOlderVersion(event.resourceVersion, from?.version ?? "")) {
            // The server was restored from a backup, and would keep from us what it counts again.
            from = undefined;
            stop.abort();
            return;
          }
          const version = event.type === "BOOKMARK" ? event.resourceVersion : event.object.metadata.resourceVersion;
          if (version !== undefined && version !== "") from = { resource: watched.resource, version };
          const change = event.type === "BOOKMARK" ? undefined : store.take(event);
          if (change !== undefined) tell(change, false);
        };
        const limit = AbortSignal.any([signal, stop.signal]);
        await current.watch(watched.resource, { ...selection, resourceVersion: watched.version, onOpen }, onEvent, limit);
        if (signal.aborted) return;
        onOpen();
        goneInARow = 0;
        // A server that shuts down ends its watches politely, and may come back from a backup.
        isDoubtful = openedAt === undefined || ports.now() - openedAt < EARLY;
        wait = stop.signal.aborted || hasLasted(openedAt) ? 0 : backoff.next();
      } catch (thrown) {
        if (signal.aborted) return;
        const error = thrown instanceof KubeError ? thrown : asKubeError(current, resource, thrown);
        if (error.isGone) {
          from = undefined;
          // At once: waiting would only make the picture older. Not in a tight loop, though.
          wait = goneInARow++ === 0 ? 0 : backoff.next();
          guarded(() => handlers.onError?.(error));
        } else {
          goneInARow = 0;
          failed(error);
          // The kind may come back at another version; and a server that was silent may have nothing to say to such a watch.
          if (error.isNotFound || (error.reason === "Timeout" && openedAt !== undefined)) from = undefined;
          isDoubtful = true;
          if (hasLasted(openedAt)) backoff.reset();
          wait = Math.max(backoff.next(), error.retryAfter ?? 0);
        }
      }
      if (hasLasted(openedAt)) backoff.reset();
      if (wait > 0) await pause(ports, wait, signal);
    }
  }
  const hasLasted = (openedAt: number | undefined): boolean => openedAt !== undefined && ports.now() - openedAt >= LASTED;

  void follow(using);
  return {
    resource,
    objects: () => store.objects,
    state: () => state,
    use: (next) => {
      if (closing.signal.aborted) return;
      using.signal.abort();
      using = { api: next, signal: new AbortController() };
      void follow(using);
    },
    close: () => {
      closing.abort();
      using.signal.abort();
    },
  };
}

async function servedBy(api: KubeApi, resource: Resource, discover: boolean): Promise<Resource> {
  if (!discover) return resource;
  const served = await findServed(api, resource);
  if (served !== undefined) return served;
  throw new KubeError(
    `${api.server}: there is no ${resource.plural}.${resource.group}. Install its CustomResourceDefinition if it is wanted there.`,
    { status: 404, reason: "NotFound" },
  );
}

/** The first object of a resource in the order of the server's store, and today's version, for the price of one item. */
async function firstOf(
  api: KubeApi,
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: ListOptions,
): Promise<{ readonly version: string; readonly item: unknown }> {
  const query = new URLSearchParams({
    limit: "1",
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
  const list = await api.request("GET", `${resourcePath(resource, namespace)}?${query}`);
  const items = field(list, "items");
  return { version: textField(field(list, "metadata"), "resourceVersion"), item: Array.isArray(items) ? items[0] : undefined };
}

/** Whether an object of the server's is one that was seen: a store that was made anew has others, or none. */
function isSeen(objects: ReadonlyMap<string, KubeObject>, item: unknown): boolean {
  if (item === undefined) return objects.size === 0;
  const metadata = field(item, "metadata");
  const [name, namespace] = [textField(metadata, "name"), textField(metadata, "namespace")];
  const seen = objects.get(objectKey({ metadata: namespace === "" ? { name } : { name, namespace } }));
  return seen !== undefined && seen.metadata.uid === textField(metadata, "uid");
}

/** What bookkeeping of field owners takes is often more than the object itself. */
function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A bug of ours must not end the watching of a cluster. */
const asKubeError = ({ server }: KubeApi, { plural }: Resource, thrown: unknown): KubeError =>
  new KubeError(
    `${server}: watching ${plural} failed: ${thrown instanceof Error ? thrown.message : "no reason given"}. It is tried again.`,
    {
      status: 0,
      reason: "Internal",
    },
    { cause: thrown },
  );
