/** Our own server as a contender: the whole program, with everything that it has in service. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { launcher } from "../../test/support/demo.ts";
import type { Contender, World } from "./contender.ts";
import { DATACENTERS, MANY_NAMES, ONE_NAME, RULES, TTL, ZONE } from "./steering.ts";

/**
 * @param name      in keys of ratios
 * @param transport of `--dns-transport`; `xdp` is `fast` with `--dns-xdp lo`
 * @param adminPort of its HTTP API, on 127.0.0.1
 */
export function ownServer(name: string, transport: "fast" | "dgram" | "xdp", adminPort: number): Contender {
  return {
    name,
    isGeo: true,
    program: () => process.execPath,
    isReady: () => everyClusterIsHealthy(`http://127.0.0.1:${adminPort}`),
    configure(world, folder, port) {
      const config = join(folder, "config");
      mkdirSync(config);
      writeObjects(world, config);
      return [
        ...[launcher, "serve", "--config", config, "--state", join(folder, "state"), "--mmdb", world.databaseFile],
        ...["--listen", `127.0.0.1:${port}`, "--listen", `[::1]:${port}`, "--admin", `127.0.0.1:${adminPort}`],
        ...["--probe-allow", "127.0.0.0/8", "--log-level", "warn", "--json"],
        ...(transport === "xdp" ? ["--dns-transport", "fast", "--dns-xdp", "lo"] : ["--dns-transport", transport]),
        ...["--dns-workers", "1"],
        ...RATE_LIMITS,
      ];
    },
  };
}

/** Counted for every query, and never reached. */
const RATE_LIMITS = ["--rate-limit", "1000000", "--rate-limit-source", "1000000", "--rate-limit-exempt", "none"];

const clusterList = z.object({ clusters: z.array(z.object({ health: z.string() })) });

async function everyClusterIsHealthy(admin: string): Promise<boolean> {
  const response = await fetch(`${admin}/v1/clusters`).catch(() => undefined);
  if (response?.ok !== true) return false;
  const { clusters } = clusterList.parse(await response.json());
  return clusters.length === DATACENTERS.length && clusters.every(({ health }) => health === "Healthy");
}

/** A route may have 64 hosts. */
const HOSTS = 64;

function writeObjects({ probePort }: World, folder: string): void {
  const objects: string[] = [];
  const write = (kind: string, name: string, spec: object): void => {
    objects.push(JSON.stringify({ apiVersion: "globalroute.dev/v1alpha1", kind, metadata: { name }, spec })); // JSON is YAML
  };
  write("DNSZone", "bench", { domain: ZONE, provider: { type: "Embedded", embedded: { nameservers: ["ns1.example.net"] } } });
  for (const { name } of DATACENTERS) write("MemberCluster", name, { location: { cloud: "aws", region: name } });
  const rules = RULES.map(({ to, countries, continents }, i) => ({
    name: `rule-${i}`,
    clients: { ...(countries.length > 0 && { countries }), ...(continents.length > 0 && { continents }) },
    to: { clusters: [to] },
    mode: "Prefer",
  }));
  const names = [ONE_NAME, ...MANY_NAMES];
  for (let from = 0; from < names.length; from += HOSTS) {
    write("GlobalRoute", `names-${from}`, {
      hosts: names.slice(from, from + HOSTS),
      ttl: { min: `${TTL}s`, max: `${TTL}s` },
      backends: DATACENTERS.map(({ name, address }) => ({ name, cluster: name, addresses: [address] })),
      routing: { order: "Nearest", rules },
      // one endpoint for each address, whatever the route
      health: { probe: { type: "TCP", port: probePort, host: ONE_NAME }, interval: "1m", timeout: "2s" },
    });
  }
  writeFileSync(join(folder, "objects.yaml"), objects.join("\n---\n"));
}
