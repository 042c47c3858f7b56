/** `globalroute serve --proxy`: what users' requests tell moves DNS too. Probes succeed all the while and tell no load. */

import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, type Server as HttpServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freeClusterPort, globalroute } from "../../support/demo.ts";
import { freePort } from "../../support/free-port.ts";
import { type Server, startServer } from "../../support/serve.ts";

const SITES = { dublin: "127.0.72.1", virginia: "127.0.72.2" } as const;
type Site = keyof typeof SITES;
const names: readonly Site[] = ["dublin", "virginia"];

const route = (name: string, port: number, routing: string): string => `kind: GlobalRoute
metadata: {name: ${name}}
spec:
  hosts: [${name}.example.org]
  ttl: {min: 1s, max: 1s}
  routing: {order: Priority${routing}}
  backends:
${names.map((site, priority) => `  - {name: ${site}, cluster: ${site}, addresses: [${SITES[site]}], priority: ${priority}}`).join("\n")}
  health: {probe: {port: ${port}, path: /healthz}, interval: 500ms, timeout: 400ms, fall: 2}
  failover: {failback: {after: 1s}}`;

const objects = (port: number): string =>
  [
    "kind: MemberCluster\nmetadata: {name: dublin}\nspec: {location: {cloud: aws, region: eu-west-1}}",
    "kind: MemberCluster\nmetadata: {name: virginia}\nspec: {location: {cloud: aws, region: us-east-1}}",
    "kind: DNSZone\nmetadata: {name: example}\nspec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}",
    route("shop", port, ""),
    route("blog", port, ""),
    route("feed", port, ", shed: {lowPercent: 50, highPercent: 90}"),
  ]
    .map((object) => `---\napiVersion: globalroute.dev/v1alpha1\n${object}\n`)
    .join("");

describe("what users' requests tell", () => {
  let folder: string;
  let server: Server;
  let proxyPort: number;
  let dns: Resolver;
  const servers: HttpServer[] = [];
  const agent = new Agent({ keepAlive: true });
  /** Hosts that get 503 from Dublin. */
  const failing = new Set<string>();
  /** What Dublin tells of itself where users ask. */
  let load: number | undefined;
  const users = new Set<() => void>();

  async function startSite(site: Site, port: number): Promise<void> {
    const http = createServer((incoming, response) => {
      if (incoming.url === "/healthz") return void response.end("ok\n");
      const isDublin = site === "dublin";
      if (isDublin && failing.has(incoming.headers.host ?? "")) response.statusCode = 503;
      if (isDublin && load !== undefined) response.setHeader("endpoint-load-metrics", `TEXT application_utilization=${load}`);
      response.setHeader("x-site", site);
      response.end(`${site}\n`);
    }).listen(port, SITES[site]);
    await once(http, "listening");
    servers.push(http);
  }

  async function ask(host: string): Promise<{ readonly status: number; readonly headers: IncomingMessage["headers"] }> {
    const sent = request({ agent, host: "127.0.0.1", port: proxyPort, headers: { host } });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return { status: response.statusCode ?? 0, headers: response.headers };
  }

  /** Asks twenty times a second until it is ended. @returns what was answered, so far */
  function use(host: string): { readonly statuses: number[]; readonly end: () => void } {
    const statuses: number[] = [];
    const timer = setInterval(
      () =>
        void ask(host).then(
          ({ status }) => statuses.push(status),
          () => statuses.push(0),
        ),
      50,
    );
    const end = (): void => clearInterval(timer);
    users.add(end);
    return { statuses, end };
  }

  const answered = (host: string): Promise<readonly string[]> => dns.resolve4(host);
  async function until(what: string, holds: () => Promise<boolean>, seconds = 90): Promise<void> {
    for (const deadline = performance.now() + 1000 * seconds; !(await holds()); await setTimeout(200))
      if (performance.now() > deadline) throw new Error(`never: ${what}\n${server.log().slice(-3000)}`);
  }
  const answers = async (host: string, site: Site): Promise<boolean> => (await answered(host)).join() === SITES[site];
  const metrics = async (): Promise<string> => (await fetch(`${server.admin}/metrics`)).text();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    const port = await freeClusterPort();
    for (const site of names) await startSite(site, port);
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(port));
    proxyPort = await freePort();
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.72.0/29"],
      ...["--proxy", `127.0.0.1:${proxyPort}`],
    );
    dns = new Resolver({ tries: 3, timeout: 2000 });
    dns.setServers([`127.0.0.1:${server.dnsPort}`]);
    for (const name of ["shop", "blog", "feed"])
      await until(`${name} is answered with Dublin`, () => answers(`${name}.example.org`, "dublin"));
  });
  afterAll(async () => {
    for (const end of users) end();
    agent.destroy();
    await server?.stop();
    for (const one of servers) one.closeAllConnections();
    for (const one of servers) one.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  test("an endpoint that is well by its probes and answers its users with 503 leaves DNS, and comes back", {
    timeout: 150_000,
  }, async () => {
    const shop = use("shop.example.org");
    const blog = use("blog.example.org");
    await until("Dublin has served", async () => shop.statuses.length > 20);
    failing.add("shop.example.org");
    await until("shop is answered with Virginia", () => answers("shop.example.org", "virginia"));
    expect(await answers("blog.example.org", "dublin")).toBe(true); // another host at the same address
    expect((await ask("shop.example.org")).headers["x-site"]).toBe("virginia");
    const status = await globalroute("status", "--server", server.admin, "--output", "json");
    const { routes } = JSON.parse(status.stdout);
    const backendOf = (name: string) => routes.find((one: { name: string }) => one.name === name).backends[0];
    expect(backendOf("shop")).toMatchObject({ name: "dublin", health: "Unhealthy", reason: "requests-failed" });
    expect(backendOf("blog")).toMatchObject({ name: "dublin", health: "Healthy" });
    const text = await metrics();
    expect(text).toMatch(/^globalroute_proxy_attempts_total\{cluster="dublin",result="status"\} [1-9]/m);
    expect(text).toMatch(/^globalroute_proxy_requests_total\{code="2xx"\} [1-9]/m);
    expect(text).toMatch(/^globalroute_probe_duration_seconds_count\{cluster="dublin",result="requests-failed"\} [1-9]/m);

    failing.clear();
    await until("shop is answered with Dublin again", () => answers("shop.example.org", "dublin"));
    shop.end();
    blog.end();
    expect(new Set(blog.statuses)).toEqual(new Set([200]));
    expect(new Set(shop.statuses)).toEqual(new Set([200])); // what failed was tried at the next cluster
  });

  test("a cluster that tells its users how busy it is gives clients away, and its word stays with us", { timeout: 60_000 }, async () => {
    load = 0.95;
    const feed = use("feed.example.org");
    await until("feed is answered with Virginia", () => answers("feed.example.org", "virginia"));
    const first = await ask("shop.example.org");
    expect(first.headers).toMatchObject({ "x-site": "dublin" });
    expect(first.headers).not.toHaveProperty("endpoint-load-metrics");
    load = undefined;
    await until("feed is answered with Dublin again", () => answers("feed.example.org", "dublin"));
    feed.end();
    expect(new Set(feed.statuses)).toEqual(new Set([200]));
  });
});
