import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import { createPeerMesh, type PeerMesh } from "../../controller/peers/peer-mesh.ts";
import type { Vote } from "../../health/quorum.ts";
import { runCli } from "../../test/support/run-cli.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { type Endpoint, endpointKey } from "../model/health.ts";
import type { Probe } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { createLog } from "../observe/log.ts";
import { startVantage, type VantageOptions } from "./vantage-service.ts";

const CREDENTIAL = "the-credential-of-one-vantage-only-0001";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function site(): Promise<{ readonly endpoint: Endpoint; fail(): void }> {
  let status = 200;
  const server: Server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const probe: Probe = {
    type: "HTTP",
    scheme: "HTTP",
    port,
    path: "/",
    host: "shop.example.org",
    service: "",
    expect: { status: [{ from: 200, to: 399 }] },
    verify: true,
  };
  const policy: Endpoint["policy"] = { interval: ms(100), timeout: ms(100), rise: 1, fall: 2, quorum: { type: "Majority" } };
  const endpoint = { key: endpointKey("127.0.0.1", probe, policy), cluster: "eu", address: "127.0.0.1", probe, policy };
  return {
    endpoint,
    fail() {
      status = 500;
    },
  };
}

async function hub(endpoint: Endpoint, port = 0) {
  const votes: Vote[] = [];
  const forgotten: string[] = [];
  const mesh: PeerMesh = createPeerMesh({
    self: { instance: "hub-a", incarnation: "1", site: "hub", version: "1.0.0" },
    secret: "an-installation-secret-of-32-characters",
    listen: { address: "127.0.0.1", port },
    flag: "--peer-listen",
    ports: systemKubePorts(),
    onTrouble: () => undefined,
  });
  mesh.port.connect({ offer: (_key, vote) => votes.push(vote), forget: ({ replica }) => forgotten.push(replica), share: () => undefined });
  mesh.port.setEndpoints(new Map([[endpoint.key, endpoint]]));
  mesh.setCredentials(new Map([["there", CREDENTIAL]]));
  const address = await mesh.start();
  cleanUps.push(mesh.close);
  return { mesh, address, votes, forgotten };
}

async function vantage(port: number, more: Partial<VantageOptions> = {}) {
  const folder = await tempFolder();
  await writeFile(join(folder, "there.key"), `${CREDENTIAL}\n`);
  const lines: string[] = [];
  const log = createLog({ level: "info", pretty: false, now: Date.now, write: (line) => lines.push(line) });
  const service = await startVantage(
    {
      name: "there",
      instance: "there/host",
      incarnation: "2",
      hubs: [{ host: "127.0.0.1", port }],
      credential: "there.key",
      probeAllow: ["127.0.0.0/8"],
      references: [],
      metrics: { address: "127.0.0.1", port: 0 },
      ...more,
    },
    { cwd: folder, env: {} },
    log,
  );
  cleanUps.push(service.stop);
  const get = async (path: string) => fetch(`http://127.0.0.1:${service.metrics!.port}${path}`);
  return { service, get, lines };
}

test("a vantage probes what it is told, survives its hub, and says bye", async () => {
  const { endpoint, fail } = await site();
  const first = await hub(endpoint);
  const { service, get, lines } = await vantage(first.address.port);
  await until(() => first.votes.some(({ opinion }) => opinion === "healthy"));
  expect(first.votes[0]).toMatchObject({ site: "there", replica: "there/host" });
  expect((await get("/readyz")).status).toBe(200);
  expect(await (await get("/metrics")).text()).toContain('globalroute_probe_duration_seconds_count{cluster="eu",result="ok"}');

  await first.mesh.close();
  fail();
  await until(() => lines.some((line) => line.includes('"health":"Unhealthy"')));
  const second = await hub(endpoint, first.address.port);
  await until(() => second.votes.some(({ opinion, reason }) => opinion === "unhealthy" && reason === "status"));

  await service.stop();
  await until(() => second.forgotten.length > 0);
  expect(second.forgotten).toEqual(["there/host"]);
  expect(lines.join("")).not.toContain(CREDENTIAL);
});

test("it is not ready before a hub has told what to probe, and says what else there is", async () => {
  const { get } = await vantage(1);
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(503);
  expect((await get("/none")).status).toBe(404);
});

test.each([
  { name: "no credential", file: undefined, says: "cannot be read (ENOENT)" },
  { name: "one too short", file: "short", says: "less than 32 characters. Make one with: openssl rand -base64 32" },
])("$name is refused at the start", async ({ file, says }) => {
  const folder = await tempFolder();
  const path = join(folder, "key");
  if (file !== undefined) await writeFile(path, file);
  const run = await runCli(["vantage", "--report-to", "192.0.2.1:8054", "--name", "there", "--credential", path]);
  expect(run).toMatchObject({ code: 2, stdout: "" });
  expect(run.stderr).toContain(says);
});

test.each(["There", "a b", "x".repeat(64), "-a"])("the name %j is refused", async (name) => {
  const run = await runCli(["vantage", "--report-to", "192.0.2.1:8054", "--name", name, "--credential", "k"]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain("as in eu-west");
});
