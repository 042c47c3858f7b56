/** A server with two sites, a real Unbound that it watches, and a user who asks that Unbound all the time. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnswerWatch, watchAnswers } from "./answer-watch.ts";
import { freePort } from "./free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "./loopback-sites.ts";
import { RESOLVERS, type Resolver, startResolver } from "./resolvers.ts";
import { type Server, startServer } from "./serve.ts";

export const UNBOUND = RESOLVERS.find(({ name }) => name === "Unbound")!;

/** The first choice of everybody, and the second. */
export const EAST = "127.0.20.1";
export const WEST = "127.0.20.2";
export const HOST = "shop.example.org";
/** Of every answer, seconds. */
export const TTL = 5;
/** Between two questions, ms: of the server's own and of the user's. */
export const STEPS = { server: 200, user: 50 };

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const health = (port: number): string =>
  `  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}\n`;

/** `lone` has nobody who could take over. */
const objects = (port: number): string => `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org], records: [{name: ns1, type: A, values: [192.0.2.53]}]}}}
${head("GlobalRoute", "shop")}spec:
  hosts: [${HOST}]
  ttl: {min: ${TTL}s, max: ${TTL}s}
  backends:
  - {name: east, cluster: east, addresses: [${EAST}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
${health(port)}  failover: {failback: {after: 1s}}
  routing: {order: Priority}
${head("GlobalRoute", "lone")}spec:
  hosts: [lone.example.org]
  backends: [{name: east, cluster: east, addresses: [${EAST}]}]
${health(port)}`;

export interface WatchedUnbound {
  readonly folder: string;
  readonly sites: LoopbackSites;
  readonly server: Server;
  readonly resolver: Resolver;
  readonly user: AnswerWatch;
  /** As legs name the resolver. */
  readonly via: string;
  readonly close: () => Promise<void>;
}

/** @returns once the user was answered with the first choice */
export async function startWatchedUnbound(): Promise<WatchedUnbound> {
  const closings: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closings.splice(0).reverse()) await one();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    closings.push(() => rmSync(folder, { recursive: true, force: true }));
    const sites = await openLoopbackSites([EAST, WEST]);
    closings.push(() => sites.close());
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(sites.port));
    const port = await freePort();
    const server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.20.0/29"],
      ...["--watch-resolver", `127.0.0.1:${port}`],
    );
    closings.push(() => server.stop());
    const resolver = await startResolver(UNBOUND, "example.org", server.dnsPort, "ns1.example.org", port);
    closings.push(() => resolver.stop());
    const user = await watchAnswers(resolver.port, HOST, undefined, STEPS.user);
    closings.push(() => user.close());
    await user.until(({ addresses }) => addresses[0] === EAST, 20_000);
    return { folder, sites, server, resolver, user, via: `resolver 127.0.0.1:${port}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
