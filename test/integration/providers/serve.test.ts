/** `globalroute serve` keeps a zone on a BIND of somebody else: what its clients get, through a failover, mistakes of others, and restarts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../support/objects-folder.ts";
import { type Primary, startBindPrimary } from "../../support/providers/primaries.ts";
import { type Server, startServer } from "../../support/serve.ts";

const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const [EU, US] = ["127.0.31.1", "127.0.31.2"] as const;

const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const route = (name: string, port: number, more = ""): string => `${head("GlobalRoute", name)}spec:
  hosts: [${name}.example.org]
  ttl: {min: 5s, max: 5s}
  routing: {order: Nearest}
  health: {interval: 1s, timeout: 500ms, rise: 1, fall: 2, probe: {port: ${port}}}
  failover: {failback: {after: 1s}}
  backends:
  - {name: eu, cluster: eu-west, addresses: [${EU}]}
  - {name: us, cluster: us-east, addresses: [${US}], priority: 1}
${more}`;

const isHere = requireComponent("bind", "named") && requireComponent("dns-clients", "dig");

describe.skipIf(!isHere)("a zone on somebody's BIND", () => {
  let primary: Primary;
  let sites: LoopbackSites;
  let folder: ObjectsFolder;
  let state: string;
  let server: Server | undefined;

  const zone = (policy: string, owner = "prod-eu"): string => `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: ${owner}
  policy: ${policy}
  provider:
    type: RFC2136
    rfc2136:
      server: {host: 127.0.0.1, port: ${primary.port}}
      key: {name: ${KEY.name}, file: writer.key}
`;
  const start = async (): Promise<Server> => {
    server = await startServer("--config", folder.path, "--state", state, "--probe-allow", "127.0.31.0/24", "--json");
    return server;
  };
  const answer = async (name: string, type = "A"): Promise<string> => {
    const { status, answers } = await dig(primary.port, `${name}.example.org`, type);
    return [status, ...answers].join(" ");
  };
  const becomes = async (name: string, wanted: string, type = "A"): Promise<number> => {
    const began = performance.now();
    for (let seen = ""; performance.now() - began < 30_000; await setTimeout(50)) {
      seen = await answer(name, type);
      if (seen === wanted) return performance.now() - began;
    }
    throw new Error(`${name} is ${await answer(name, type)}, not ${wanted}\n${server?.log()}`);
  };
  const stays = async (name: string, wanted: string, milliseconds: number): Promise<void> => {
    const began = performance.now();
    for (; performance.now() - began < milliseconds; await setTimeout(100)) expect(await answer(name)).toBe(wanted);
  };
  const metric = async (name: string, of = server): Promise<string> => {
    const text = await (await fetch(`${of!.admin}/metrics`)).text();
    return text
      .split("\n")
      .filter((line) => line.startsWith(name))
      .join("\n");
  };

  beforeAll(async () => {
    primary = await startBindPrimary(KEY);
    sites = await openLoopbackSites([EU, US]);
    state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    folder = createObjectsFolder();
    folder.write("writer.key", Buffer.from(KEY.secret).toString("base64"));
    folder.write("zone.yaml", zone("UpsertOnly"));
    folder.write("shop.yaml", route("shop", sites.port));
  });
  afterAll(async () => {
    await server?.stop();
    await sites?.close();
    await primary?.stop();
    folder?.remove();
    rmSync(state, { recursive: true, force: true });
  });

  test("gets the answers, and nobody is answered for it here", async () => {
    const { dnsPort } = await start();
    await becomes("shop", `NOERROR ${EU}`);
    expect(await answer("_globalroute.shop", "TXT")).toContain(
      "globalroute/owner=prod-eu,globalroute/types=A,globalroute/resource=GlobalRoute/default/shop",
    );
    expect((await dig(dnsPort, "shop.example.org", "A")).status).toBe("REFUSED");
    expect(await answer("www")).toBe("NOERROR 192.0.2.99");
  });

  test("what it cannot follow of a policy is told on the route", async () => {
    expect(await (await fetch(`${server!.admin}/v1/status`)).text()).toContain(
      "RFC2136, which keeps DNSZone example-org, cannot follow order",
    );
  });

  test("follows a failover and back, and never has nothing", async () => {
    sites.set(EU, false);
    const out = await becomes("shop", `NOERROR ${US}`);
    sites.set(EU, true);
    const back = await becomes("shop", `NOERROR ${EU}`);
    process.stderr.write(`from 503 to BIND's new answer: ${Math.round(out)} ms (2 probes, 1 s apart); back: ${Math.round(back)} ms\n`);
    expect(await metric('globalroute_provider_changes_total{zone="example.org",action="Replace"}')).toMatch(/ 2$/);
    // Both ways were written; that nobody is answered with the old address any more was seen at BIND itself.
    expect(await metric('globalroute_failover_leg_seconds_count{leg="publish",via="example.org"}')).toMatch(/ 2$/);
    expect(await metric('globalroute_failover_leg_seconds_count{leg="propagate",via="zone example.org"}')).toMatch(/ 1$/);
    expect(await metric('globalroute_provider_pending_changes{zone="example.org"}')).toMatch(/ 0$/);
    expect(await metric('globalroute_provider_sync_age_seconds{zone="example.org"}')).toMatch(/ \d/);
  });

  test("a name that others have is left to them, and that is logged", async () => {
    folder.write("www.yaml", route("www", sites.port));
    folder.write("cart.yaml", route("cart", sites.port));
    await becomes("cart", `NOERROR ${EU}`);
    expect(await answer("www")).toBe("NOERROR 192.0.2.99");
    expect(server!.log()).toContain("not ours and left alone: www.example.org A (Foreign)");
    folder.write("www.yaml", "# gone\n");
  });

  test("removes nothing by UpsertOnly, and what is ours by Sync", async () => {
    folder.write("cart.yaml", "# gone\n");
    await stays("cart", `NOERROR ${EU}`, 2000);
    folder.write("zone.yaml", zone("Sync"));
    await becomes("cart", "NXDOMAIN");
    expect(await answer("_globalroute.cart", "TXT")).toBe("NXDOMAIN");
    await becomes("shop", `NOERROR ${EU}`);
  });

  test("while BIND is silent nothing is lost, it is told, and the newest is written when it is back", async () => {
    await primary.pause();
    sites.set(EU, false);
    const degraded = async (): Promise<string> => (await fetch(`${server!.admin}/readyz`)).text();
    for (let tries = 0; !(await degraded()).includes("provider-failing"); tries++) {
      if (tries > 200) throw new Error(`never failing: ${await degraded()}`);
      await setTimeout(100);
    }
    expect(await metric('globalroute_provider_errors_total{zone="example.org",code="unreachable"}')).toMatch(/ [1-9]/);
    primary.resume();
    await becomes("shop", `NOERROR ${US}`);
    for (let tries = 0; (await degraded()).includes("provider-failing"); tries++) {
      if (tries > 200) throw new Error(`failing for ever:\n${server!.log()}`);
      await setTimeout(100); // what was given up on may have been made all the same
    }
    expect(server!.log()).toContain("the zone can be written again");
    sites.set(EU, true);
    await becomes("shop", `NOERROR ${EU}`);
  });

  test("a restart, even without its state, writes nothing that is not so", async () => {
    sites.set(EU, false);
    await becomes("shop", `NOERROR ${US}`);
    await server!.stop();
    rmSync(state, { recursive: true });
    await start();
    await stays("shop", `NOERROR ${US}`, 4000);
    sites.set(EU, true);
    await becomes("shop", `NOERROR ${EU}`);
  });

  test("a second server with the same owner takes over, and the first says so and writes no more", async () => {
    const first = server!;
    const other = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    const second = await startServer("--config", folder.path, "--state", other, "--probe-allow", "127.0.31.0/24", "--json");
    try {
      await expect.poll(() => metric("globalroute_provider_sync_age_seconds", second), { timeout: 20_000 }).not.toBe("");
      sites.set(EU, false);
      await becomes("shop", `NOERROR ${US}`);
      for (let tries = 0; !first.log().includes("somebody else writes as owner prod-eu"); tries++) {
        if (tries > 100) throw new Error(`the first never noticed:\n${first.log()}`);
        await setTimeout(100);
      }
      await stays("shop", `NOERROR ${US}`, 2000);
    } finally {
      await second.stop();
      rmSync(other, { recursive: true, force: true });
      sites.set(EU, true);
    }
  });
});
