/** `globalroute serve` on a folder with a ProxyFleet: a real Envoy that knows nothing but where we are, and a real HAProxy that reads what we write. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { join } from "node:path";
import { request } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { statusSchema } from "../../../src/admin/api-schemas.ts";
import { requireComponent } from "../../support/component.ts";
import { freeClusterPort, globalroute } from "../../support/demo.ts";
import { startEnvoy } from "../../support/envoy/real-envoy.ts";
import { freePort } from "../../support/free-port.ts";
import { type Server, startServer } from "../../support/serve.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const SITES = { dublin: "127.0.10.1", virginia: "127.0.10.2" } as const;
type Site = keyof typeof SITES;
const REGIONS: Readonly<Record<Site, string>> = { dublin: "eu-west-1", virginia: "us-east-1" };
const HOST = "shop.example.org";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const objects = (port: number): string =>
  [
    ...Object.entries(REGIONS).map(([name, region]) => `${head("MemberCluster", name)}spec: {location: {cloud: aws, region: ${region}}}\n`),
    `${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}\n`,
    `${head("GlobalRoute", "shop")}spec:
  hosts: [${HOST}]
  backends:
${Object.entries(SITES)
  .map(([name, address]) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}]}`)
  .join("\n")}
  health: {probe: {port: ${port}, path: /healthz}, interval: 500ms, timeout: 400ms, fall: 2, rise: 2}
  failover: {failback: {after: 0s}}\n`,
  ].join("");

const PARIS = "{name: paris, location: {cloud: aws, region: eu-west-3}}";
const OHIO = "{name: ohio, location: {cloud: aws, region: us-east-2}}";
const envoyFleet = (listener = "{address: 127.0.0.1, port: 0}"): string =>
  `${head("ProxyFleet", "edge")}spec: {type: Envoy, places: [${PARIS}, ${OHIO}], envoy: {listener: ${listener}}}\n`;
const haproxyFleet = (port: number, place = "paris", trustedHops = 0): string =>
  `${head("ProxyFleet", "office")}spec: {type: HAProxy, places: [${PARIS}], haproxy: {trustedHops: ${trustedHops}, members: [{name: one, place: ${place}, listen: [{address: 127.0.0.1, port: ${port}}]}]}}\n`;

interface Scene {
  readonly server: Server;
  readonly folder: string;
  /** Replaces the fleet's file. */
  readonly write: (fleet: string) => void;
  readonly kill: (site: Site) => Promise<void>;
  readonly revive: (site: Site) => Promise<void>;
  readonly fleets: () => Promise<NonNullable<ReturnType<typeof statusSchema.parse>["fleets"]>>;
}

/** A file of objects whose route has other rules from now on. */
function rulesOf(folder: string): (...rules: readonly string[]) => void {
  const file = join(folder, "config", "all.yaml");
  const plain = readFileSync(file, "utf8");
  return (...rules) =>
    writeFileSync(file, plain.replace("  health:", `  routing:\n    rules:\n${rules.map((rule) => `    - ${rule}\n`).join("")}  health:`));
}

/** Inside a test. */
async function start(fleet: string, more: (folder: string) => readonly string[]): Promise<Scene> {
  const folder = await tempFolder();
  const port = await freeClusterPort();
  const sites = new Map<Site, HttpServer>();
  const revive = async (site: Site): Promise<void> => {
    const http = createServer(({ url }, response) => {
      response.statusCode = url === "/limited" && site === "dublin" ? 429 : 200;
      response.end(site);
    }).listen(port, SITES[site]);
    await once(http, "listening");
    sites.set(site, http);
  };
  const kill = async (site: Site): Promise<void> => {
    const http = sites.get(site);
    sites.delete(site);
    http?.closeAllConnections();
    http?.close();
  };
  for (const site of ["dublin", "virginia"] as const) await revive(site);
  onTestFinished(async () => {
    for (const site of [...sites.keys()]) await kill(site);
  });
  const config = join(folder, "config");
  mkdirSync(config);
  writeFileSync(join(config, "all.yaml"), objects(port));
  const write = (text: string): void => writeFileSync(join(config, "fleet.yaml"), text);
  write(fleet);
  const options = ["--config", config, "--state", join(folder, "state"), "--probe-allow", "127.0.10.0/29"];
  const server = await startServer(...options, ...more(folder));
  onTestFinished(async () => {
    expect(await server.stop()).toBe(0);
  });
  const fleets = async () => statusSchema.parse(await (await fetch(`${server.admin}/v1/status`)).json()).fleets ?? [];
  return { server, folder, write, kill, revive, fleets };
}

const ask = async (port: number, host = HOST, more: Readonly<Record<string, string>> = {}, path = "/"): Promise<string> => {
  // by a connection of its own: those that stand may go by the rules of before
  const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, { headers: { host, ...more }, reset: true });
  return `${statusCode} ${await body.text()}`;
};
const becomes = (port: number, text: string): Promise<void> =>
  vi.waitFor(async () => expect(await ask(port)).toBe(text), { timeout: 15_000, interval: 50 });

describe.skipIf(!requireComponent("envoy", "envoy"))("Envoys", () => {
  test("an Envoy keeps rules for clients who come from elsewhere, by networks and by the geo data, as they change", async () => {
    const xds = await freePort();
    const seeing = envoyFleet("{address: 127.0.0.1, port: 0, trustedHops: 1}");
    const { folder, server, write } = await start(seeing, () => ["--xds", `127.0.0.1:${xds}`]);
    const withRules = rulesOf(folder);
    const paris = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    const port = await paris.listenerPort();
    const from = (address: string) => ask(port, HOST, { "x-forwarded-for": address });
    const becomesFrom = (address: string, text: string) =>
      vi.waitFor(async () => expect(await from(address)).toBe(text), { timeout: 40_000, interval: 50 });
    await becomesFrom("203.0.113.9", "200 dublin");

    withRules("{name: lab, mode: Require, unknownPlace: Skip, clients: {subnets: [203.0.113.0/24]}, to: {clusters: [virginia]}}");
    await becomesFrom("203.0.113.9", "200 virginia");
    expect(await from("192.0.2.9")).toBe("200 dublin");
    // Trinity College is in Ireland, wherever the Envoy is.
    withRules("{name: irish, mode: Require, unknownPlace: Skip, clients: {countries: [IE]}, to: {clusters: [virginia]}}");
    await becomesFrom("134.226.0.1", "200 virginia");
    expect(await from("203.0.113.9")).toBe("200 dublin");
    expect(server.log()).not.toContain("proxies cannot tell by address");

    write(`${head("ProxyFleet", "edge")}spec: {type: Envoy, places: [${PARIS}, ${OHIO}], envoy: {}}\n`);
    await vi.waitFor(() => expect(server.log()).toContain("proxies cannot tell by address whom the Require rules irish concern"), {
      timeout: 20_000,
    });
  }, 150_000);

  test("an Envoy with a bootstrap alone serves by its place, fails over and back, and a bad fleet file changes nothing", async () => {
    const xds = await freePort();
    const { server, write, kill, revive, fleets } = await start(envoyFleet(), () => ["--xds", `127.0.0.1:${xds}`]);
    const paris = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    const ohio = await startEnvoy({ id: "edge-2", region: "ohio", adsPort: xds, variant: "GRPC" });
    const [here, there] = [await paris.listenerPort(), await ohio.listenerPort()];
    await becomes(here, "200 dublin");
    await becomes(there, "200 virginia");
    expect((await ask(here, "other.example.org")).slice(0, 3)).toBe("404");
    await expect
      .poll(() => fleets())
      .toEqual([{ name: "edge", type: "Envoy", proxies: { connected: 2, current: 2, rejected: 0 }, members: [], problems: [] }]);
    const shown = await globalroute("status", "--server", server.admin);
    expect(shown.stdout).toMatch(/FLEET +TYPE +PROXIES +CURRENT +REJECTED\nedge +Envoy +2 +2 +0/);

    await kill("dublin");
    const during = await Promise.all(Array.from({ length: 50 }, () => ask(here)));
    expect(new Set(during)).toEqual(new Set(["200 virginia"])); // by Envoy's retry, before any probe has told us
    await vi.waitFor(async () => expect(await paris.admin("/clusters")).toContain(`${SITES.dublin}`), { timeout: 5_000 });
    await vi.waitFor(async () => expect(await paris.admin("/clusters")).toMatch(/127\.0\.10\.1:\d+::health_flags::\S*failed_eds_health/), {
      timeout: 10_000,
    });
    await revive("dublin");
    await becomes(here, "200 dublin");

    write(envoyFleet("{address: 127.0.0.1, port: 0}").replace("eu-west-3", "eu-west-33"));
    await vi.waitFor(() => expect(server.log()).toContain("eu-west-33 is not in the region table"), { timeout: 10_000 });
    expect(await ask(here)).toBe("200 dublin");
    await kill("dublin");
    await becomes(here, "200 virginia");
    await revive("dublin");
    await becomes(here, "200 dublin");
  });

  test("an Envoy tries again after the statuses that the route names, and after no others", async () => {
    const xds = await freePort();
    const { folder } = await start(envoyFleet(), () => ["--xds", `127.0.0.1:${xds}`]);
    const paris = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    const port = await paris.listenerPort();
    await becomes(port, "200 dublin");
    const limited = () => ask(port, HOST, {}, "/limited");
    expect(await limited()).toBe("429 dublin");
    const file = join(folder, "config", "all.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("  health:", "  http: {retry: {codes: [429]}}\n  health:"));
    await vi.waitFor(async () => expect(await limited()).toBe("200 virginia"), { timeout: 15_000, interval: 50 });
  });

  test("an Envoy sends clients of one network to one cluster, and others elsewhere, when the route is sticky", async () => {
    const xds = await freePort();
    const { folder } = await start(envoyFleet("{address: 127.0.0.1, port: 0, trustedHops: 1}"), () => ["--xds", `127.0.0.1:${xds}`]);
    const paris = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    const port = await paris.listenerPort();
    await becomes(port, "200 dublin");
    const file = join(folder, "config", "all.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("  health:", "  routing: {order: Weighted, sticky: ClientSubnet}\n  health:"));
    const answersTo = (network: number) =>
      Promise.all(Array.from({ length: 20 }, (_, host) => ask(port, HOST, { "x-forwarded-for": `198.51.${network}.${host}` })));
    const seen = () => Promise.all(Array.from({ length: 12 }, async (_, network) => [...new Set(await answersTo(network))]));
    await vi.waitFor(async () => expect(new Set((await seen()).flat())).toEqual(new Set(["200 dublin", "200 virginia"])), {
      timeout: 15_000,
    });
    expect((await seen()).filter((answers) => answers.length !== 1)).toEqual([]);
  });

  test("an Envoy that is at no place of its fleet is told nothing, and that is said; so is what one rejects", async () => {
    const xds = await freePort();
    const { server, write, fleets } = await start(envoyFleet(), () => ["--xds", `127.0.0.1:${xds}`]);
    await startEnvoy({ id: "lost", region: "pariss", adsPort: xds, variant: "DELTA_GRPC" });
    const envoy = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    await becomes(await envoy.listenerPort(), "200 dublin");
    await expect
      .poll(async () => (await fleets())[0])
      .toMatchObject({
        proxies: { connected: 1 },
        problems: [expect.stringContaining("Envoy lost says that it is at pariss")],
      });
    await expect.poll(() => server.log()).toContain("Did you mean paris?");
    const { degraded } = (await (await fetch(`${server.admin}/readyz`)).json()) as { degraded: readonly string[] };
    expect(degraded).toContain("proxy-failing");

    write(envoyFleet("{address: 127.0.0.1, port: 0, tls: {certificateFile: /nowhere/tls.crt, keyFile: /nowhere/tls.key}}"));
    await vi.waitFor(
      async () => expect((await fleets())[0]).toMatchObject({ proxies: { rejected: 1 }, members: [{ name: "edge-1", state: "Rejected" }] }),
      { timeout: 10_000 },
    );
    expect((await fleets())[0]?.members[0]?.problem).toContain("/nowhere/tls.");
    expect(await ask(await envoy.listenerPort())).toBe("200 dublin");
    await expect.poll(async () => (await fetch(`${server.admin}/v1/timeline`)).text()).toContain('"ProxyRejected"');
    write(envoyFleet());
    await vi.waitFor(async () => expect((await fleets())[0]).toMatchObject({ proxies: { current: 1, rejected: 0 } }), { timeout: 10_000 });
  });

  test("over TLS both sides prove who they are, and certificates are read again when they change", async () => {
    const [xds, certificates] = [await freePort(), await tempFolder()];
    const file = (name: string): string => join(certificates, name);
    const { ca, cert, key } = readCertificates();
    const write = (pem: string): void => writeFileSync(file("cert.pem"), pem);
    writeFileSync(file("ca.pem"), ca);
    writeFileSync(file("key.pem"), key, { mode: 0o600 });
    write(cert);
    const flags = ["--xds-cert", file("cert.pem"), "--xds-key", file("key.pem"), "--xds-client-ca", file("ca.pem")];
    const { server } = await start(envoyFleet(), () => ["--xds", `127.0.0.1:${xds}`, ...flags]);
    const tls = { certificate: file("cert.pem"), key: file("key.pem"), ca: file("ca.pem") };
    const envoy = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC", tls });
    await becomes(await envoy.listenerPort(), "200 dublin");
    write("half a certificate");
    await vi.waitFor(() => expect(server.log()).toContain("the changed certificates for Envoys cannot be used"), { timeout: 10_000 });
    write(cert);
    await vi.waitFor(() => expect(server.log()).toContain("the changed certificates for Envoys are in use"), { timeout: 10_000 });
    const second = await startEnvoy({ id: "edge-2", region: "ohio", adsPort: xds, variant: "GRPC", tls });
    await becomes(await second.listenerPort(), "200 virginia");
  });

  test("without --xds a fleet of Envoys is a warning with its remedy", async () => {
    const { server, fleets } = await start(envoyFleet(), () => []);
    expect(server.log()).toContain("ProxyFleet edge: This server tells Envoys nothing. Start it with --xds ADDR:PORT.");
    expect(await fleets()).toMatchObject([{ name: "edge", problems: [expect.stringContaining("--xds")] }]);
  });
});

describe.skipIf(!requireComponent("haproxy", "haproxy"))("HAProxies", () => {
  /** As an operator starts it. Inside a test. */
  function startHaproxy(folder: string): ChildProcess {
    const child = spawn("haproxy", ["-W", "-S", join(folder, "master.sock"), "-f", join(folder, "haproxy.cfg")], {
      stdio: "ignore",
      detached: true,
    });
    const gone = once(child, "exit");
    onTestFinished(async () => {
      process.kill(-child.pid!, "SIGKILL");
      await gone;
    });
    return child;
  }

  test("a HAProxy that is started with what we wrote serves by its place, fails over and back, and a bad fleet file changes nothing", async () => {
    const port = await freePort();
    const { server, folder, write, kill, revive, fleets } = await start(haproxyFleet(port), (folder) => [
      "--haproxy-dir",
      join(folder, "haproxy"),
    ]);
    const own = join(folder, "haproxy", "office", "one");
    await vi.waitFor(() => expect(existsSync(join(own, "haproxy.cfg"))).toBe(true), { timeout: 10_000 });
    await expect.poll(() => fleets()).toMatchObject([{ members: [{ name: "one", place: "paris", state: "Unreachable" }] }]);
    startHaproxy(own);
    await vi.waitFor(async () => expect(await ask(port)).toBe("200 dublin"), { timeout: 10_000 });
    await vi.waitFor(
      async () =>
        expect(await fleets()).toEqual([
          {
            ...{ name: "office", type: "HAProxy", problems: [], proxies: { connected: 1, current: 1, rejected: 0 } },
            members: [{ name: "one", place: "paris", state: "Current" }],
          },
        ]),
      { timeout: 15_000 },
    );

    await kill("dublin");
    const during = await Promise.all(Array.from({ length: 50 }, () => ask(port)));
    expect(new Set(during)).toEqual(new Set(["200 virginia"]));
    await revive("dublin");
    await becomes(port, "200 dublin");

    write(haproxyFleet(port, "london"));
    await vi.waitFor(() => expect(server.log()).toContain("one stands at london, which is no place of the fleet"), { timeout: 10_000 });
    expect(await ask(port)).toBe("200 dublin");

    // What it serves outlives its fleet, and the server.
    rmSync(join(folder, "config", "fleet.yaml"));
    await vi.waitFor(async () => expect(await fleets()).toEqual([]), { timeout: 10_000 });
    expect(await ask(port)).toBe("200 dublin");
  });

  test("a HAProxy keeps rules for clients who come from elsewhere, by networks and by the geo data, as they change", async () => {
    const port = await freePort();
    const { server, folder, kill } = await start(haproxyFleet(port, "paris", 1), (folder) => ["--haproxy-dir", join(folder, "haproxy")]);
    const own = join(folder, "haproxy", "office", "one");
    await vi.waitFor(() => expect(existsSync(join(own, "haproxy.cfg"))).toBe(true), { timeout: 10_000 });
    startHaproxy(own);
    const from = (address: string) => ask(port, HOST, { "x-forwarded-for": address });
    const becomesFrom = (address: string, text: string) =>
      vi.waitFor(async () => expect(await from(address)).toBe(text), { timeout: 40_000, interval: 50 });
    await becomesFrom("203.0.113.9", "200 dublin");
    const withRules = rulesOf(folder);
    const lab = "{name: lab, mode: Require, unknownPlace: Skip, clients: {subnets: [203.0.113.0/24]}, to: {clusters: [virginia]}}";
    withRules(lab);
    await becomesFrom("203.0.113.9", "200 virginia");
    expect(await from("192.0.2.9")).toBe("200 dublin");
    expect(await from("203.0.113.9, 192.0.2.9")).toBe("200 dublin");

    // Trinity College is in Ireland, wherever the HAProxy is. Who was bound before stays so while others come to be.
    let ended = false;
    onTestFinished(() => {
      ended = true;
    });
    const bound = (async () => {
      const told = new Set<string>();
      while (!ended) told.add(await from("203.0.113.9"));
      return told;
    })();
    withRules(lab, "{name: irish, mode: Require, unknownPlace: Skip, clients: {countries: [IE]}, to: {clusters: [virginia]}}");
    await becomesFrom("134.226.0.1", "200 virginia");
    ended = true;
    expect(await bound).toEqual(new Set(["200 virginia"]));
    expect(await from("192.0.2.9")).toBe("200 dublin");
    expect(server.log()).not.toContain("proxies cannot tell by address");

    await kill("virginia");
    expect((await from("134.226.0.1")).slice(0, 3)).toBe("503");
    expect(await from("192.0.2.9")).toBe("200 dublin");
  }, 150_000);

  test("an admin address that would not be probed is not connected to, and nothing is written without --haproxy-dir", async () => {
    const port = await freePort();
    const inside = haproxyFleet(port).replace("name: one,", "name: one, admin: {address: 127.0.0.1, port: 9},");
    const { fleets } = await start(inside, (folder) => ["--haproxy-dir", join(folder, "haproxy")]);
    await expect
      .poll(() => fleets())
      .toMatchObject([{ problems: [expect.stringContaining("127.0.0.1:9 is not connected to (loopback)")] }]);
    const second = await start(haproxyFleet(port), () => []);
    expect(second.server.log()).toContain("Start it with --haproxy-dir DIR.");
  });
});
