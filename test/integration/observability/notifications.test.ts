/** A real server whose clusters fail: Alertmanager has the alerts and resolves them, a webhook gets them signed, in spite of its own failures. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { signatureOf } from "../../../src/notify/signature.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { type Server, startServer } from "../../support/serve.ts";
import { clusterYaml } from "../../support/simulated-world.ts";

const KEY = "a-key-for-the-webhook";
const TOKEN = "a-secret-token-in-the-path";
const EU = "127.0.23.1";
const US = "127.0.23.2";
const within = { timeout: 30_000, interval: 200 };

const closers: (() => unknown)[] = [];
let sites: LoopbackSites;
let server: Server;
let alertmanager: string;
interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
/** What the webhook took; its first request it refuses for a while. */
const received: Received[] = [];
let refused = 0;

const route = (port: number): string => `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
  - {name: eu, cluster: eu, addresses: [${EU}]}
  - {name: us, cluster: us, addresses: [${US}]}
  health: {interval: 1s, timeout: 800ms, fall: 2, rise: 1, probe: {type: HTTP, scheme: HTTP, path: /, port: ${port}}}
  failover: {failback: {mode: Automatic, after: 1s}}
---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example}
spec:
  domain: example.org
  owner: test
  provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}
`;

const alertsSchema = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: z.string(),
    endsAt: z.string(),
  }),
);
const alerts = async (): Promise<z.infer<typeof alertsSchema>> =>
  alertsSchema.parse(await (await fetch(`${alertmanager}/api/v2/alerts`)).json());
const alertNames = async (): Promise<readonly string[]> => (await alerts()).map(({ labels }) => labels.alertname ?? "");

async function startAlertmanager(folder: string): Promise<string> {
  const port = await freePort();
  const config = join(folder, "alertmanager.yml");
  writeFileSync(config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
  const child = spawn(
    "prometheus-alertmanager",
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    { stdio: "ignore" },
  );
  closers.push(async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), within);
  return url;
}

async function startWebhook(): Promise<string> {
  const hook = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      if (refused++ === 0) return void response.writeHead(503, { "retry-after": "1" }).end();
      received.push({ headers: request.headers, body });
      response.end();
    });
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  closers.push(() => {
    hook.closeAllConnections();
    hook.close();
  });
  const address = hook.address();
  return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}/hooks/${TOKEN}`;
}

describe.skipIf(!requireComponent("prometheus", "prometheus-alertmanager"))("notifications", () => {
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    sites = await openLoopbackSites([EU, US]);
    closers.push(sites.close);
    alertmanager = await startAlertmanager(folder);
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    file("hook.url", `${await startWebhook()}\n`);
    file("hook.key", `${KEY}\n`);
    const notify = file(
      "notify.yml",
      `receivers:\n- {name: alerts, type: Alertmanager, url: "${alertmanager}/"}\n- {name: hook, type: Webhook, urlFile: hook.url, signingKeyFile: hook.key}\n`,
    );
    const config = mkdtempSync(join(folder, "config-"));
    writeFileSync(join(config, "world.yaml"), `${clusterYaml("eu", "eu-west-1")}${clusterYaml("us", "us-east-1")}${route(sites.port)}`);
    server = await startServer("--config", config, "--state", join(folder, "state"), "--probe-allow", "127.0.23.0/24", "--notify", notify);
    closers.push(() => server.stop());
    await vi.waitFor(async () => expect(await (await fetch(`${server.admin}/v1/status`)).text()).not.toContain('"Unknown"'), within);
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  test("a failover shows in Alertmanager", async () => {
    sites.set(EU, false);
    await vi.waitFor(async () => expect(await alertNames()).toContain("GlobalRouteFailover"), within);
    const failover = (await alerts()).find(({ labels }) => labels.alertname === "GlobalRouteFailover");
    expect(failover?.labels).toMatchObject({ severity: "warning", route: "default/shop", from: "eu", to: "us" });
    expect(Date.parse(failover?.endsAt ?? "") - Date.parse(failover?.startsAt ?? "")).toBe(300_000);
  });

  test("fail-open is an alert while it lasts, and resolved when it ends", async () => {
    sites.set(US, false);
    await vi.waitFor(async () => expect(await alertNames()).toContain("GlobalRouteFailOpen"), within);
    expect((await alerts()).find(({ labels }) => labels.alertname === "GlobalRouteFailOpen")?.labels.severity).toBe("critical");
    sites.set(US, true);
    await vi.waitFor(async () => expect(await alertNames()).not.toContain("GlobalRouteFailOpen"), within);
    expect(await alertNames()).toContain("GlobalRouteFailover"); // which shows for its five minutes
  });

  test("the webhook has been told the same, signed, although it failed at first", async () => {
    await vi.waitFor(() => {
      const told = received.map(({ body }) => JSON.parse(body)).map(({ notice, phase }) => `${notice} ${phase}`);
      expect(told).toEqual(expect.arrayContaining(["Failover Moment", "FailOpen Begun", "FailOpen Ended"]));
    }, within);
    for (const { headers, body } of received) {
      expect(headers["globalroute-signature"]).toBe(signatureOf(KEY, String(headers["globalroute-timestamp"]), body));
      expect(headers["globalroute-delivery"]).toBe(JSON.parse(body).id);
    }
    expect(JSON.parse(received[0]?.body ?? "{}")).toMatchObject({
      notice: "Failover",
      route: "default/shop",
      details: { from: "eu", to: "us" },
    });
  });

  test("what became of each is counted, and no secret is in logs, metrics or status", async () => {
    const texts = await Promise.all(
      ["/metrics", "/v1/status", "/v1/timeline", "/readyz"].map(async (path) => (await fetch(server.admin + path)).text()),
    );
    expect(texts[0]).toMatch(/globalroute_notifications_total\{receiver="hook",result="sent"\} [3-9]/);
    expect(texts[0]).toContain('globalroute_notifications_total{receiver="hook",result="retried"} 1');
    expect(texts[0]).toMatch(/globalroute_notifications_total\{receiver="alerts",result="sent"\} [3-9]/);
    expect(server.log()).toContain('"reason":"status 503"');
    for (const text of [...texts, server.log()]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(KEY);
    }
  });
});
