/** One replica of the controller: a service whose objects come from Kubernetes, its peers, and the writer that it may become. */
import { readFile } from "node:fs/promises";
import { createClusterManager } from "../../controller/clusters/cluster-manager.ts";
import type { SourceKind } from "../../controller/clusters/cluster-objects.ts";
import { createHubWatch } from "../../controller/hub-watch.ts";
import { createHubWriter, type HubWriter } from "../../controller/hub-writer.ts";
import { KubeError } from "../../controller/kube/kube-error.ts";
import { openKubeApi } from "../../controller/kube/open-kube-api.ts";
import { ownConnection, podNamespace } from "../../controller/kube/own-kubeconfig.ts";
import { createSeenServers } from "../../controller/kube/seen-servers.ts";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import { createKubernetesSource, type KubernetesSource } from "../../controller/kubernetes-source.ts";
import { createPeerMesh } from "../../controller/peers/peer-mesh.ts";
import { readSecret } from "../../controller/peers/read-secret.ts";
import { replicaAddresses, vantageCredentials } from "../../controller/peers/replica-addresses.ts";
import { createReconciler } from "../../controller/reconcile/reconcile.ts";
import type { Reconciled } from "../../controller/reconcile/reconciled.ts";
import { createZoneKeyFiles } from "../../controller/zone-key-files.ts";
import { fileStamp } from "../dns/secret-file.ts";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { type Network, parseNetwork } from "../model/ip.ts";
import { formatListenAddress, type ListenAddress } from "../model/listen-address.ts";
import type { Log } from "../observe/log.ts";
import { CommandError, type Io } from "./io.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";
import { createToldOnce } from "./told-once.ts";
import { version } from "./version.ts";

export interface ControllerOptions extends Omit<ServiceOptions, "source" | "peers" | "replica" | "apiServers" | "writer" | "dnsEndpoints"> {
  /** In the pod's own cluster if not given. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Where the controller's Secrets and Lease are; the pod's own, or the context's, if not given. */
  readonly namespace?: string;
  /** Name of the pod. */
  readonly instance: string;
  /** Random, one for each start. */
  readonly incarnation: string;
  /** CIDRs of API servers that are reached although they are local. */
  readonly clusterAllow: readonly string[];
  readonly sources: readonly SourceKind[];
  /** Without it there are no peers. */
  readonly peerListen?: ListenAddress;
  /** File of the installation's secret. */
  readonly peerSecret?: string;
  /** Name of the headless Service of all replicas. */
  readonly peerService?: string;
  /** Name of the Secret with the credentials of vantages. */
  readonly vantageSecret: string;
}

const DEFAULT_NAMESPACE = "globalroute-system";

/**
 * Starts a replica. It serves before it writes, and goes on serving whatever becomes of the API server.
 *
 * @throws what {@link startService} throws; CommandError when the hub's kubeconfig or the peers' secret cannot be used
 */
export async function startController(options: ControllerOptions, io: Pick<Io, "now" | "every" | "cwd" | "env">, log: Log) {
  const access = await ownConnection(
    {
      ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
      ...(options.context === undefined ? {} : { context: options.context }),
    },
    io.env,
  ).catch((cause: unknown) => {
    throw new CommandError(2, cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const namespace = options.namespace ?? (await podNamespace()) ?? access.namespace ?? DEFAULT_NAMESPACE;
  const ports = systemKubePorts();
  const agent = `globalroute/${version()}`;
  const seen = createSeenServers();
  const open = (userAgent: () => string) => openKubeApi(access.connection, ports, { userAgent, onConnected: seen.note });
  const api = open(() => agent);
  const writerApi = open(() => `${agent} (writer epoch ${writer?.election.term()?.epoch ?? 0})`);
  const told = createToldOnce(ports.now);
  /** A kind that a cluster does not have is no trouble: most have no Gateway API. */
  const onError = (cluster: string, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    if (!told.isNew(cluster, message)) return;
    if (error instanceof KubeError && error.isNotFound) log.debug({ cluster }, message);
    else if (error instanceof KubeError) log.warn({ cluster }, `${message} What was read stays.`);
    else log.error({ cluster, err: error }, "a bug while reading a cluster; what was read stays");
  };

  const mesh = createPeerMesh({
    self: {
      instance: options.instance,
      incarnation: options.incarnation,
      site: options.vantage,
      version: version(),
      ...(options.vantageLocation === undefined
        ? {}
        : { location: { latitude: options.vantageLocation.latitude, longitude: options.vantageLocation.longitude } }),
    },
    secret: await peerSecret(options),
    listen: options.peerListen ?? { address: "127.0.0.1", port: 0 },
    flag: "--peer-listen",
    ports,
    onTrouble: (who, why) => log.warn({ peer: who }, why),
  });
  const clusters = createClusterManager({
    ports,
    open: (connection) => openKubeApi(connection, ports, { userAgent: () => agent, onConnected: seen.note }),
    allow: networks(options.clusterAllow),
    kinds: options.sources,
    onChange() {
      source?.changed();
      writer?.clustersChanged();
    },
    onError,
  });
  let source: KubernetesSource | undefined;
  let writer: HubWriter | undefined;
  let reconciled: Reconciled | undefined;

  const hub = createHubWatch({
    api,
    namespace,
    ...(options.peerService === undefined ? {} : { peerService: options.peerService }),
    ports,
    onChange(what) {
      if (what === "replicas") mesh.setPeers(replicaAddresses(hub.replicas()));
      else clusters.update(hub.objects().clusters, hub.secrets());
      if (hub.held() > 0) writer?.deletesReleased(); // objects that went with their kind are served all the same, and are to be there again
      if (what === "secrets") mesh.setCredentials(vantageCredentials(hub.secrets(), options.vantageSecret));
      source?.changed();
    },
    onError: (error) => onError("the hub", error),
  });
  mesh.onSources(() => source?.changed());
  mesh.onProgrammed(() => writer?.programmedChanged());

  const close = async (): Promise<void> => {
    await mesh.close();
    clusters.close();
    hub.close();
    api.close();
    writerApi.close();
  };
  let service: Service;
  try {
    if (options.peerListen !== undefined) {
      const bound = await mesh.start();
      log.info({ peers: formatListenAddress(bound) }, "peers may connect");
    }
    service = await startService(
      {
        ...options,
        apiServers: seen.list,
        writer: () => writer?.election.holder()?.split("_")[0], // the pod; what follows tells its starts apart
        peers: mesh.port,
        dnsEndpoints: writerApi,
        replica: `${options.instance} ${options.incarnation}`,
        source: {
          open({ timeline, metrics, lastGood }) {
            metrics.attach({
              writerEpoch: () => writer?.election.term()?.epoch,
              clusters: () => clusters.connections().map(({ cluster, state }) => ({ cluster, connected: state === "Connected" })),
              peers: () =>
                mesh.status().map(({ name, role, state, silence }) => ({
                  ...{ peer: name, role, connected: state === "Connected" },
                  ...(silence === undefined ? {} : { ageSeconds: silence / 1000 }),
                })),
            });
            source = createKubernetesSource({
              server: access.connection.server,
              hub,
              clusters: { objects: clusters.objects, isSettled, reported: mesh.sources },
              reconciler: createReconciler({ regions: loadCloudRegions(), allow: networks(options.probeAllow) }),
              keyFiles: createZoneKeyFiles(fileStamp),
              async lastGood() {
                const saved = await lastGood.load();
                return saved?.source === access.connection.server ? saved.inventory : undefined;
              },
              ports,
              onReconciled(next) {
                reconciled = next;
                writer?.offer(next);
              },
              onMissing(kinds) {
                if (kinds.length === 0) return void log.info("the kinds that were missing are there again");
                const message = `the API server does not know ${kinds.join(", ")} any more; the last objects are kept. Install the CustomResourceDefinitions again`;
                log.error(message);
                timeline.add({ kind: "ConfigHeld", object: access.connection.server, message, details: {} });
              },
              onError: (error) => log.error({ err: error }, "the objects could not be reconciled; what is served goes on"),
            });
            return source;
          },
        },
      },
      io,
      log,
    );
  } catch (error) {
    await close();
    throw error;
  }

  /** Whether every member cluster has been read, or has said why not. */
  function isSettled(): boolean {
    return clusters.connections().every(({ state }) => state !== "Connecting");
  }

  const { view } = service;
  writer = createHubWriter({
    api: writerApi,
    namespace,
    identity: `${options.instance}_${options.incarnation}`,
    instance: options.instance,
    hub,
    clusters,
    health: view.health,
    timeline: view.timeline,
    programmed: mesh.programmed,
    removeRecords: service.removeRecords,
    fleets: {
      fleet: (name) => service.fleets.status().find((fleet) => fleet.name === name),
      refusal: (route) => service.fleets.refusals().get(route),
    },
    holdsDeletes: () => view.readiness().degraded.includes("inputs-held"),
    ports,
    onTerm(term) {
      log.info(term === undefined ? {} : { epoch: term.epoch }, term === undefined ? "no longer the writer" : "this replica writes");
      service.writes(term?.epoch);
    },
    onRefused(key, error) {
      if (told.isNew(key, error.message)) log.error({ err: error, object: key }, "the API server refuses to take this");
    },
    onError(what, error) {
      // One line for all objects of a kind: a server in trouble refuses thousands.
      const why = error instanceof KubeError ? `${error.status} ${error.reason}` : String(error);
      if (told.isNew(what.split(" ")[0] ?? "", why)) log.warn({ object: what, err: error }, "writing failed; trying again");
    },
  });
  if (reconciled !== undefined) writer.offer(reconciled);
  const heldOver = view.timeline.subscribe(({ kind }) => {
    if (kind === "ConfigApplied") writer?.deletesReleased();
  });
  const running = writer;
  const unwatch = service.fleets.watch(running.fleetsChanged);
  return {
    ...service,
    async stop(): Promise<void> {
      heldOver();
      unwatch();
      await Promise.all([running.close(), service.stop()]);
      await close();
    },
  };
}

/** Replicas prove themselves with it. Without peers nobody ever asks for it. */
async function peerSecret({ peerListen, peerSecret: file, incarnation }: ControllerOptions): Promise<string> {
  if (peerListen === undefined) return incarnation.padEnd(64, "-");
  if (file === undefined) throw new CommandError(2, "--peer-listen needs --peer-secret FILE: what replicas prove themselves with.");
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CommandError(2, `--peer-secret: ${file} cannot be read. Make it as in: openssl rand -base64 32 > FILE`, { cause });
  });
  const secret = readSecret(text);
  if (secret === undefined)
    throw new CommandError(2, `--peer-secret: ${file} holds less than 32 characters. Make it as in: openssl rand -base64 32 > FILE`);
  return secret;
}

const networks = (texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);
