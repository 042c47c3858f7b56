/**
 * A Kubernetes API server within this process, for tests: real HTTP, real objects with versions, watches, schemas, CEL rules, server-side
 * apply and permissions. The contract suite beside it says what it has in common with kube-apiserver 1.35, which passes it as well.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { parseAllDocuments } from "yaml";
import type { KubeObject, Resource } from "../../../controller/kube/kube-object.ts";
import { readCertificates } from "../tls/certificates.ts";
import { type AccessRule, createAccess } from "./access.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { FenceOptions } from "./fence.ts";
import { gatewayCrds } from "./gateway-crds.ts";
import { handleHttp, type RequestRecord } from "./http-handler.ts";
import { isObject, type Json, type JsonObject, textAt, toJson, withMetadata } from "./json.ts";
import { storageOf } from "./kinds.ts";
import { createLists } from "./lists.ts";
import { CRD_STORAGE, createRegistry } from "./registry.ts";
import { createStore, type StoreSnapshot } from "./store.ts";
import { createWatches, type SetTimer } from "./watch.ts";
import type { WriteRequest } from "./write-request.ts";
import { createObject } from "./writes.ts";

export interface FakeApiOptions {
  /** HTTPS with the certificates of test/support/tls; default false. */
  readonly tls?: boolean;
  /** 0, the default: any that is free. */
  readonly port?: number;
  /** Our CRDs, from the chart; default true. */
  readonly crds?: boolean;
  /** Versions in which TLSRoute is served; default v1; false = no kind of the Gateway API is. */
  readonly gatewayApi?: readonly string[] | false;
  /** Milliseconds; default 60,000. */
  readonly bookmarkInterval?: number;
  /** Changes of a kind that can be watched again at most; default 100,000. */
  readonly historyLimit?: number;
  /** Milliseconds since the epoch; default the real clock. */
  readonly now?: () => number;
  /** Ends watches and sends their bookmarks; default real timers. */
  readonly setTimer?: SetTimer;
  readonly fence?: FenceOptions;
}

export interface Counters {
  connections: number;
  lists: number;
  watches: number;
  writes: number;
}

export interface FakeApiServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of a cluster admin. */
  readonly adminToken: string;
  /** PEM of what signed the server's certificate, with `tls`. */
  readonly ca: string | undefined;
  /** A kubeconfig (JSON, which is YAML). @param token default: the admin's */
  kubeconfig(token?: string): string;
  /** Creates objects as the admin, without HTTP; namespaces that are missing are made. An object that stands there is replaced. */
  seed(objects: readonly unknown[]): void;
  object(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined;
  objects(resource: Resource): readonly KubeObject[];
  /** Lets a token in. @param user default: the token's text */
  grant(token: string, access: { readonly user?: string; readonly rules?: readonly AccessRule[] }): void;
  revoke(token: string): void;
  readonly faults: Faults;
  readonly log: readonly RequestRecord[];
  readonly counters: Readonly<Counters>;
  openWatches(): number;
  /** Forgets the history: watches and pages of before end with 410. */
  compact(): void;
  sendBookmarks(): void;
  /** @returns how many there were */
  cutWatches(): number;
  closeConnections(): void;
  snapshot(): StoreSnapshot;
  /** As an etcd that was restored from a backup: other objects, no events, watches cut. */
  restore(snapshot: StoreSnapshot): void;
  /** As a cluster restored without its objects; its CRDs and first namespaces are there. */
  wipe(): void;
  close(): Promise<void>;
}

const CRD_FOLDER = new URL("../../../charts/globalroute/files/crds/", import.meta.url);
const FIRST_NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
const ADMIN_TOKEN = "fake-admin-token";
const LOG_LIMIT = 100_000;

/** The CRDs that the chart installs. */
export const chartCrds = (): readonly JsonObject[] =>
  readdirSync(CRD_FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) => parseAllDocuments(readFileSync(new URL(name, CRD_FOLDER), "utf8")).map((one) => toJson(one.toJS())))
    .filter(isObject)
    .filter(({ kind }) => kind === "CustomResourceDefinition");

/** Starts one on 127.0.0.1. */
export async function startFakeApiServer(options: FakeApiOptions = {}): Promise<FakeApiServer> {
  const now = options.now ?? Date.now;
  const store = createStore(options.historyLimit ?? 100_000);
  const registry = createRegistry(store);
  const access = createAccess(store, ADMIN_TOKEN, now);
  const watches = createWatches(store, options.bookmarkInterval ?? 60_000, options.setTimer ?? realTimer);
  const sockets = new Set<Socket>();
  const closeConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const faults = createFaults(closeConnections);
  const log: RequestRecord[] = [];
  const counters: Counters = { connections: 0, lists: 0, watches: 0, writes: 0 };
  const record = (entry: RequestRecord): void => {
    log.push(entry);
    if (log.length > LOG_LIMIT) log.shift();
    if (entry.verb === "list") counters.lists++;
    else if (entry.verb === "watch") counters.watches++;
    else if (entry.method !== "GET") counters.writes++;
  };
  const writing = { store, now, ...(options.fence === undefined ? {} : { fence: options.fence }) };
  const world = { ...writing, registry, access, list: createLists(store), faults, watches, record };

  const seedOne = (value: Json): void => {
    const kind = isObject(value) ? registry.kindOf(value) : undefined;
    if (!isObject(value) || kind === undefined)
      throw new Error(`a seed is of no kind that is served: ${JSON.stringify(value).slice(0, 200)}`);
    const namespace = kind.namespaced ? textAt(value, "metadata", "namespace") || "default" : undefined;
    if (namespace !== undefined && store.get("/namespaces", namespace) === undefined) seedOne(namespaceNamed(namespace));
    const request: WriteRequest = { kind, namespace, subresource: "", user: ADMIN, manager: "seed", dryRun: false, strict: false };
    const key = `${namespace === undefined ? "" : `${namespace}/`}${textAt(value, "metadata", "name")}`;
    store.remove(storageOf(kind), key);
    const { object } = createObject({ store, now }, request, withMetadata(value, { resourceVersion: undefined }));
    // Statuses are a subresource; a seed may bring one all the same.
    if (value.status !== undefined) store.put(storageOf(kind), { ...object, status: value.status });
  };
  for (const name of FIRST_NAMESPACES) seedOne(namespaceNamed(name));
  if (options.crds !== false) for (const crd of chartCrds()) seedOne(crd);
  if (options.gatewayApi !== false) for (const crd of gatewayCrds(options.gatewayApi ?? ["v1"])) seedOne(crd);
  const pristine = store.snapshot();

  const answer = (request: IncomingMessage, response: ServerResponse): void => void handleHttp(world, request, response);
  const certificates = options.tls === true ? readCertificates() : undefined;
  const server =
    certificates === undefined ? createServer(answer) : createTlsServer({ key: certificates.key, cert: certificates.cert }, answer);
  server.keepAliveTimeout = 60_000; // as patient as the real one, so that no client meets a closed connection
  server.on("connection", (socket: Socket) => {
    counters.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (faults.isDown()) socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = addressOf(server.address());
  const url = `${certificates === undefined ? "http" : "https"}://127.0.0.1:${port}`;

  return {
    url,
    adminToken: ADMIN_TOKEN,
    ca: certificates?.ca,
    kubeconfig: (token = ADMIN_TOKEN) => JSON.stringify(kubeconfigOf(url, token, certificates?.ca)),
    seed: (objects) => {
      for (const object of objects) seedOne(toJson(object));
    },
    object: (resource, namespace, name) =>
      kubeObject(store.get(storageOf(resource), namespace === undefined ? name : `${namespace}/${name}`)),
    objects: (resource) =>
      store
        .list(storageOf(resource))
        .map(kubeObject)
        .filter((one) => one !== undefined),
    grant: (token, { user = token, rules = [] }) => access.grant(token, { name: user, groups: ["system:authenticated"] }, rules),
    revoke: access.revoke,
    faults,
    log,
    counters,
    openWatches: watches.open,
    compact: store.compact,
    sendBookmarks: watches.sendBookmarks,
    cutWatches: watches.cut,
    closeConnections,
    snapshot: store.snapshot,
    restore(snapshot) {
      watches.cut();
      store.restore(snapshot);
    },
    wipe() {
      watches.cut();
      const crds = store.snapshot().objects.get(CRD_STORAGE) ?? new Map();
      store.restore({ objects: new Map([...pristine.objects, [CRD_STORAGE, crds]]) });
    },
    close: () =>
      new Promise<void>((resolve) => {
        watches.cut();
        server.close(() => resolve());
        closeConnections();
      }),
  };
}

const realTimer: SetTimer = (delay, callback) => {
  const timer = setTimeout(callback, delay);
  return () => clearTimeout(timer);
};

const ADMIN = { name: "admin", groups: ["system:masters"] };

const namespaceNamed = (name: string): JsonObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("the fake API server has no port");
  return address;
}

const isKubeObject = (value: unknown): value is KubeObject => typeof value === "object" && value !== null && "metadata" in value;
const kubeObject = (object: JsonObject | undefined): KubeObject | undefined => (isKubeObject(object) ? object : undefined);

/** The certificate is for `shop.example.org`, hence the server name. */
const kubeconfigOf = (server: string, token: string, ca: string | undefined): JsonObject => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name: "fake",
      cluster: {
        server,
        ...(ca === undefined
          ? {}
          : { "certificate-authority-data": Buffer.from(ca).toString("base64"), "tls-server-name": "shop.example.org" }),
      },
    },
  ],
  users: [{ name: "user", user: { token } }],
  contexts: [{ name: "fake", context: { cluster: "fake", user: "user", namespace: "default" } }],
  "current-context": "fake",
});
