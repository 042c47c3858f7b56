/** The command of the chart's HAProxy sidecar, with the real shell and the real HAProxy, on a configuration as we write it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { request } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { statusSchema } from "../../../src/admin/api-schemas.ts";
import { layoutOf, MAPS } from "../../../src/proxy/haproxy/layout.ts";
import { type ConfigOptions, mapFile, mapText, renderConfig } from "../../../src/proxy/haproxy/render-config.ts";
import { controllerOf } from "../../support/chart/check-chart.ts";
import { renderChart } from "../../support/chart/render-chart.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { haproxyOptions } from "../../support/haproxy/haproxy-routes.ts";
import { startServer } from "../../support/serve.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const MOUNT = "/etc/globalroute/haproxy-certificates";
const { cert, key, other, otherKey } = readCertificates();

interface Sidecar {
  readonly child: ChildProcess;
  /** What a replica has as --haproxy-dir. */
  readonly volume: string;
  readonly port: number;
  readonly log: () => string;
  /** Writes HAProxy's configuration, as the replica beside it would. */
  readonly configure: () => void;
  /** Replaces the certificate and its key at once, as the kubelet does. */
  readonly renew: (certificate: string, key: string) => void;
  readonly status: () => Promise<number>;
  /** The host that the certificate of a new connection is for. */
  readonly shown: () => Promise<string | undefined>;
}

/** Inside a test. */
async function startSidecar(): Promise<Sidecar> {
  const [root, port, tlsPort] = [await tempFolder(), await freePort(), await freePort()];
  const [volume, secrets] = [join(root, "volume"), join(root, "secrets")];
  const values = [
    ...["crds.install=false", "haproxy.enabled=true", `haproxy.folder=${JSON.stringify(volume)}`],
    ...["haproxy.sidecar.enabled=true", 'haproxy.sidecar.fleet="office"', 'haproxy.sidecar.member="one"'],
    'haproxy.sidecar.secrets=["shop-tls"]',
  ];
  const [, container] = controllerOf(renderChart(values)).template.spec.containers;
  const folder = join(volume, "office", "one");
  mkdirSync(volume);

  let version = 0;
  const renew = (certificate: string, privateKey: string): void => {
    const data = join(secrets, `..${++version}`, "shop-tls");
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "tls.crt"), certificate);
    writeFileSync(join(data, "tls.crt.key"), privateKey);
    symlinkSync(dirname(data), join(secrets, "..new"));
    renameSync(join(secrets, "..new"), join(secrets, "..data"));
    if (version === 1) symlinkSync(join("..data", "shop-tls"), join(secrets, "shop-tls"));
  };
  renew(cert, key);

  const child = spawn("sh", ["-c", ...(container?.args ?? []).map((arg) => arg.replace(MOUNT, secrets))], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  onTestFinished(() => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {} // it has ended
  });
  const config: ConfigOptions = {
    ...haproxyOptions,
    ...{ folder, adminSocket: join(folder, "admin.sock") },
    listen: [
      { address: "127.0.0.1", port },
      { address: "127.0.0.1", port: tlsPort, certificate: join(secrets, "shop-tls", "tls.crt") },
    ],
  };
  return {
    ...{ child, volume, port },
    log: () => text,
    configure() {
      mkdirSync(folder, { recursive: true });
      for (const name of MAPS) writeFileSync(mapFile(config, name), mapText([]));
      writeFileSync(join(folder, "haproxy.cfg"), renderConfig(layoutOf({ routes: [], classes: [] }), new Map(), config));
    },
    renew,
    status: async () => {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { reset: true });
      await body.dump();
      return statusCode;
    },
    shown: async () => {
      const socket = connect({ host: "127.0.0.1", port: tlsPort, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return [subject.CN].flat()[0];
    },
  };
}

const objects = (endpointPort: number, listenPort: number): string =>
  [
    ["MemberCluster", "dublin", "{location: {cloud: aws, region: eu-west-1}}"],
    ["DNSZone", "example", "{domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}"],
    [
      "GlobalRoute",
      "shop",
      `{hosts: [shop.example.org], backends: [{name: dublin, cluster: dublin, addresses: [127.0.0.1]}], health: {probe: {port: ${endpointPort}}}}`,
    ],
    [
      "ProxyFleet",
      "office",
      `{type: HAProxy, places: [{name: here, location: {cloud: aws, region: eu-west-1}}], haproxy: {members: [{name: one, place: here, listen: [{address: 127.0.0.1, port: ${listenPort}}]}]}}`,
    ],
  ]
    .map(([kind, name, spec]) => `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`)
    .join("");

/** No route has the host: HAProxy answers by itself. */
const NO_ROUTE = 404;
const PATIENCE = { timeout: 20_000, interval: 100 };

describe.skipIf(!requireComponent("kubectl", "helm") || !requireComponent("haproxy", "haproxy"))("the HAProxy sidecar", () => {
  test("waits for its configuration, starts HAProxy anew when it dies, and lets it end in peace when the pod goes", async () => {
    const { child, log, configure, status } = await startSidecar();
    await vi.waitFor(() => expect(log()).toContain("office/one/haproxy.cfg: is there such a ProxyFleet with such a member?"), PATIENCE);
    configure();
    await vi.waitFor(async () => expect(await status()).toBe(NO_ROUTE), PATIENCE);

    const [master] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
      .trim()
      .split(" ")
      .map(Number)
      .filter((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "haproxy");
    process.kill(master!, "SIGKILL");
    await vi.waitFor(() => expect(log()).toContain("haproxy ended with 137"), PATIENCE);
    await vi.waitFor(async () => expect(await status()).toBe(NO_ROUTE), PATIENCE);
    expect(child.exitCode).toBe(null);

    child.kill("SIGUSR1");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    await expect(status()).rejects.toThrow("ECONNREFUSED");
  }, 60_000);

  test("is told by the replica beside it, and goes on while that one is gone", async () => {
    const { volume, port } = await startSidecar();
    const site = createServer((_, response) => response.end("dublin")).listen(0, "127.0.0.1");
    onTestFinished(() => {
      site.closeAllConnections();
      site.close();
    });
    await once(site, "listening");
    const config = await tempFolder();
    writeFileSync(join(config, "all.yaml"), objects((site.address() as AddressInfo).port, port));
    const server = await startServer("--config", config, "--probe-allow", "127.0.0.1/32", "--haproxy-dir", volume);
    onTestFinished(() => void server.stop());
    const ask = async (): Promise<string> => {
      const { body } = await request(`http://127.0.0.1:${port}/`, { headers: { host: "shop.example.org" }, reset: true });
      return body.text();
    };
    await vi.waitFor(async () => expect(await ask()).toBe("dublin"), PATIENCE);
    await vi.waitFor(async () => {
      const { fleets } = statusSchema.parse(await (await fetch(`${server.admin}/v1/status`)).json());
      expect(fleets).toMatchObject([{ name: "office", members: [{ name: "one", state: "Current" }] }]);
    }, PATIENCE);
    await server.stop();
    expect(await ask()).toBe("dublin");
  }, 60_000);

  test("has a renewed certificate shown without an end of HAProxy", async () => {
    const { child, log, configure, renew, status, shown } = await startSidecar();
    configure();
    await vi.waitFor(async () => expect(await shown()).toBe("shop.example.org"), PATIENCE);
    renew(other, otherKey);
    await vi.waitFor(async () => expect(await shown()).toBe("other.example.org"), PATIENCE);
    expect(await status()).toBe(NO_ROUTE);
    expect(log()).not.toContain("haproxy ended");

    renew("rubbish", otherKey);
    await vi.waitFor(() => expect(log()).toMatch(/tls\.crt/), PATIENCE);
    expect(await shown()).toBe("other.example.org");

    child.kill("SIGTERM");
    await once(child, "exit");
  }, 60_000);
});
