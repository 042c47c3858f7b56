/** A Kubernetes API server under contract, and raw HTTP to it. */
import { createInterface } from "node:readline";
import { Agent, request as send } from "undici";
import { at, isArray, isObject, type Json, type JsonObject, objectAt, textAt } from "../json.ts";

/** A server that is to pass the contract. */
export interface KubeContractPeer {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of a cluster admin. */
  readonly token: string;
  /** PEM, for https. */
  readonly ca?: string;
  /** That the certificate names, if it is not the URL's host. */
  readonly serverName?: string;
  /**
   * Forgets all versions before now. On a real server this compacts etcd; it must run without the feature gate ListFromCacheSnapshot, or
   * pages of old lists live on.
   */
  compact(): Promise<void>;
  close(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly body: Json;
  readonly warnings: readonly string[];
}

export interface CallOptions {
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Default: the admin's. */
  readonly token?: string;
  readonly userAgent?: string;
}

export interface Watched {
  readonly type: string;
  readonly object: JsonObject;
}

export interface OpenWatch {
  /** @returns undefined when the server has ended it */
  next(): Promise<Watched | undefined>;
  close(): void;
}

/** What the groups of the contract work with. */
export interface ContractClient {
  readonly peer: KubeContractPeer;
  /** Made for this run. */
  readonly namespace: string;
  /** Path of the gadgets of {@link ContractClient.namespace}. */
  readonly gadgets: string;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Reply>;
  /** @param query without `watch=1` */
  watch(path: string, query: string): Promise<OpenWatch>;
  close(): Promise<void>;
}

export const MERGE = "application/merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
export const APPLY = "application/apply-patch+yaml";

/** Milliseconds after which an answer is no longer waited for. */
const PATIENCE = 15_000;

/** @param namespace that exists already or that the caller makes */
export function contractClient(peer: KubeContractPeer, namespace: string): ContractClient {
  const agent = new Agent({
    allowH2: false,
    connect: {
      ...(peer.ca === undefined ? {} : { ca: peer.ca }),
      ...(peer.serverName === undefined ? {} : { servername: peer.serverName }),
    },
  });
  const headersOf = ({ contentType, token, userAgent }: CallOptions): Record<string, string> => ({
    authorization: `Bearer ${token ?? peer.token}`,
    "content-type": contentType ?? "application/json",
    "user-agent": userAgent ?? "contract/1.0",
  });
  return {
    peer,
    namespace,
    gadgets: `/apis/contract.example.org/v1/namespaces/${namespace}/gadgets`,
    async call(method, path, body, options = {}) {
      const sent = await send(`${peer.url}${path}`, {
        method,
        dispatcher: agent,
        headers: headersOf(options),
        signal: AbortSignal.timeout(PATIENCE),
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const { warning = [] } = sent.headers;
      return { status: sent.statusCode, body: parsed(await sent.body.text()), warnings: typeof warning === "string" ? [warning] : warning };
    },
    async watch(path, query) {
      const aborted = new AbortController();
      const sent = await send(`${peer.url}${path}?watch=1&${query}`, {
        dispatcher: agent,
        headers: headersOf({}),
        signal: aborted.signal,
      });
      const lines = createInterface({ input: sent.body })[Symbol.asyncIterator]();
      return {
        async next() {
          const late = setTimeout(() => aborted.abort(new Error("no event came of the watch")), PATIENCE);
          const line = await lines.next().finally(() => clearTimeout(late));
          if (line.done === true) return undefined;
          const event = parsed(line.value);
          return { type: textAt(event, "type"), object: objectAt(event, "object") };
        },
        close: () => aborted.abort(),
      };
    },
    close: () => agent.destroy(),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A Gadget, the kind that the contract defines for itself. */
export const gadget = (name: string, spec: JsonObject = { size: 1 }, more: JsonObject = {}): JsonObject => ({
  apiVersion: "contract.example.org/v1",
  kind: "Gadget",
  metadata: { name, ...objectAt(more, "metadata") },
  ...(Object.keys(spec).length === 0 ? {} : { spec }),
  ...(more.status === undefined ? {} : { status: more.status }),
});

/** The object that a reply holds. */
export const bodyOf = ({ body }: Pick<Reply, "body">): JsonObject => (isObject(body) ? body : {});

/** `metadata.resourceVersion` of a reply. */
export const versionOf = ({ body }: Pick<Reply, "body">): string => textAt(body, "metadata", "resourceVersion");
export const generationOf = ({ body }: Pick<Reply, "body">): Json | undefined => at(body, "metadata", "generation");
export const messageOf = ({ body }: Pick<Reply, "body">): string => textAt(body, "message");
export const reasonOf = ({ body }: Pick<Reply, "body">): string => textAt(body, "reason");

/** Names of the items of a list. */
export const namesOf = ({ body }: Pick<Reply, "body">): readonly string[] => {
  const items = at(body, "items");
  return (isArray(items) ? items : []).map((item) => textAt(item, "metadata", "name"));
};

/** `managedFields` as manager → what it owns (by `fieldsV1`). */
export function ownersOf({ body }: Pick<Reply, "body">): Readonly<Record<string, Json>> {
  const entries = at(body, "metadata", "managedFields");
  const owners = (isArray(entries) ? entries : []).filter(isObject).map((entry): [string, Json] => {
    const subresource = textAt(entry, "subresource");
    const name = [textAt(entry, "manager"), textAt(entry, "operation"), ...(subresource === "" ? [] : [subresource])].join(" ");
    return [name, at(entry, "fieldsV1") ?? null];
  });
  return Object.fromEntries(owners);
}
