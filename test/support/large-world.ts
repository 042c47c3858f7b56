/** A folder of objects with many routes over many clusters, and the sites that answer its probes. */
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { readCsv } from "../../src/geo/csv.ts";
import { createObjectsFolder } from "./objects-folder.ts";

export interface LargeWorld {
  readonly path: string;
  readonly clusters: readonly string[];
  /** For `--probe-allow`. */
  readonly network: string;
  /** Stops answering at one cluster. */
  readonly down: (cluster: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** One address for each cluster, which all routes share. No two routes are of one policy: each likes its clusters a little otherwise. */
export async function createLargeWorld(routes: number, clusters: number): Promise<LargeWorld> {
  const places = onePerCountry();
  if (places.length < clusters) throw new Error(`there are only ${places.length} countries with a region`);
  const sites = new Map<string, Server>();
  const folder = createObjectsFolder();
  for (const name of ["eu-west.yaml", "us-east.yaml", "shop.yaml"]) folder.write(name, "");
  const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
  let port = 0;
  const named = places
    .slice(0, clusters)
    .map(({ provider, region }, i) => ({ name: `${provider}-${region}`, provider, region, address: `127.0.20.${i + 1}` }));
  for (const { name, address } of named) {
    const server = createServer((socket) => socket.destroy()).listen(port, address);
    await once(server, "listening");
    const bound = server.address();
    if (bound !== null && typeof bound === "object") port = bound.port;
    sites.set(name, server);
  }
  folder.write(
    "clusters.yaml",
    named
      .map(({ name, provider, region }) => `${head("MemberCluster", name)}spec: {location: {cloud: ${provider}, region: ${region}}}\n`)
      .join("---\n"),
  );
  const backends = (route: number): string =>
    named
      .map(({ name, address }, i) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}], bias: ${(route * 7 + i * 13) % 40}}\n`)
      .join("");
  folder.write(
    "routes.yaml",
    Array.from(
      { length: routes },
      (_, route) => `${head("GlobalRoute", `service-${route + 1}`)}spec:
  hosts: [service-${route + 1}.example.org]
  backends:
${backends(route)}  health:
    probe: {type: TCP, port: ${port}}
    interval: 1s
    timeout: 800ms
    fall: 2
`,
    ).join("---\n"),
  );
  const close = async (server: Server | undefined): Promise<void> => {
    if (server?.listening !== true) return;
    server.close();
    await once(server, "close");
  };
  return {
    path: folder.path,
    clusters: named.map(({ name }) => name),
    network: "127.0.20.0/24",
    down: (cluster) => close(sites.get(cluster)),
    async remove() {
      for (const server of sites.values()) await close(server);
      folder.remove();
    },
  };
}

/** Two clusters in one country are a warning each, for every route. */
function onePerCountry(): { readonly provider: string; readonly region: string }[] {
  const byCountry = new Map<string, { readonly provider: string; readonly region: string }>();
  for (const { provider, region, country } of readCsv(new URL("../../src/geo/data/cloud-regions.csv", import.meta.url))) {
    if (provider === undefined || region === undefined || country === undefined || byCountry.has(country)) continue;
    byCountry.set(country, { provider, region });
  }
  return [...byCountry.values()];
}
