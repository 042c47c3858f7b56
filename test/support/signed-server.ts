/** A real server, as a process of its own, with a signed zone whose routes it probes on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoopbackSites, openLoopbackSites } from "./loopback-sites.ts";
import { runCli } from "./run-cli.ts";
import { type Server, startServer } from "./serve.ts";

export const EAST = "127.0.41.1";
export const WEST = "127.0.41.2";
/** Nothing listens there. */
export const GONE = "127.0.41.9";
/** Clients of this network are sent west, everybody else east. */
export const WEST_CLIENTS = "198.51.100.0/24";

export interface SignedServer {
  readonly server: Server;
  readonly sites: LoopbackSites;
  /** Presentation form of the zone's DS record, and of its DNSKEY record. */
  readonly ds: string;
  readonly dnskey: string;
  readonly stop: () => Promise<void>;
}

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

/** While its sites are up the route's TTL is its longest: nothing can change for many probes. `first` is quick to fail over. */
const route = (name: string, hosts: string, east: string, port: number, more = ""): string => `${head("GlobalRoute", name)}spec:
  hosts: [${hosts}]
  ttl: {min: 1s, max: 3s}
  backends:
  - {name: east, cluster: east, addresses: [${east}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
  routing:
    order: Weighted
    rules:
    - {name: west, mode: Require, unknownPlace: Skip, clients: {subnets: [${WEST_CLIENTS}]}, to: {clusters: [west]}}
    - {name: east, mode: Require, unknownPlace: Skip, clients: {subnets: ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/14"]}, to: {clusters: [east]}}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 5s, timeout: 1s, fall: 10, rise: 1}
${more}`;

const objects = (port: number): string => `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
${head("DNSZone", "example-org")}spec:
  domain: example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.org]
      soa: {minimum: 5s}
      records:
      - {name: ns1, type: A, values: [127.0.0.1]}
      - {name: "@", type: MX, values: [10 mail.example.net.]}
      - {name: deep.ent, type: TXT, values: [text]}
      - {name: child, type: NS, values: [ns.example.net.]}
      dnssec: {keys: [{name: one, file: example.org.key}]}
${route("shop", 'shop.example.org, "*.apps.example.org"', EAST, port)}
${route("web", "web.example.org", EAST, port, "  https: {alpn: [h2]}\n")}
${route("short", "short.example.org", GONE, port)}
${head("GlobalRoute", "first")}spec:
  hosts: [first.example.org]
  ttl: {min: 1s, max: 1s}
  backends:
  - {name: east, cluster: east, addresses: [${EAST}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
  routing: {order: Priority}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}
  failover: {failback: {after: 1s}}
`;

/** @param options of `serve`, besides its folders and listeners */
export async function startSignedServer(...options: readonly string[]): Promise<SignedServer> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-signed-"));
  const config = join(folder, "config");
  mkdirSync(config);
  const { stdout } = await runCli(["dnssec", "keygen", "--domain", "example.org", "--out", join(config, "example.org.key")]);
  const line = (type: string): string => new RegExp(`^.*\\s${type}\\s.*$`, "m").exec(stdout)![0];
  const sites = await openLoopbackSites([EAST, WEST]);
  writeFileSync(join(config, "objects.yaml"), objects(sites.port));
  const folders = ["--config", config, "--state", join(folder, "state")];
  try {
    const server = await startServer(...folders, "--probe-allow", "127.0.41.0/24", ...options);
    const stop = async (): Promise<void> => {
      await server.stop();
      await sites.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return { server, sites, ds: line("DS"), dnskey: line("DNSKEY"), stop };
  } catch (error) {
    await sites.close();
    throw error;
  }
}
