/** Nothing is written that tells nothing new: the whole controller over fake API servers, in simulated time. */
import { afterEach, expect, test } from "vitest";
import { loadCloudRegions } from "../src/geo/cloud-regions.ts";
import { parseNetwork } from "../src/model/ip.ts";
import { readStatus } from "../src/model/read-status.ts";
import { startFakeApiServer } from "../test/support/kube/fake-api-server.ts";
import type { RequestRecord } from "../test/support/kube/http-handler.ts";
import { annotated, dnsZone, ingress, kubeObject, memberCluster } from "../test/support/kube/source-objects.ts";
import { seededRandom } from "../test/support/random.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import { startWorld } from "../test/support/simulated-world.ts";
import { createClusterManager } from "./clusters/cluster-manager.ts";
import { SOURCE_KINDS } from "./clusters/cluster-objects.ts";
import { createHubWatch } from "./hub-watch.ts";
import { createHubWriter, type HubWriter, type HubWriterOptions } from "./hub-writer.ts";
import type { KubeApi } from "./kube/kube-api.ts";
import { type KubeConnection, staticConnection } from "./kube/kube-connection.ts";
import { openKubeApi } from "./kube/open-kube-api.ts";
import { GLOBAL_ROUTES } from "./kube/resources.ts";
import { simulatedPorts } from "./kube/support/simulated-ports.ts";
import { createKubernetesSource, type KubernetesSource } from "./kubernetes-source.ts";
import { createPeerMesh } from "./peers/peer-mesh.ts";
import { createReconciler } from "./reconcile/reconcile.ts";
import type { Reconciled } from "./reconcile/reconciled.ts";
import { conditionOf } from "./status/conditions.ts";

const NAMESPACE = "globalroute-system";
const CLUSTERS: readonly string[] = ["eu", "us", "jp"];
const ROUTES: readonly string[] = ["shop", "blog", "docs"];
const MINUTE = 60_000;
/** Of simulated time, after which all requests that were begun meanwhile get their answers. */
const STEP = 200;

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

const addressOf = (cluster: string): string => `192.0.2.${CLUSTERS.indexOf(cluster) + 1}`;

async function startAll() {
  const clock = createSimulatedClock(Date.parse("2026-11-21T12:00:00Z"));
  const random = seededRandom(4);
  const ports = simulatedPorts(clock, random);
  const time = { now: clock.wallClock, setTimer: ports.setTimer };
  const startServer = async (tls: boolean) => {
    const server = await startFakeApiServer({ tls, ...time });
    closings.push(server.close);
    return server;
  };
  const hubServer = await startServer(false);
  const members = new Map<string, Awaited<ReturnType<typeof startServer>>>();
  hubServer.seed([
    dnsZone("example.org", [{ namespaceSelector: { matchLabels: { team: "web" } } }]),
    kubeObject("v1", "Namespace", { namespace: "", name: "web", labels: { team: "web" } }, {}),
  ]);
  for (const cluster of CLUSTERS) {
    const member = await startServer(true);
    members.set(cluster, member);
    member.seed(ROUTES.map((name) => ingress({ name, annotations: annotated() }, [`${name}.example.org`], [addressOf(cluster)])));
    const secret = kubeObject("v1", "Secret", { namespace: NAMESPACE, name: cluster }, undefined);
    hubServer.seed([
      { ...secret, data: { kubeconfig: Buffer.from(member.kubeconfig()).toString("base64") } },
      memberCluster(cluster, {}, { access: { secretRef: { name: cluster, key: "kubeconfig" } } }),
    ]);
  }

  let underWay = 0;
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      underWay++;
      try {
        return await call(...args);
      } finally {
        underWay--;
      }
    };
  function open(connection: KubeConnection): KubeApi {
    const api = openKubeApi(connection, ports, { userAgent: () => "test" });
    closings.push(api.close);
    const { get, list, create, replace, apply, mergePatch, delete: remove, request } = api;
    return {
      ...api,
      get: counted(get),
      list: counted(list),
      create: counted(create),
      replace: counted(replace),
      apply: counted(apply),
      mergePatch: counted(mergePatch),
      delete: counted(remove),
      request: counted(request),
    };
  }
  /** The network takes no simulated time to speak of. */
  async function advance(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= STEP) {
      await clock.advance(Math.min(left, STEP));
      do await new Promise((resolve) => setImmediate(resolve));
      while (underWay > 0);
    }
  }

  const errors: unknown[] = [];
  const hubConnection = staticConnection(hubServer.url, { token: hubServer.adminToken }, { allowHttp: true });
  let source: KubernetesSource | undefined;
  let writer: HubWriter | undefined;
  let reconciled: Reconciled | undefined;
  const mesh = createPeerMesh({
    self: { instance: "a", incarnation: "1", site: "here", version: "0" },
    secret: "a secret of this test, longer than thirty-two characters",
    listen: { address: "127.0.0.1", port: 0 },
    flag: "",
    ports,
    onTrouble: (who, why) => errors.push(`${who}: ${why}`),
  });
  const clusters = createClusterManager({
    ports,
    open,
    allow: [parseNetwork("127.0.0.0/8")!],
    kinds: SOURCE_KINDS,
    onChange() {
      source?.changed();
      writer?.clustersChanged();
    },
  });
  const hub = createHubWatch({
    api: open(hubConnection),
    namespace: NAMESPACE,
    ports,
    onChange() {
      clusters.update(hub.objects().clusters, hub.secrets());
      source?.changed();
    },
    onError: (error) => errors.push(error),
  });
  mesh.onProgrammed(() => writer?.programmedChanged());
  source = createKubernetesSource({
    server: hubServer.url,
    hub,
    clusters: {
      objects: clusters.objects,
      isSettled: () => clusters.connections().every(({ state }) => state !== "Connecting"),
      reported: mesh.sources,
    },
    reconciler: createReconciler({ regions: loadCloudRegions(), allow: [] }),
    keyFiles: { fill: (whole) => whole, areChanged: () => false },
    lastGood: async () => undefined,
    ports,
    onReconciled(next) {
      reconciled = next;
      writer?.offer(next);
    },
    onMissing: (kinds) => errors.push(kinds),
    onError: (error) => errors.push(error),
  });

  let world: Awaited<ReturnType<typeof startWorld>> | undefined;
  let failure: unknown;
  startWorld({ files: {}, source, clock, peers: mesh.port, latency: () => 1 + 79 * random() }).then(
    (started) => (world = started),
    (error: unknown) => (failure = error),
  );
  while (world === undefined) {
    if (failure !== undefined) throw failure;
    await advance(STEP);
  }
  const { engine, set } = world;
  const startWriter = (identity: string): HubWriter => {
    const next = createHubWriter({ ...writing, identity });
    if (reconciled !== undefined) next.offer(reconciled);
    return next;
  };
  async function stopWriter(ending: HubWriter | undefined): Promise<void> {
    let over = false;
    const closing = ending?.close().then(() => (over = true));
    while (!over && closing !== undefined) await advance(STEP);
  }
  const writing: Omit<HubWriterOptions, "identity"> = {
    api: open(hubConnection),
    namespace: NAMESPACE,
    instance: "a",
    hub,
    clusters,
    health: engine.view.health,
    timeline: engine.view.timeline,
    programmed: mesh.programmed,
    removeRecords: async () => ({ kind: "NotYet" }),
    fleets: { fleet: () => undefined, refusal: () => undefined },
    holdsDeletes: () => false,
    ports,
    onTerm: () => {},
    onRefused: (key, error) => errors.push([key, error]),
    onError: (what, error) => errors.push([what, error]),
  };
  writer = startWriter("a_1");
  closings.push(async () => {
    await stopWriter(writer);
    const ending = Promise.all([engine.stop(), mesh.close()]);
    await advance(1000);
    await ending;
    clusters.close();
    hub.close();
  });
  const servers = [hubServer, ...members.values()];
  return {
    advance,
    errors,
    set,
    hubServer,
    async handOver() {
      await stopWriter(writer);
      writer = startWriter("b_1");
    },
    /** How many requests each server has had so far. */
    mark: () => servers.map(({ log }) => log.length),
    /** Everything else than reading one object, resuming a watch and renewing the writer's Lease, since a mark. */
    loud: (mark: readonly number[]) =>
      servers.flatMap(({ log }, i) =>
        log
          .slice(mark[i])
          .filter((entry) => !isQuiet(entry))
          .map(({ verb, path, body }) => `${verb} ${path} ${JSON.stringify(body)}`),
      ),
    renewals: (mark: readonly number[]) => hubServer.log.slice(mark[0]).filter(isRenewal).length,
    resumed: (mark: readonly number[]) => servers.map(({ log }, i) => log.slice(mark[i]).filter(({ verb }) => verb === "watch").length),
  };
}

const isRenewal = ({ verb, path }: RequestRecord): boolean =>
  verb === "update" && path.split("?")[0]!.endsWith("/leases/globalroute-writer");
const isQuiet = (entry: RequestRecord): boolean => entry.verb === "get" || entry.verb === "watch" || isRenewal(entry);

test("an hour in which only latencies change: no write but renewals of the Lease, and no list", async () => {
  const all = await startAll();
  await all.advance(2 * MINUTE);
  for (const name of ROUTES) {
    const status = readStatus("GlobalRoute", all.hubServer.object(GLOBAL_ROUTES, "web", name)?.status);
    expect(conditionOf(status?.conditions, "Ready")?.status).toBe("True");
    expect(status?.summary?.health).toBe("3/3");
  }
  const mark = all.mark();
  await all.advance(60 * MINUTE);
  expect(all.loud(mark)).toEqual([]);
  expect(all.errors).toEqual([]);
  expect(all.renewals(mark)).toBeGreaterThan(600);
  for (const count of all.resumed(mark)) expect(count).toBeGreaterThan(60); // servers end watches, and they go on

  // Nor does another replica that becomes the writer.
  await all.handOver();
  await all.advance(5 * MINUTE);
  expect(all.loud(mark)).toEqual([]);
  expect(all.errors).toEqual([]);

  // It was no sleep: an outage is written at once.
  all.set(addressOf("eu"), "refused");
  await all.advance(MINUTE);
  expect(all.loud(mark).some((line) => line.startsWith("patch") && line.includes("/globalroutes/shop/status"))).toBe(true);
  expect(all.loud(mark).some((line) => line.startsWith("create") && line.includes("ClusterFailover"))).toBe(true);
}, 120_000);
