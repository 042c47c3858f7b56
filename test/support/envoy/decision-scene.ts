/** A route as DNS would answer it, passed on by a real Envoy in Tokyo: what became of requests of many clients. */
import { createServer, type Server } from "node:http";
import { Agent, request } from "undici";
import { onTestFinished, vi } from "vitest";
import type { Place } from "../../../src/geo/geo-table.ts";
import type { Route } from "../../../src/model/inventory.ts";
import { type ClientClasses, clientClasses, questionsOf } from "../../../src/proxy/client-classes.ts";
import { planClients } from "../../../src/proxy/client-groups.ts";
import { CLASS_HEADER, SUBNET_HEADER } from "../../../src/proxy/envoy/client-headers.ts";
import type { EdgeRoute } from "../../../src/proxy/envoy/edge-route.ts";
import { policyOf } from "../../../src/routing/policy.ts";
import type { RoutingTable, Standing } from "../../../src/routing/table.ts";
import { freePort } from "../free-port.ts";
import { testBackend, testInventory, testRoute } from "../world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../world/compile-test-world.ts";
import { HOST, PLACE, startFleet } from "./edge-scene.ts";
import { edgeSettings } from "./edge-settings.ts";
import { type RealEnvoy, startEnvoy } from "./real-envoy.ts";

const TOKYO: Place = { continent: "AS", country: "JP", latitude: 35.7, longitude: 139.7 };
export const CLUSTERS = ["frankfurt", "dublin", "virginia", "tokyo"] as const;
export type ClusterName = (typeof CLUSTERS)[number];
const addressOf = (cluster: ClusterName): string => `127.0.23.${CLUSTERS.indexOf(cluster) + 1}`;

export interface DecisionScene {
  table(): RoutingTable;
  classes(): ClientClasses;
  /** Anew by the table's standings: returns when the Envoy has taken it. */
  tell(standings?: Partial<Record<ClusterName, Standing>>): Promise<void>;
  /** Another route in its place, everything usable: returns when the Envoy has taken it. */
  change(route: Partial<Route>): Promise<void>;
  /** Its server is gone, as far as connections can tell. */
  kill(cluster: ClusterName): Promise<void>;
  /** A request, from an address of loopback or with an address that a trusted proxy saw. @returns the cluster that answered, or the status */
  ask(from: { readonly local: string } | { readonly seen: string }, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** Who answered each client, some at a time. */
  askAll(seen: readonly string[]): Promise<readonly string[]>;
  restartEnvoy(): Promise<void>;
  restartUs(): Promise<void>;
}

export interface SceneOptions {
  readonly route: Partial<Route>;
  readonly weights?: readonly number[];
  readonly trustedHops: number;
  readonly variant?: "GRPC" | "DELTA_GRPC";
}

const AT_ONCE = 16;

/** Inside a test. Everything is usable at first. */
export async function startDecisions({
  route: more,
  weights = [100, 100, 100, 100],
  trustedHops,
  variant = "DELTA_GRPC",
}: SceneOptions): Promise<DecisionScene> {
  const port = await freePort();
  const servers = new Map<ClusterName, Server>();
  const hidden = [CLASS_HEADER, ...(more.sticky === "ClientSubnet" ? [] : [SUBNET_HEADER])];
  for (const cluster of CLUSTERS) servers.set(cluster, await serve(cluster, port, hidden));
  let world = worldOf(more, weights);
  const edgeRoute = (): EdgeRoute => {
    const { table, measures, policy, classes, route } = world;
    return {
      key: "default/shop",
      hosts: [HOST],
      settings: { ...edgeSettings(port), sticky: route.sticky },
      ...planClients(policy, new Map([[PLACE, { table, route, index: 0, policy, measures, place: TOKYO }]]), classes),
    };
  };
  const update = (): void => fleet.update([edgeRoute()], world.classes.classes);
  const listener = { listen: { address: "127.0.0.1", port: 0 }, trustedHops };
  let fleet = await startFleet({ listener });
  const newEnvoy = () => startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant });
  update();
  let envoy: RealEnvoy = await newEnvoy();
  const isCurrent = () =>
    vi.waitFor(
      () => {
        const states = fleet.nodes().flatMap(({ types }) => Object.values(types));
        if (states.length !== 4 || states.some((state) => state !== "Current"))
          throw new Error(`${states} ${JSON.stringify(fleet.rejections())}`);
      },
      { timeout: 20_000, interval: 5 },
    );
  let to = await envoy.listenerPort();
  await isCurrent();

  const agents = new Map<string, Agent>();
  const agentFor = (localAddress: string): Agent => {
    const known = agents.get(localAddress) ?? new Agent({ localAddress, connections: AT_ONCE });
    agents.set(localAddress, known);
    return known;
  };
  const forgetConnections = async (): Promise<void> => {
    await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    agents.clear();
  };
  onTestFinished(forgetConnections);

  const ask: DecisionScene["ask"] = async (from, headers = {}) => {
    const local = "local" in from ? from.local : "127.0.0.1";
    const seen = "seen" in from ? { "x-forwarded-for": from.seen } : {};
    const options = { dispatcher: agentFor(local), headers: { host: HOST, ...seen, ...headers } };
    const { statusCode, body } = await request(`http://127.0.0.1:${to}/`, options);
    const text = await body.text();
    return statusCode === 200 ? text : `${statusCode}`;
  };
  return {
    ask,
    table: () => world.table,
    classes: () => world.classes,
    async tell(standings = {}) {
      for (const [cluster, standing] of Object.entries(standings)) {
        const position = CLUSTERS.indexOf(cluster as ClusterName);
        world.table.state.standing[2 * position] = standing;
        world.table.state.addressStanding[position] = standing;
      }
      update();
      await isCurrent();
    },
    async change(route) {
      world = worldOf(route, weights);
      update();
      await isCurrent();
    },
    async kill(cluster) {
      const server = servers.get(cluster);
      server?.closeAllConnections();
      await new Promise((resolve) => server?.close(resolve));
    },
    async askAll(seen) {
      const answers: string[] = [];
      const next = seen.keys();
      const worker = async (): Promise<void> => {
        for (const i of next) answers[i] = await ask({ seen: seen[i]! });
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return answers;
    },
    async restartEnvoy() {
      envoy.process.kill("SIGKILL");
      await forgetConnections();
      await vi.waitFor(() => {
        if (fleet.nodes().length > 0) throw new Error("it is still there");
      });
      envoy = await newEnvoy();
      to = await envoy.listenerPort();
      await isCurrent();
    },
    async restartUs() {
      await fleet.close();
      const again = await startFleet({ listener, listen: { address: "127.0.0.1", port: fleet.port } });
      fleet = again;
      update();
      await isCurrent();
    },
  };
}

/** Everything is usable. */
function worldOf(more: Partial<Route>, weights: readonly number[]) {
  const route = testRoute(
    CLUSTERS.map((cluster, i) => testBackend(cluster, 1, { addresses: [addressOf(cluster)], weight: weights[i]! })),
    { hosts: [HOST], ...more },
  );
  const inventory = testInventory([route]);
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const clusters = new Map(inventory.clusters.map(({ name }, i) => [name, i]));
  const subnets = new Map(table.geo.subnets.map((subnet, i) => [subnet, i]));
  const policy = policyOf(route, inventory, clusters, subnets);
  return { route, table, measures, policy, classes: clientClasses(table.geo, questionsOf([route], subnets)) };
}

/** Answers with the cluster's name, and with those headers that should not get that far. */
async function serve(cluster: ClusterName, port: number, hidden: readonly string[]): Promise<Server> {
  const server = createServer(({ headers }, response) => {
    const ours = Object.keys(headers).filter((name) => hidden.includes(name));
    response.writeHead(200).end([cluster, ...ours].join(" "));
  });
  await new Promise<void>((resolve) => server.listen(port, addressOf(cluster), resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}
