/** A vantage: probes what hubs ask for from where it stands, and tells them what it finds. It never answers DNS. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { createClusterLink } from "../../controller/clusters/cluster-link.ts";
import type { SourceKind } from "../../controller/clusters/cluster-objects.ts";
import { openKubeApi } from "../../controller/kube/open-kube-api.ts";
import { ownConnection } from "../../controller/kube/own-kubeconfig.ts";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import { createPeerClient } from "../../controller/peers/peer-client.ts";
import { type Hello, PROTOCOL } from "../../controller/peers/peer-messages.ts";
import { readSecret } from "../../controller/peers/read-secret.ts";
import { SHORTEST_SECRET } from "../../controller/peers/seal.ts";
import { createVantageExchange, type VantageExchange } from "../../controller/peers/vantage-exchange.ts";
import { createMonitor } from "../../health/monitor.ts";
import { systemPorts } from "../../health/ports.ts";
import { createProber } from "../../health/probes/prober.ts";
import { expandWildcards } from "../dns/local-addresses.ts";
import type { Endpoint } from "../model/health.ts";
import type { Location } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import { CommandError, type Io } from "./io.ts";
import { referenceEndpoint } from "./reference-endpoint.ts";
import { serveVantageHttp } from "./vantage-http.ts";
import { version } from "./version.ts";

export interface VantageOptions {
  /** Name of the site, of its credential, and of the cluster whose objects it reports. */
  readonly name: string;
  /** Tells instances with one name apart. */
  readonly instance: string;
  readonly incarnation: string;
  readonly hubs: readonly { readonly host: string; readonly port: number }[];
  /** File with the secret. */
  readonly credential: string;
  readonly location?: Location;
  /** CIDRs that may be probed although they are loopback, link-local or the like. */
  readonly probeAllow: readonly string[];
  readonly references: readonly ListenAddress[];
  readonly metrics?: ListenAddress;
  /** Report the objects of a cluster; without a kubeconfig, of the one that this runs in. */
  readonly sources?: { readonly kinds: readonly SourceKind[]; readonly kubeconfig?: string; readonly context?: string };
}

export interface VantageService {
  /** Where metrics are, if anywhere. */
  readonly metrics?: ListenAddress;
  readonly stop: () => Promise<void>;
}

/** @throws CommandError for the credential or the kubeconfig, ListenError for the metrics */
export async function startVantage(options: VantageOptions, io: Pick<Io, "cwd" | "env">, log: Log): Promise<VantageService> {
  const secret = await loadCredential(resolve(io.cwd, options.credential));
  const metrics = createMetrics({ processMetrics: true });
  metrics.attach({ version });
  const prober = createProber({
    allow: options.probeAllow.flatMap((text) => parseNetwork(text) ?? []),
    refuse: expandWildcards(options.metrics === undefined ? [] : [options.metrics], networkInterfaces()),
  });
  const ports = systemKubePorts();
  let targets: ReadonlyMap<string, Endpoint> | undefined;

  const monitor = createMonitor({
    vantage: options.name,
    replica: options.instance,
    ports: systemPorts(prober.probe),
    references: options.references.map(referenceEndpoint),
    onObservation(observation) {
      const endpoint = targets?.get(observation.endpoint);
      if (endpoint !== undefined) metrics.probe(endpoint.cluster, observation.reason, observation.latency / 1000);
    },
    onVote: (key, vote) => exchange.voted(key, vote),
    onChange(key, { health, reason }) {
      const endpoint = targets?.get(key);
      if (endpoint !== undefined)
        log.info({ cluster: endpoint.cluster, address: endpoint.address, port: endpoint.probe.port, health, reason }, "seen from here");
    },
    onSuspect({ suspect, clusters }) {
      if (suspect)
        log.warn({ clusters }, "many clusters fall silent at once: this vantage may be cut off itself, and does not vote on them");
      else log.info({ clusters }, "this vantage votes on all clusters again");
    },
  });
  const exchange: VantageExchange = createVantageExchange({
    ports,
    onTargets(endpoints) {
      targets = new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]));
      monitor.setEndpoints(endpoints);
      log.info({ endpoints: endpoints.length }, "told what to probe");
    },
  });

  const http = options.metrics === undefined ? undefined : await serveVantageHttp(options.metrics, metrics, () => targets !== undefined);
  try {
    const link = options.sources === undefined ? undefined : await followSources(options, options.sources, exchange, io, log);
    const clients = dialHubs(options, secret, exchange, log);
    metrics.attach({
      peers: () =>
        clients.map(({ hub }) => {
          const silence = exchange.silence(hub);
          const age = silence === undefined ? {} : { ageSeconds: silence / 1000 };
          return { peer: hub, role: "replica", connected: exchange.isConnected(hub), ...age };
        }),
    });
    return {
      ...(http === undefined ? {} : { metrics: http.address }),
      async stop() {
        for (const { client } of clients) client.close();
        link?.close();
        monitor.close();
        await prober.close();
        await http?.close();
      },
    };
  } catch (error) {
    monitor.close();
    await http?.close();
    throw error;
  }
}

function dialHubs({ name, instance, incarnation, location, hubs }: VantageOptions, secret: string, exchange: VantageExchange, log: Log) {
  const hello: Hello = {
    type: "hello",
    protocol: PROTOCOL,
    role: "vantage",
    instance,
    incarnation,
    site: name,
    version: version(),
    ...(location === undefined ? {} : { location: { latitude: location.latitude, longitude: location.longitude } }),
  };
  return hubs.map((target) => {
    const hub = target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
    let told = "";
    const client = createPeerClient({
      target,
      identity: { kind: "vantage", name },
      secret,
      hello,
      ports: systemKubePorts(),
      accept(theirs, stream) {
        told = "";
        log.info({ hub, replica: theirs.instance, version: theirs.version }, "connected");
        return exchange.dialled(hub, theirs, stream);
      },
      onTrouble(why) {
        if (told !== why) log.warn({ hub, reason: why }, "the hub cannot be reported to; probing goes on");
        told = why;
      },
    });
    return { hub, client };
  });
}

async function followSources(
  { name }: VantageOptions,
  { kinds, kubeconfig, context }: NonNullable<VantageOptions["sources"]>,
  exchange: VantageExchange,
  io: Pick<Io, "cwd" | "env">,
  log: Log,
) {
  const access = {
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(io.cwd, kubeconfig) }),
    ...(context === undefined ? {} : { context }),
  };
  const { connection } = await ownConnection(access, io.env).catch((cause: unknown) => {
    throw new CommandError(2, cause instanceof Error ? cause.message : String(cause), { cause });
  });
  let told = "";
  const link = createClusterLink({
    cluster: name,
    ports: systemKubePorts(),
    open: (to) => openKubeApi(to, systemKubePorts(), { userAgent: () => `globalroute/${version()} vantage ${name}` }),
    onChange() {
      exchange.setSources(link.objects());
      const { state, message } = link.connection();
      if (message !== told) log[state === "Connected" ? "info" : "warn"]({ cluster: name, state }, message);
      told = message;
    },
  });
  link.use(connection, kinds);
  return link;
}

async function loadCredential(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(
      2,
      `the credential ${path} cannot be read (${cause.code}). Write it there, or name another file with --credential.`,
      {
        cause,
      },
    );
  });
  const secret = readSecret(text);
  if (secret === undefined) {
    const remedy = "Make one with: openssl rand -base64 32";
    throw new CommandError(2, `the credential ${path} has less than ${SHORTEST_SECRET} characters. ${remedy}`);
  }
  return secret;
}
