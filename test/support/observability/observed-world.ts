/** A real server whose every part has something to do, so that all of its metrics have values: five sites, signed and copied answers, zones elsewhere, clients. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { freePort } from "../free-port.ts";
import { openLoopbackSites } from "../loopback-sites.ts";
import { createObjectsFolder } from "../objects-folder.ts";
import { startBindPrimary } from "../providers/primaries.ts";
import { EMULATOR_CREDENTIAL, startRoute53Emulator } from "../providers/route53/server.ts";
import { runCli } from "../run-cli.ts";
import { startServer } from "../serve.ts";
import { readCertificates } from "../tls/certificates.ts";

export interface ObservedWorld {
  /** Of the admin listener. */
  readonly admin: string;
  /** Breaks or mends a site. */
  readonly set: (cluster: string, isUp: boolean) => void;
  /** Rehearses the loss of a cluster from now on for so many seconds. */
  readonly drill: (cluster: string, seconds: number) => void;
  /** What the server logged so far. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

const CLUSTERS = {
  "eu-west": { address: "127.0.71.1", region: "eu-west-1" },
  "us-east": { address: "127.0.71.2", region: "us-east-1" },
  "ap-northeast": { address: "127.0.71.3", region: "ap-northeast-1" },
  "sa-east": { address: "127.0.71.4", region: "sa-east-1" },
  "eu-central": { address: "127.0.71.5", region: "eu-central-1" },
} as const;
/** Nothing listens there. */
const GONE = "127.0.71.9";
const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIAL.accessKeyId,
  AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIAL.secretAccessKey,
};

const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const members = Object.entries(CLUSTERS)
  .map(([name, { region }]) => `${head("MemberCluster", name)}spec: {location: {cloud: aws, region: ${region}}}\n`)
  .join("---\n");
const ALL = Object.entries(CLUSTERS).map(([name, { address }]) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}]}\n`);
const route = (name: string, host: string, port: number, backends: string): string => `${head("GlobalRoute", name)}spec:
  hosts: [${host}]
  ttl: {min: 1s, max: 1s}
  routing: {order: Nearest}
  health: {interval: 300ms, timeout: 250ms, rise: 1, fall: 2, probe: {port: ${port}}}
  failover: {failback: {after: 1s}}
  backends:
${backends}`;

/** Signed, and copied by a secondary that never answers our notifications. */
const embedded = (notified: number): string => `${head("DNSZone", "example-net")}spec:
  domain: example.net
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.net]
      soa: {minimum: 5s}
      records:
      - {name: ns1, type: A, values: [192.0.2.53]}
      dnssec: {keys: [{name: one, file: example.net.key}]}
      transfer:
        allow: [{networks: [127.0.0.1]}]
        notify: [{address: 127.0.0.1, port: ${notified}}]
`;
const rfc2136 = (port: number): string => `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: prod
  policy: Sync
  provider:
    type: RFC2136
    rfc2136: {server: {host: 127.0.0.1, port: ${port}}, key: {name: ${KEY.name}, file: writer.key}}
`;
const route53 = `${head("DNSZone", "example-com")}spec: {domain: example.com, owner: prod, policy: Sync, provider: {type: Route53, route53: {}}}\n`;

/** What clients ask again and again: both transports, cookies (dig's default), client subnets, signatures, names that do not exist, a copy. */
const QUESTIONS = [
  ...["91.64.0.0/16", "198.51.100.0/24", "81.2.69.0/24"].map((subnet) => `shop.example.net A +subnet=${subnet}`),
  "shop.example.net AAAA",
  "shop.example.net A +dnssec",
  "shop.example.net A +tcp",
  "alone.example.net A",
  "none.example.net A +dnssec",
  "example.net SOA",
  "example.net AXFR +tcp",
  "elsewhere.example A",
];

/** Clients that ask {@link QUESTIONS} until they are stopped. */
function startClients(port: number): { readonly stop: () => Promise<void> } {
  let child: ChildProcess | undefined;
  let stopped = false;
  const questions = Array.from({ length: 10 }, () => QUESTIONS).flat();
  const args = ["@127.0.0.1", "-p", String(port), ...questions.flatMap((line) => [...line.split(" "), "+tries=1", "+time=1"])];
  const done = (async () => {
    while (!stopped) {
      child = spawn("dig", args, { stdio: "ignore" });
      await once(child, "exit");
    }
  })();
  return {
    async stop() {
      stopped = true;
      child?.kill();
      await done;
    },
  };
}

/** Users of the proxy, ten requests a second: of hosts that are there, one of whose endpoints is not, and of one that no route has. @returns ends them */
function startUsers(port: number): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const hosts = ["shop.example.net", "shop.example.org", "shop.example.com", "alone.example.net", "elsewhere.example"];
  let asked = 0;
  const timer = setInterval(() => {
    const host = hosts[asked++ % hosts.length]!;
    get({ agent, host: "127.0.0.1", port, headers: { host } }, (response) => response.resume()).on("error", () => undefined);
  }, 100);
  return () => {
    clearInterval(timer);
    agent.destroy();
  };
}

/** One receiver that is there, and one that is not. */
const notify = (alertmanager: string, nobody: number): string => `window: 1s
receivers:
- {name: alerts, type: Alertmanager, url: "http://${alertmanager}"}
- {name: nobody, type: Webhook, url: "http://127.0.0.1:${nobody}/"}
`;

/**
 * @param alertmanager `127.0.0.1:9093`, which is notified
 * @returns once it serves; its endpoints may not all have been judged yet
 */
export async function startObservedWorld(alertmanager: string): Promise<ObservedWorld> {
  const undo: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const bind = await startBindPrimary(KEY);
    undo.push(bind.stop);
    const emulator = await startRoute53Emulator();
    undo.push(emulator.close);
    emulator.addZone("example.com.");
    for (const [name, value] of Object.entries({ ...ENVIRONMENT, AWS_ENDPOINT_URL_ROUTE_53: emulator.url })) {
      process.env[name] = value;
      undo.push(() => delete process.env[name]);
    }
    const sites = await openLoopbackSites(Object.values(CLUSTERS).map(({ address }) => address));
    undo.push(sites.close);
    const folder = createObjectsFolder();
    undo.push(folder.remove);
    for (const name of ["eu-west", "us-east", "zone", "shop"]) rmSync(join(folder.path, `${name}.yaml`));
    const { port } = sites;
    folder.write("writer.key", Buffer.from(KEY.secret).toString("base64"));
    await runCli(["dnssec", "keygen", "--domain", "example.net", "--out", join(folder.path, "example.net.key")]);
    folder.write("clusters.yaml", members);
    folder.write(
      "fleet.yaml",
      `${head("ProxyFleet", "edge")}spec: {type: Envoy, places: [{name: paris, location: {cloud: aws, region: eu-west-3}}], envoy: {}}\n`,
    );
    folder.write("zones.yaml", [embedded(await freePort()), rfc2136(bind.port), route53].join("---\n"));
    const alone = `  - {name: gone, cluster: sa-east, addresses: [${GONE}]}\n`;
    folder.write(
      "routes.yaml",
      [
        ...["net", "org", "com"].map((top) => route(`shop-${top}`, `shop.example.${top}`, port, ALL.join(""))),
        route("alone", "alone.example.net", port, alone),
      ].join("---\n"),
    );
    const state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    undo.push(() => rmSync(state, { recursive: true, force: true }));
    const told = folder.write(".notify/notify.yaml", notify(alertmanager, await freePort()));
    const options = ["--state", state, "--probe-allow", "127.0.71.0/24", "--notify", told, "--json"];
    const proxyPort = await freePort();
    const { cert, key, ca } = readCertificates();
    const [shown, shownKey] = [folder.write(".tls/shop.crt", cert), folder.write(".tls/shop.key", key)];
    const server = await startServer(
      ...["--config", folder.path, ...options],
      ...["--proxy", `127.0.0.1:${proxyPort}`],
      ...["--proxy-tls", `127.0.0.1:${await freePort()}`, "--proxy-certificates", dirname(shown)],
      ...["--xds", `127.0.0.1:${await freePort()}`],
      ...["--xds-cert", shown, "--xds-key", shownKey, "--xds-client-ca", folder.write(".xds/ca.crt", ca)],
    );
    undo.push(() => server.stop());
    const clients = startClients(server.dnsPort);
    undo.push(clients.stop);
    undo.push(startUsers(proxyPort));
    const addressOf = new Map(Object.entries(CLUSTERS).map(([name, { address }]) => [name, address]));
    return {
      admin: server.admin,
      log: server.log,
      set(cluster, isUp) {
        const address = addressOf.get(cluster);
        if (address === undefined) throw new Error(`${cluster} is none of ${[...addressOf.keys()].join(", ")}`);
        sites.set(address, isUp);
      },
      drill(cluster, seconds) {
        const [start, until] = [Date.now(), Date.now() + 1000 * seconds].map((at) => JSON.stringify(new Date(at).toISOString()));
        const spec = `{targetRef: {kind: MemberCluster, name: ${cluster}}, action: Drill, start: ${start}, until: ${until}, reason: rehearsal}`;
        const head = "apiVersion: globalroute.dev/v1alpha1\nkind: TrafficOverride\nmetadata: {name: drill}\n";
        folder.write("drill.yaml", `${head}spec: ${spec}\n`);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
