/** `globalroute serve --proxy`: requests go where DNS sends their clients, and one that finds a cluster dead goes to the next by itself. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, type Server as HttpServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freeClusterPort, globalroute } from "../../support/demo.ts";
import { freePort } from "../../support/free-port.ts";
import { writeMmdb } from "../../support/mmdb-writer.ts";
import { type Server, startServer } from "../../support/serve.ts";

const SITES = { dublin: "127.0.10.1", virginia: "127.0.10.2", tokyo: "127.0.10.3" } as const;
type Site = keyof typeof SITES;
const REGIONS: Readonly<Record<Site, string>> = { dublin: "eu-west-1", virginia: "us-east-1", tokyo: "ap-northeast-1" };
const CLIENTS = [
  { client: "91.64.0.1", country: "DE", nearest: "dublin", next: "virginia" },
  { client: "8.8.8.8", country: "US", nearest: "virginia", next: "dublin" },
  { client: "203.0.113.7", country: "JP", nearest: "tokyo", next: "virginia" },
] as const;

/** For an endpoint to begin its response, ms. */
const PATIENCE = 120_000;

const objects = (port: number): string =>
  [
    ...Object.entries(REGIONS).map(
      ([name, region]) => `kind: MemberCluster\nmetadata: {name: ${name}}\nspec: {location: {cloud: aws, region: ${region}}}`,
    ),
    "kind: DNSZone\nmetadata: {name: example}\nspec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}",
    `kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
${Object.entries(SITES)
  .map(([name, address]) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}]}`)
  .join("\n")}
  http: {timeouts: {backendRequest: ${PATIENCE / 1000}s}}
  health: {probe: {port: ${port}, path: /healthz}, interval: 30s, timeout: 500ms}`,
  ]
    .map((object) => `---\napiVersion: globalroute.dev/v1alpha1\n${object}\n`)
    .join("");

describe("a server that passes requests on", () => {
  let folder: string;
  let server: Server;
  let proxyPort: number;
  const sites = new Map<Site, HttpServer>();
  const posts: string[] = [];
  const agent = new Agent({ keepAlive: true });

  async function startSite(site: Site, port: number): Promise<void> {
    const http = createServer((incoming, response) => {
      if (incoming.url === "/silent" && site === "tokyo") return;
      if (incoming.method === "POST") posts.push(`${site} ${incoming.url}`);
      response.setHeader("x-site", site);
      response.end(`${site} ${incoming.headers["x-forwarded-for"]}\n`);
    }).listen(port, SITES[site]);
    await once(http, "listening");
    sites.set(site, http);
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    const port = await freeClusterPort();
    for (const site of ["dublin", "virginia", "tokyo"] as const) await startSite(site, port);
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(port));
    const places = CLIENTS.map(({ client, country }) => ({ network: `${client}/32`, record: { country_code: country } }));
    writeFileSync(join(folder, "places.mmdb"), writeMmdb(places));
    proxyPort = await freePort();
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--mmdb", join(folder, "places.mmdb")],
      ...["--probe-allow", "127.0.10.0/29", "--proxy", `127.0.0.1:${proxyPort}`, "--proxy-trusted-hops", "1"],
    );
  });
  afterAll(async () => {
    agent.destroy();
    await server?.stop();
    for (const site of sites.values()) site.closeAllConnections();
    for (const site of sites.values()) site.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function ask(client: string, more: { readonly method?: string; readonly path?: string; readonly host?: string } = {}) {
    const { method = "GET", path = "/", host = "shop.example.org" } = more;
    const sent = request({ agent, host: "127.0.0.1", port: proxyPort, method, path, headers: { host, "x-forwarded-for": client } });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += chunk;
    return { status: response.statusCode, site: response.headers["x-site"], body };
  }

  test.each(CLIENTS)("clients from $country get $nearest, as explain says", async ({ client, nearest }) => {
    expect(await ask(client)).toMatchObject({ status: 200, site: nearest, body: `${nearest} ${client}, 127.0.0.1\n` });
    const explained = await globalroute("explain", "shop.example.org", "--client", client, "--server", server.admin, "--output", "json");
    expect(JSON.parse(explained.stdout)).toMatchObject({ clusters: [nearest] });
  });

  test("a host of no route is refused", async () => {
    expect((await ask("91.64.0.1", { host: "other.example.org" })).status).toBe(404);
  });

  test("when a cluster dies, requests go to the next at once, though no probe has looked, and none is done twice", async () => {
    const dublin = sites.get("dublin")!;
    dublin.closeAllConnections();
    dublin.close();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask("91.64.0.1", { path: `/${i}` })));
    expect(new Set(answers.map(({ status, site }) => `${status} ${site}`))).toEqual(new Set(["200 virginia"]));
    // A connection that is refused has carried nothing: this may be tried elsewhere as well.
    const posted = await Promise.all(Array.from({ length: 50 }, (_, i) => ask("91.64.0.1", { method: "POST", path: `/${i}` })));
    expect(new Set(posted.map(({ status }) => status))).toEqual(new Set([200]));
    expect(posts).toHaveLength(50);
    expect(new Set(posts).size).toBe(50);
  });

  test("when a cluster is drained, requests that wait there for an answer leave it, long before their time is up", async () => {
    const began = performance.now();
    const asked = ask("203.0.113.7", { path: "/silent" });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const override = `spec: {targetRef: {kind: MemberCluster, name: tokyo}, action: Drain, reason: it is silent, until: ${until}}`;
    writeFileSync(
      join(folder, "config", "drain.yaml"),
      `apiVersion: globalroute.dev/v1alpha1\nkind: TrafficOverride\nmetadata: {name: drain}\n${override}\n`,
    );
    expect(await asked).toMatchObject({ status: 200, site: "virginia" });
    expect(performance.now() - began).toBeLessThan(PATIENCE / 2);
  });

  test("it ends in order", async () => {
    expect(await server.stop()).toBe(0);
  });
});
