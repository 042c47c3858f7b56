/** `globalroute serve` keeps a zone on a PowerDNS of somebody else, whose scripts then choose by client, with the same geo data. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../support/objects-folder.ts";
import { type PowerDns, requirePowerDns, startPowerDns } from "../../support/providers/powerdns.ts";
import { WORLD_FILE } from "../../support/providers/powerdns-world.ts";
import { type Server, startServer } from "../../support/serve.ts";

const [EU, US] = ["127.0.33.1", "127.0.33.2"] as const;
const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const isHere = requirePowerDns() && requireComponent("dns-clients", "dig");

describe.skipIf(!isHere)("a zone on somebody's PowerDNS", () => {
  let powerdns: PowerDns;
  let sites: LoopbackSites;
  let folder: ObjectsFolder;
  let state: string;
  let server: Server | undefined;
  let mmdb: string;

  const zone = (answers: string): string => `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: prod-eu
  policy: Sync
  provider: {type: PowerDNS, powerdns: {server: "${powerdns.server}", key: {file: api.key}, answers: ${answers}}}
`;
  const start = async (...more: readonly string[]): Promise<void> => {
    await server?.stop();
    server = await startServer("--config", folder.path, "--state", state, "--probe-allow", "127.0.33.0/24", "--json", ...more);
  };
  const answer = async (subnet: string): Promise<string> => {
    const { status, answers } = await dig(powerdns.dnsPort, "shop.example.org", "A", `+subnet=${subnet}`);
    return [status, ...[...answers].sort()].join(" ");
  };
  const becomes = async (subnet: string, wanted: string): Promise<void> => {
    for (let tries = 0; (await answer(subnet)) !== wanted; tries++) {
      if (tries > 600) throw new Error(`${subnet} gets ${await answer(subnet)}, not ${wanted}\n${server?.log()}`);
      await setTimeout(50);
    }
  };

  beforeAll(async () => {
    powerdns = await startPowerDns({ mmdb: WORLD_FILE });
    sites = await openLoopbackSites([EU, US]);
    state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    folder = createObjectsFolder();
    mmdb = join(state, "world.mmdb");
    writeFileSync(mmdb, WORLD_FILE);
    folder.write("api.key", `${powerdns.apiKey}\n`);
    folder.write("zone.yaml", zone("Plain"));
    folder.write(
      "shop.yaml",
      `${head("GlobalRoute", "shop")}spec:
  hosts: [shop.example.org]
  ttl: {min: 1s, max: 5s}
  health: {interval: 1s, timeout: 500ms, rise: 1, fall: 2, probe: {port: ${sites.port}}}
  failover: {failback: {after: 1s}}
  backends:
  - {name: eu, cluster: eu-west, addresses: [${EU}]}
  - {name: us, cluster: us-east, addresses: [${US}]}
`,
    );
  });
  afterAll(async () => {
    await server?.stop();
    await sites?.close();
    await powerdns?.stop();
    folder?.remove();
    rmSync(state, { recursive: true, force: true });
  });

  test("Plain: everybody gets the same, which is told", async () => {
    await start();
    await becomes("20.0.0.0/24", `NOERROR ${EU} ${US}`);
    expect(await (await fetch(`${server!.admin}/v1/status`)).text()).toContain(
      "PowerDNS, which keeps DNSZone example-org, cannot follow order",
    );
  });

  test("Lua with the geo data that comes with us is refused, and what is there stays", async () => {
    folder.write("zone.yaml", zone("Lua"));
    for (let tries = 0; !server!.log().includes("would take every client for one of unknown place"); tries++) {
      expect(tries, server!.log()).toBeLessThan(300);
      await setTimeout(100);
    }
    expect(server!.log()).toContain("--mmdb FILE");
    expect(await answer("20.0.0.0/24")).toBe(`NOERROR ${EU} ${US}`);
  });

  test("Lua with the same geo data: every client gets its nearest, and leaves it when it fails", async () => {
    await start("--mmdb", mmdb);
    const nearest = new Map<string, string>(); // networks of countries all over the world
    for (let n = 0; n < 250; n += 5) nearest.set(`20.${n}.0.0/24`, "");
    for (let tries = 0; ; tries++) {
      for (const subnet of nearest.keys()) nearest.set(subnet, await answer(subnet));
      const found = new Set(nearest.values());
      if (found.size === 2 && found.has(`NOERROR ${EU}`) && found.has(`NOERROR ${US}`)) break;
      if (tries > 20) throw new Error(`${[...found].join("; ")} after all\n${server?.log()}`);
      await setTimeout(200);
    }
    const [client] = [...nearest].find(([, got]) => got === `NOERROR ${EU}`)!;
    sites.set(EU, false);
    await becomes(client, `NOERROR ${US}`);
    sites.set(EU, true);
    await becomes(client, `NOERROR ${EU}`);
  });
});
