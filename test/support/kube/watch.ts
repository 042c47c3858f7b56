/** Watch requests: one JSON event a line, until time is up, the history is too short, or somebody cuts it. */
import type { ServerResponse } from "node:http";
import { type JsonObject, textAt } from "./json.ts";
import { apiVersionOf, type ServedKind, storageOf } from "./kinds.ts";
import type { Selector } from "./selectors.ts";
import { internal, StatusError } from "./status-error.ts";
import type { Change, ChangeType, Store } from "./store.ts";

export interface WatchRequest {
  readonly kind: ServedKind;
  readonly namespace: string | undefined;
  readonly selector: Selector;
  /** Empty or `0`: what stands there comes first. */
  readonly resourceVersion: string;
  readonly bookmarks: boolean;
  /** What stands there comes first, whatever the version, and a bookmark says where it ends. */
  readonly initialEvents: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  /** How objects are shown, such as in a table. */
  readonly present: (object: JsonObject) => JsonObject;
}

export interface Watches {
  /** Answers a request. @throws StatusError for one that cannot be understood, before anything was sent */
  serve(request: WatchRequest, response: ServerResponse): void;
  open(): number;
  /** To all that asked for bookmarks. */
  sendBookmarks(): void;
  /** Ends all in the middle, as a server that dies. @returns how many there were */
  cut(): number;
}

/** Time that a bookmark is sent before a watch times out (ms), as kube-apiserver does. */
const LAST_BOOKMARK = 2000;

/** Calls back once; returns what cancels it. */
export type SetTimer = (delay: number, callback: () => void) => () => void;

/** @param bookmarkInterval milliseconds */
export function createWatches(store: Store, bookmarkInterval: number, setTimer: SetTimer): Watches {
  const open = new Set<{ bookmark(): void; cut(): void }>();

  return {
    serve(request, response) {
      const { kind, namespace, selector, resourceVersion, bookmarks, initialEvents, timeout } = request;
      if (!/^\d*$/.test(resourceVersion)) {
        throw internal(
          `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`,
        );
      }
      const storage = storageOf(kind);
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      const send = (type: string, object: JsonObject): void => {
        response.write(`${JSON.stringify({ type, object })}\n`);
      };
      const isInside = (object: JsonObject): boolean =>
        (namespace === undefined || textAt(object, "metadata", "namespace") === namespace) && selector(object);
      const relay = (change: Change): void => {
        const seen = asSeen(change, isInside);
        if (seen !== undefined && change.version > since) send(seen, request.present(change.object));
      };

      const isFresh = initialEvents || resourceVersion === "" || resourceVersion === "0";
      const since = isFresh ? store.version() : Number(resourceVersion);
      const past = store.changesSince(storage, since);
      if (past === undefined) {
        const message = `too old resource version: ${resourceVersion} (${store.floor(storage)})`;
        send("ERROR", new StatusError(410, message).body);
        response.end();
        return;
      }
      if (isFresh) for (const object of store.list(storage, namespace).filter(selector)) send("ADDED", request.present(object));
      for (const change of past) relay(change);

      const stopListening = store.onChange(storage, relay);
      const bookmark = (annotations?: JsonObject): void => {
        const version = { resourceVersion: `${Math.max(store.version(), since)}`, creationTimestamp: null };
        const metadata = annotations === undefined ? version : { ...version, annotations };
        if (bookmarks) send("BOOKMARK", { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata });
      };
      if (initialEvents) bookmark({ "k8s.io/initial-events-end": "true" });
      let cancelTick = (): void => {};
      const tick = (): void => {
        cancelTick = setTimer(bookmarkInterval, () => {
          bookmark();
          tick();
        });
      };
      tick();
      const cancelLast = timeout > LAST_BOOKMARK ? setTimer(timeout - LAST_BOOKMARK, () => bookmark()) : () => {};
      const cancelEnd = setTimer(timeout, () => response.end());
      const entry = { bookmark: () => bookmark(), cut: () => response.destroy() };
      open.add(entry);
      response.on("close", () => {
        open.delete(entry);
        stopListening();
        cancelTick();
        cancelLast();
        cancelEnd();
      });
    },
    open: () => open.size,
    sendBookmarks() {
      for (const { bookmark } of open) bookmark();
    },
    cut() {
      const count = open.size;
      for (const { cut } of [...open]) cut();
      return count;
    },
  };
}

/** A change as one sees it who looks only at what a selector lets through. */
function asSeen({ type, object, previous }: Change, isInside: (object: JsonObject) => boolean): ChangeType | undefined {
  const was = previous !== undefined && isInside(previous);
  const is = type !== "DELETED" && isInside(object);
  if (was && is) return "MODIFIED";
  if (is) return "ADDED";
  return was ? "DELETED" : undefined;
}
