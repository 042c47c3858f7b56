/** `globalroute serve` keeps a zone at (an emulator of) Route 53, as a role of another account: what it publishes, and how it leaves what fails. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../support/objects-folder.ts";
import { answer } from "../../support/providers/route53/answer.ts";
import { EMULATOR_CREDENTIAL, type Route53Emulator, startRoute53Emulator } from "../../support/providers/route53/server.ts";
import { type Server, startServer } from "../../support/serve.ts";

const [EU, US] = ["127.0.32.1", "127.0.32.2"] as const;
const ROLE = { arn: "arn:aws:iam::123456789012:role/globalroute", externalId: "ours-alone" } as const;
const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const backends = (eu: string, us: string): string => `  backends:
  - {name: eu, cluster: eu-west, addresses: [${eu}]}
  - {name: us, cluster: us-east, addresses: [${us}]}
`;
const ENVIRONMENT = ["AWS_ENDPOINT_URL_ROUTE_53", "AWS_ENDPOINT_URL_STS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const;

let emulator: Route53Emulator;
let zone: string;
let sites: LoopbackSites;
let folder: ObjectsFolder;
let state: string;
let server: Server;

beforeAll(async () => {
  emulator = await startRoute53Emulator({ roles: [ROLE] });
  zone = emulator.addZone("example.org.");
  const values = [emulator.url, emulator.url, EMULATOR_CREDENTIAL.accessKeyId, EMULATOR_CREDENTIAL.secretAccessKey];
  for (const [i, name] of ENVIRONMENT.entries()) process.env[name] = values[i];
  sites = await openLoopbackSites([EU, US]);
  state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
  folder = createObjectsFolder();
  folder.write(
    "zone.yaml",
    `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: prod-eu
  policy: Sync
  provider: {type: Route53, route53: {role: {arn: "${ROLE.arn}", externalId: ${ROLE.externalId}}}}
`,
  );
  const probe = (port: number): string =>
    `  health: {interval: 1s, timeout: 500ms, rise: 1, fall: 2, probe: {port: ${port}, path: /healthz}}\n`;
  folder.write(
    "shop.yaml",
    `${head("GlobalRoute", "shop")}spec:
  hosts: [shop.example.org]
${probe(sites.port)}${backends(EU, US)}`,
  );
  folder.write(
    "blog.yaml",
    `${head("GlobalRoute", "blog")}spec:
  hosts: [blog.example.org]
${probe(443)}${backends("20.0.0.1", "20.0.0.2")}`,
  );
  server = await startServer("--config", folder.path, "--state", state, "--probe-allow", "127.0.32.0/24", "--json");
});
afterAll(async () => {
  await server?.stop();
  await sites?.close();
  await emulator?.close();
  folder?.remove();
  rmSync(state, { recursive: true, force: true });
  for (const name of ENVIRONMENT) delete process.env[name];
});

/** From Dublin. */
const CLIENT = { address: "9.9.9.9", continent: "EU", country: "IE", latitude: 53.35, longitude: -6.26 };
function ask(name: string): readonly string[] {
  const { name: zoneName, sets } = emulator.zone(zone)!;
  const got = answer(
    { zoneId: zone, zoneName, sets, unhealthy: emulator.unhealthy(), random: Math.random },
    { name: `${name}.example.org.`, type: "A" },
    CLIENT,
  );
  return got.kind === "Records" ? got.values : [];
}
async function becomes(name: string, address: string): Promise<number> {
  const began = performance.now();
  for (; performance.now() - began < 45_000; await setTimeout(50)) if (ask(name).join() === address) return performance.now() - began;
  throw new Error(`${name} is ${ask(name).join()}, not ${address}\n${server.log()}`);
}

test("publishes each client's nearest, as the role it was told to assume", async () => {
  await becomes("shop", EU);
  await becomes("blog", "20.0.0.1");
  expect(emulator.requests("AssumeRole")).toBe(1);
  expect(new Set(emulator.log.filter(({ action }) => action !== "AssumeRole").map(({ accessKeyId }) => accessKeyId))).not.toContain(
    EMULATOR_CREDENTIAL.accessKeyId,
  );
  expect(emulator.healthChecks().map(({ config }) => config.ipAddress)).toEqual(["20.0.0.1", "20.0.0.2"]);
});

test("what Route 53 can look at fails over without a write", async () => {
  await setTimeout(1500); // first verdicts of our own probes are in
  emulator.forget();
  for (const { id, config } of emulator.healthChecks()) if (config.ipAddress === "20.0.0.1") emulator.setEndpointHealth(id, false);
  expect(ask("blog")).toEqual(["20.0.0.2"]);
  await setTimeout(3000);
  expect(emulator.writes()).toBe(0);
});

test("what it cannot look at fails over by our writes, and back", async () => {
  sites.set(EU, false);
  const took = await becomes("shop", US);
  process.stderr.write(`from the first refused probe to Route 53's new answer: ${Math.round(took)} ms\n`);
  sites.set(EU, true);
});

test("what it cannot follow is told on the route; a throttled, broken service leaves what it has", async () => {
  const status = await (await fetch(`${server.admin}/v1/status`)).text();
  expect(status).toContain("Route53, which keeps DNSZone example-org, cannot follow the probe; instead it fails over by our writes");
  emulator.inject({ kind: "Error", status: 503, code: "ServiceUnavailable", times: 1000 });
  rmSync(join(folder.path, "shop.yaml"));
  for (let tries = 0; !(await (await fetch(`${server.admin}/readyz`)).text()).includes("provider-failing"); tries++) {
    expect(tries, server.log()).toBeLessThan(200);
    await setTimeout(100);
  }
  expect(ask("blog")).toEqual(["20.0.0.2"]);
  emulator.clearFaults();
});
