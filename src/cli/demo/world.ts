/** The demo's world: five sites, three routes, one zone, as the YAML folder that an operator would write. */

export interface Site {
  /** Name of the member cluster. */
  readonly name: string;
  /** For people. */
  readonly place: string;
  /** AWS region whose location it takes. */
  readonly region: string;
  readonly address: string;
}

/** In the order of their addresses, 127.0.10.1 to 127.0.10.5. */
export const SITES: readonly Site[] = [
  { name: "eu-west", place: "Dublin", region: "eu-west-1", address: "127.0.10.1" },
  { name: "us-east", place: "N. Virginia", region: "us-east-1", address: "127.0.10.2" },
  { name: "ap-northeast", place: "Tokyo", region: "ap-northeast-1", address: "127.0.10.3" },
  { name: "sa-east", place: "São Paulo", region: "sa-east-1", address: "127.0.10.4" },
  { name: "eu-central", place: "Frankfurt", region: "eu-central-1", address: "127.0.10.5" },
];

/** What a site's process tells its supervisor when it listens; any other message is the code of the error that keeps it from it. */
export const LISTENING = "listening";

/** The network that holds every site: probes may go there although it is loopback. */
export const SITES_NETWORK = "127.0.10.0/29";

export const ZONE = "demo.example";

/** Sites of the routes that are not about residency. */
const WORLD = SITES.filter((site) => site.name !== "eu-central");
const WEIGHTS: Readonly<Record<string, number>> = { "eu-west": 50, "us-east": 30, "ap-northeast": 10, "sa-east": 10 };

/**
 * The demo's objects.
 *
 * @param clusterPort port of the sites' HTTP servers
 * @returns file name → YAML text; the files of the folder that the engine watches
 */
export function demoManifests(clusterPort: number): ReadonlyMap<string, string> {
  return new Map([
    ["clusters.yaml", clusters()],
    ["zone.yaml", zone()],
    ["route-shop.yaml", shop(clusterPort)],
    ["route-app.yaml", app(clusterPort)],
    ["route-eu.yaml", eu(clusterPort)],
  ]);
}

const documents = (comment: string, texts: readonly string[]): string => `# ${comment}\n${texts.join("---\n")}`;

const clusters = (): string =>
  documents(
    "The sites that hold replicas, and where they are.",
    SITES.map(
      (site) => `apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata:
  name: ${site.name}
spec:
  location: {cloud: aws, region: ${site.region}} # ${site.place}
`,
    ),
  );

const zone = (): string =>
  documents("The zone that is answered for.", [
    `apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata:
  name: demo
spec:
  domain: ${ZONE}
  owner: demo
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.${ZONE}]
      soa: {minimum: 5s}
      records:
      - {name: ns1, type: A, ttl: 5m, values: [127.0.0.1]}
`,
  ]);

const shop = (port: number): string =>
  documents("Every client gets the nearest healthy site.", [route("shop", port, WORLD.map(backend), "  routing: {order: Nearest}\n")]);

const app = (port: number): string =>
  documents("Clients are spread by weight, and a client network keeps its site.", [
    route(
      "app",
      port,
      WORLD.map((site) => `${backend(site)}, weight: ${WEIGHTS[site.name]}`),
      "  routing: {order: Weighted, sticky: ClientSubnet}\n",
    ),
  ]);

const eu = (port: number): string =>
  documents("Clients in the EU and EEA never leave it; everyone else gets the nearest of all five.", [
    route(
      "eu",
      port,
      SITES.map(backend),
      `  routing:
    order: Nearest
    rules:
    - name: gdpr
      clients: {sets: [eu-gdpr]}
      to: {clusters: [eu-west, eu-central]}
      mode: Require
      unknownPlace: Apply # a client whose country nobody knows, such as this machine, is treated as one of them
`,
    ),
  ]);

const backend = (site: Site): string => `name: ${site.name}, cluster: ${site.name}, addresses: [${site.address}]`;

const route = (name: string, port: number, backends: readonly string[], routing: string): string => `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata:
  name: ${name}
spec:
  hosts: [${name}.${ZONE}]
  ttl: {min: 5s, max: 5s}
  backends:
${backends.map((text) => `  - {${text}}\n`).join("")}${routing}  health:
    probe: {type: HTTP, path: /healthz, port: ${port}}
    interval: 1s
    timeout: 800ms
    fall: 2
  failover:
    failback: {after: 10s}
`;
