/** Lists in pages, each page of the same moment as the first. */
import { randomUUID } from "node:crypto";
import { at, type Json, type JsonObject } from "./json.ts";
import { type ServedKind, storageOf } from "./kinds.ts";
import type { Selector } from "./selectors.ts";
import { badRequest, StatusError } from "./status-error.ts";
import type { Store } from "./store.ts";

interface Snapshot {
  readonly items: readonly JsonObject[];
  readonly version: number;
  readonly compactions: number;
}

export interface Page {
  readonly items: readonly JsonObject[];
  /** `metadata` of the list. */
  readonly metadata: JsonObject;
}

export interface PageRequest {
  readonly kind: ServedKind;
  readonly namespace: string | undefined;
  readonly selector: Selector;
  readonly hasSelector: boolean;
  /** 0 = all. */
  readonly limit: number;
  readonly continueToken: string;
  /** Empty, or what the client has seen already. */
  readonly resourceVersion: string;
}

/** How many lists may be under way; the oldest is forgotten first. */
const SNAPSHOTS = 200;

/** @returns what gives one page */
export function createLists(store: Store): (request: PageRequest) => Page {
  const snapshots = new Map<string, Snapshot>();

  const take = ({ kind, namespace, selector }: PageRequest): Snapshot => ({
    items: store.list(storageOf(kind), namespace).filter(selector),
    version: store.version(),
    compactions: store.compactions(),
  });
  const keep = (snapshot: Snapshot): string => {
    const id = randomUUID();
    snapshots.set(id, snapshot);
    const [oldest] = snapshots.keys();
    if (snapshots.size > SNAPSHOTS && oldest !== undefined) snapshots.delete(oldest);
    return id;
  };

  return (request) => {
    const { limit, continueToken, hasSelector } = request;
    if (continueToken === "") checkVersion(store, request.resourceVersion);
    else if (request.resourceVersion !== "" && request.resourceVersion !== "0") {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    const resumed = continueToken === "" ? undefined : readToken(continueToken);
    const snapshot = resumed === undefined ? take(request) : snapshots.get(resumed.id);
    if (snapshot === undefined || snapshot.compactions !== store.compactions()) throw expired();
    const start = resumed?.start ?? 0;
    const end = limit > 0 ? start + limit : snapshot.items.length;
    const left = snapshot.items.length - end;
    const id = left > 0 ? (resumed?.id ?? keep(snapshot)) : "";
    const more = left > 0 ? { continue: writeToken({ id, start: end }), ...(hasSelector ? {} : { remainingItemCount: left }) } : {};
    return { items: snapshot.items.slice(start, end), metadata: { resourceVersion: `${snapshot.version}`, ...more } };
  };
}

function checkVersion(store: Store, version: string): void {
  if (version === "" || Number(version) <= store.version()) return;
  if (!/^\d+$/.test(version))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: invalid syntax`);
  throw new StatusError(504, `Timeout: Too large resource version: ${version}, current: ${store.version()}`, {
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 },
  });
}

interface Token {
  readonly id: string;
  readonly start: number;
}

const writeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString("base64url");

function readToken(text: string): Token {
  try {
    const token: Json = JSON.parse(Buffer.from(text, "base64url").toString());
    const [id, start] = [at(token, "id"), at(token, "start")];
    if (typeof id === "string" && typeof start === "number") return { id, start };
  } catch {
    // Told below, as any other token that is not ours.
  }
  throw badRequest("invalid continue token: continue key is not valid");
}

const expired = (): StatusError =>
  new StatusError(
    410,
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
  );
