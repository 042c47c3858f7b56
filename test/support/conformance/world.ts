/** One real server process with every kind of name, for tests that look at it from outside: the objects, their sites, the process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasIpv6Loopback } from "../../../src/cli/loopback.ts";
import { loadLibc } from "../../../src/dns/fast/libc.ts";
import { freePort } from "../free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "../loopback-sites.ts";
import { type Server, startServer } from "../serve.ts";

/** What clients of {@link WEST_V4} and {@link WEST_V6} are sent to, and everybody else. */
export const WEST = { v4: "127.0.20.2", v6: "2001:db8::31" } as const;
export const EAST = { v4: "127.0.20.1", v6: "2001:db8::e1" } as const;
export const WEST_V4 = "198.51.100.0/24";
export const WEST_V6 = "2001:db8:beef::/48";
/** Inside {@link WEST_V4}, and back to the east: the neighbours' answer must not cover it. */
export const ISLAND = "198.51.100.64/28";

export type Transport = "fast" | "dgram";

/** The ways to answer UDP that there are here. */
export function transportsHere(): readonly Transport[] {
  try {
    loadLibc();
    return ["fast", "dgram"];
  } catch {
    return ["dgram"];
  }
}

/** Loopback addresses that a server can listen on here. */
export const loopbacksHere = (): readonly string[] => (hasIpv6Loopback() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]);

export interface ConformanceServer {
  readonly server: Server;
  /** Where it answers DNS on a loopback address. */
  readonly at: (address: string) => { readonly address: string; readonly port: number };
  readonly sites: LoopbackSites;
  readonly stop: () => Promise<void>;
}

/** @param options further ones of `serve` */
export async function startConformanceServer(transport: Transport, ...options: readonly string[]): Promise<ConformanceServer> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  const sites = await openLoopbackSites([EAST.v4, WEST.v4]);
  try {
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(sites.port));
    const server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.20.0/29"],
      ...["--dns-transport", transport, ...(hasIpv6Loopback() ? ["--listen", `[::1]:${await freePort()}`] : [])],
      ...options,
    );
    const v6Port = Number(/\[::1\]:(\d+)/.exec(server.log())?.[1]);
    return {
      server,
      sites,
      at: (address) => ({ address, port: address === "::1" ? v6Port : server.dnsPort }),
      async stop() {
        await server.stop();
        await sites.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await sites.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const route = (name: string, hosts: readonly string[], port: number, more = ""): string => `---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: ${name}}
spec:
  hosts: ${JSON.stringify(hosts)}
  families: Each
  backends:
  - {name: east, cluster: east, addresses: ["${EAST.v4}", "${EAST.v6}"]}
  - {name: west, cluster: west, addresses: ["${WEST.v4}", "${WEST.v6}"]}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 1s, timeout: 500ms}
${more === "" ? RULES : more}`;

const RULES = `  routing:
    order: Weighted
    rules:
    - {name: island, mode: Require, unknownPlace: Skip, clients: {subnets: [${ISLAND}]}, to: {clusters: [east]}}
    - {name: west, mode: Prefer, clients: {subnets: ["${WEST_V4}", "${WEST_V6}"]}, to: {clusters: [west]}}
    - {name: east, mode: Prefer, clients: {subnets: ["0.0.0.0/0", "::/0"]}, to: {clusters: [east]}}
`;

/** Both families, no rule: everybody has the same plan. */
const PRIORITY = "  routing: {order: Priority}\n";

/** Nobody can probe documentation addresses: what is answered must not depend on which probe gave up first. */
const forceUp = (cluster: string): string => `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: up-${cluster}}
spec: {targetRef: {kind: MemberCluster, name: ${cluster}}, action: ForceUp, until: "2099-01-01T00:00:00Z", reason: a test}
`;

const addresses = Array.from({ length: 32 }, (_, i) => `192.0.2.${100 + i}`).join(", ");
const large = Array.from({ length: 40 }, (_, i) => `"${String(i).padStart(2, "0")} ${"x".repeat(200)}"`).join(", ");

const objects = (port: number): string => `apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: east}
spec: {location: {cloud: aws, region: us-east-1}}
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: west}
spec: {location: {cloud: aws, region: us-west-2}}
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: closed}
spec: {location: {cloud: aws, region: eu-west-1}, state: Cordoned}
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: dead}
spec: {location: {cloud: aws, region: eu-west-1}}
---
${forceUp("east")}---
${forceUp("west")}---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example}
spec:
  domain: example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.org, ns2.example.com]
      soa: {minimum: 30s, ttl: 1h}
      records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.53]}
      - {name: ns1, type: AAAA, ttl: 5m, values: ["2001:db8::53"]}
      - {name: "@", type: MX, ttl: 5m, values: ["10 mail.example.org.", "20 mail"]}
      - {name: "@", type: TXT, ttl: 5m, values: ["v=spf1 -all"]}
      - {name: "@", type: CAA, ttl: 5m, values: ['0 issue "ca.example.net"']}
      - {name: www, type: CNAME, ttl: 5m, values: [shop.example.org.]}
      - {name: _sip._tcp, type: SRV, ttl: 5m, values: ["0 5 5060 sip.example.org."]}
      - {name: large, type: TXT, ttl: 5m, values: [${large}]}
      - {name: "*.wild", type: TXT, ttl: 5m, values: [from the wildcard]}
      - {name: host.wild, type: A, ttl: 5m, values: [192.0.2.77]}
      - {name: deep.ent.wild, type: A, ttl: 5m, values: [192.0.2.78]}
      - {name: "*.alias", type: CNAME, ttl: 5m, values: [shop.example.org.]}
      - {name: child, type: NS, ttl: 5m, values: [ns.child.example.org., ns.example.net.]}
      - {name: ns.child, type: A, ttl: 5m, values: [192.0.2.54]}
      - {name: ns.child, type: AAAA, ttl: 5m, values: ["2001:db8::54"]}
      - {name: shop, type: TXT, ttl: 5m, values: [a route with a record beside it]}
---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: inner}
spec: {domain: inner.example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}
${route("apex", ["example.org"], port)}${route("shop", ["shop.example.org"], port)}${route("plain", ["plain.example.org"], port, PRIORITY)}${route(
  "web",
  ["web.example.org"],
  port,
  `${RULES}  https: {alpn: [h2, http/1.1]}\n`,
)}${route("sticky", ["sticky.example.org"], port, `${RULES}    sticky: ClientSubnet\n`)}${route("apps", ["*.apps.example.org"], port)}${route("inner", ["www.inner.example.org"], port)}---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: v4only}
spec:
  hosts: [v4only.example.org]
  backends: [{name: east, cluster: east, addresses: [${EAST.v4}]}]
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 1s, timeout: 500ms}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: many}
spec:
  hosts: [many.example.org]
  answers: 32
  backends: [{name: east, cluster: east, addresses: [${addresses}]}]
  health: {interval: 1h, timeout: 1s}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: dead}
spec:
  hosts: [dead.example.org]
  backends: [{name: dead, cluster: dead, addresses: [127.0.20.3]}]
  health: {probe: {port: ${port}}, interval: 1s, timeout: 500ms}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: nothing}
spec:
  hosts: [nothing.example.org]
  backends: [{name: closed, cluster: closed, addresses: [192.0.2.99]}]
  health: {interval: 1h, timeout: 1s}
`;
