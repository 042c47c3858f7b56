/** `globalroute plan` and `apply` on a zone of a real BIND: review first, then change exactly that, by a server or without one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createRfc2136Provider } from "../../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../../dns-providers/rfc2136/tcp-exchange.ts";
import { encodeUpdate } from "../../../dns-providers/rfc2136/update-message.ts";
import { appendTsig, type TsigKey, tsigChain, tsigSize } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../support/objects-folder.ts";
import { type Primary, startBindPrimary } from "../../support/providers/primaries.ts";
import { type CliRun, runCli } from "../../support/run-cli.ts";
import { type Server, startServer } from "../../support/serve.ts";

const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const [EU, US] = ["127.0.33.1", "127.0.33.2"] as const;

const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const route = (name: string, port: number, ttl = 5): string => `${head("GlobalRoute", name)}spec:
  hosts: [${name}.example.org]
  ttl: {min: ${ttl}s, max: ${ttl}s}
  routing: {order: Priority}
  health: {interval: 1s, timeout: 500ms, rise: 1, fall: 2, probe: {port: ${port}}}
  failover: {failback: {after: 1s}}
  backends:
  - {name: eu, cluster: eu-west, addresses: [${EU}]}
  - {name: us, cluster: us-east, addresses: [${US}], priority: 1}
`;
const zone = (name: string, domain: string, port: number, policy: string): string => `${head("DNSZone", name)}spec:
  domain: ${domain}
  owner: prod-eu
  policy: ${policy}
  provider:
    type: RFC2136
    rfc2136:
      server: {host: 127.0.0.1, port: ${port}}
      key: {name: ${KEY.name}, file: writer.key}
`;

const isHere = requireComponent("bind", "named") && requireComponent("dns-clients", "dig");

describe.skipIf(!isHere)("plan and apply", () => {
  let primary: Primary;
  let sites: LoopbackSites;
  let folder: ObjectsFolder;
  let state: string;
  let work: string;

  const answer = async (name: string, type = "A"): Promise<string> => {
    const { status, answers } = await dig(primary.port, `${name}.example.org`, type);
    return [status, ...answers].join(" ");
  };
  const serial = async (): Promise<string> => (await dig(primary.port, "example.org", "SOA")).answers.join();
  /** Somebody with the same key, who knows nothing of fences. */
  const interfere = async (before: RecordSet | undefined, after: RecordSet): Promise<void> => {
    const fence = before === undefined ? ({ action: "Create", after } as const) : ({ action: "Replace", before, after } as const);
    const message = encodeUpdate(1, "example.org", { fence, changes: [] })!;
    const chain = tsigChain(KEY);
    const signed = new Uint8Array(message.length + tsigSize(KEY) + 64);
    signed.set(message);
    const length = appendTsig(signed, message.length, chain, Date.now());
    await exchangeOverTcp({ host: "127.0.0.1", port: primary.port }, signed.subarray(0, length), () => true, AbortSignal.timeout(5000));
  };
  const listed = async (): Promise<readonly RecordSet[]> =>
    createRfc2136Provider({
      ...{ server: { host: "127.0.0.1", port: primary.port }, domain: "example.org", key: KEY, exchange: exchangeOverTcp },
      ...{ wallClock: Date.now, randomId: () => 7 },
    }).list(AbortSignal.timeout(5000));
  const file = (): string => join(work, "plan.json");
  const saved = (): { zones: { changes: { action: string; name: string; type: string }[] }[] } => JSON.parse(readFileSync(file(), "utf8"));

  beforeAll(async () => {
    primary = await startBindPrimary(KEY);
    sites = await openLoopbackSites([EU, US]);
    state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    work = mkdtempSync(join(tmpdir(), "globalroute-plans-"));
    folder = createObjectsFolder();
    folder.write("writer.key", Buffer.from(KEY.secret).toString("base64"));
    folder.write("zone.yaml", zone("example-org", "example.org", primary.port, "DryRun"));
    folder.write("shop.yaml", route("shop", sites.port));
    folder.write("www.yaml", route("www", sites.port));
  });
  afterAll(async () => {
    await sites?.close();
    await primary?.stop();
    folder?.remove();
    for (const path of [state, work]) rmSync(path, { recursive: true, force: true });
  });

  describe("by a running server, of a zone with policy DryRun", () => {
    let server: Server;
    const run = (...args: readonly string[]): Promise<CliRun> =>
      runCli([...args, "--server", server.admin], { now: Date.now, cwd: work, env: {} });
    const apply = (...more: readonly string[]): Promise<CliRun> => run("apply", file(), "--state", state, ...more);
    /** Once health is known, and the folder's newest is compiled. */
    const planned = async (isAsWanted: (run: CliRun) => boolean, ...args: readonly string[]): Promise<CliRun> => {
      for (let tries = 0; ; tries++) {
        const made = await run("plan", ...args);
        if (isAsWanted(made)) return made;
        if (tries > 100) throw new Error(`${made.code}\n${made.stdout}\n${made.stderr}\n${server.log()}`);
        await setTimeout(100);
      }
    };

    beforeAll(async () => {
      server = await startServer("--config", folder.path, "--state", state, "--probe-allow", "127.0.33.0/24", "--json");
    });
    afterAll(() => server?.stop());

    test("exit 1 and the changes, with what is not ours; nothing is written", async () => {
      const before = await serial();
      const { stdout } = await planned(({ code }) => code === 1, "--save", file());
      expect(stdout).toBe(`example-org (example.org, RFC2136, owner prod-eu, policy DryRun):
  + shop.example.org A  ${EU}, TTL 5 s  for GlobalRoute/default/shop
    and 1 record of GlobalRoute's own: 1 to create, 0 to replace, 0 to delete (--all shows them)
  ! www.example.org A is not ours and stays as it is: what is there is somebody else's, wanted for GlobalRoute/default/www

Saved. Carry it out with: globalroute apply ${file()}
Plan: 1 to create, 0 to replace, 0 to delete.
`);
      expect(await serial()).toBe(before);
      expect(statSync(file()).mode & 0o777).toBe(0o600);
      expect(readFileSync(file(), "utf8")).not.toContain(Buffer.from(KEY.secret).toString("base64"));
    });

    test("--output json has the changes of each zone", async () => {
      const { code, stdout } = await run("plan", "example.org", "--output", "json");
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        zones: [
          {
            ...{ zone: "example-org", provider: "RFC2136", fence: null, held: [] },
            changes: [
              { action: "Create", name: "_globalroute.shop.example.org", type: "TXT" },
              { action: "Create", name: "shop.example.org", type: "A", after: { ttl: 5, values: [EU] } },
            ],
            conflicts: [{ name: "www.example.org", type: "A", reason: "Foreign" }],
          },
        ],
      });
    });

    test("apply without the token is refused, and nothing is written", async () => {
      const { code, stderr } = await run("apply", file(), "--state", work);
      expect([code, stderr]).toEqual([2, expect.stringContaining("admin.token")]);
      const other = await runCli(["apply", file(), "--server", server.admin], { env: { GLOBALROUTE_TOKEN: "not-the-token-of-it" } });
      expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("The token is not the server's.")]);
      expect(await answer("shop")).toBe("NXDOMAIN");
    });

    test("apply makes it under the fence although the policy is DryRun, and then there is nothing to plan", async () => {
      const applied = await apply();
      expect(applied).toEqual({ code: 0, stdout: "example-org: applied, 2 changes\n", stderr: "" });
      expect(await answer("shop")).toBe(`NOERROR ${EU}`);
      expect(await answer("prod-eu._fence._globalroute", "TXT")).toContain("globalroute/epoch=1,globalroute/write=1");
      const after = await run("plan");
      expect(after.code).toBe(0);
      expect(after.stdout).toContain("policy DryRun): no changes\n");
      expect(server.log()).toContain("a plan that somebody reviewed was carried out");
    });

    test("the same plan again is stale: nothing of it is to be done any more", async () => {
      const before = await serial();
      const { code, stdout } = await apply();
      expect(code).toBe(1);
      expect(stdout).toContain("example-org: stale: shop.example.org A was to be created, and nothing is to be done there any more.");
      expect(await serial()).toBe(before);
    });

    test("stale once somebody has changed a record that it touches: exit 1, nothing written", async () => {
      folder.write("shop.yaml", route("shop", sites.port, 7));
      folder.write("cart.yaml", route("cart", sites.port));
      const { stdout } = await planned(({ stdout }) => stdout.includes("cart.") && stdout.includes("7 s"), "--save", file());
      expect(stdout).toContain(`  ~ shop.example.org A  ${EU}, TTL 5 s → ${EU}, TTL 7 s  for GlobalRoute/default/shop\n`);
      const shop = (await listed()).find(({ name, type }) => name === "shop.example.org" && type === "A")!;
      await interfere(shop, { ...shop, values: ["192.0.2.66"] });
      const before = await serial();
      const { code, stdout: said } = await apply();
      expect(code).toBe(1);
      expect(said).toContain(`example-org: stale: shop.example.org A was ${EU}, TTL 5 s, and is 192.0.2.66, TTL 5 s. Run`);
      expect(await serial()).toBe(before);
      expect(await answer("cart")).toBe("NXDOMAIN");
    });

    test("stale once what is wanted is something else, as by a failover", async () => {
      await planned(({ code }) => code === 1, "--save", file());
      sites.set(EU, false);
      await planned(({ stdout }) => stdout.includes(US));
      const { code, stdout } = await apply("--output", "json");
      expect([code, JSON.parse(stdout)]).toEqual([
        1,
        {
          zones: [
            expect.objectContaining({ outcome: "Stale", changes: 0, message: expect.stringContaining(`, and is now to become ${US}`) }),
          ],
        },
      ]);
      sites.set(EU, true);
      await planned(({ stdout }) => stdout.includes(EU) && !stdout.includes(US), "--save", file());
      expect((await apply()).code).toBe(0);
      expect(await answer("cart")).toBe(`NOERROR ${EU}`);
    });

    test("removals that are too many at once are shown as held, and applying the plan is their confirmation", async () => {
      for (const name of ["a", "b", "c"]) folder.write(`${name}.yaml`, route(name, sites.port));
      await planned(({ stdout }) => stdout.includes("Plan: 3 to create"), "--save", file());
      expect((await apply()).code).toBe(0);
      for (const name of ["a", "b", "c", "cart"]) folder.write(`${name}.yaml`, "# gone\n");
      const degraded = async (): Promise<string> => (await fetch(`${server.admin}/readyz`)).text();
      await expect.poll(degraded, { timeout: 10_000 }).toContain("inputs-held");
      expect((await runCli(["confirm", "--server", server.admin, "--state", state])).code).toBe(0);
      const { stdout } = await planned(({ stdout }) => stdout.includes("4 to delete"), "--save", file());
      expect(stdout).toContain("  held: 4 removals at once wait for `globalroute confirm`, or for `apply` of this plan: a.example.org A,");
      expect((await apply()).code).toBe(0);
      for (const name of ["a", "b", "c", "cart"]) expect(await answer(name)).toBe("NXDOMAIN");
      expect(await answer("shop")).toBe(`NOERROR ${EU}`);
    });

    test("a zone that there is not, and a file that somebody changed, are errors with a remedy", async () => {
      const { code, stderr } = await run("plan", "example.com");
      expect([code, stderr]).toEqual([2, expect.stringMatching(/There is no DNSZone example\.com .*There are: example-org/)]);
      writeFileSync(file(), JSON.stringify({ ...saved(), zones: [] }));
      const edited = await apply();
      expect([edited.code, edited.stderr]).toEqual([2, expect.stringContaining("is not as it was saved")]);
    });

    test("a provider that cannot be reached: exit 2 with the remedy, the other zones are shown, no file is written", async () => {
      folder.write("lost.yaml", zone("lost", "lost.example.net", await freePort(), "Sync"));
      folder.write("shop.yaml", route("shop", sites.port, 9));
      rmSync(file());
      await planned(({ stderr, stdout }) => stderr.includes("lost") && stdout.includes("9 s"));
      const { code, stdout, stderr } = await run("plan", "--save", file());
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /globalroute: lost: rfc2136 127\.0\.0\.1:\d+ lost\.example\.net: .*ECONNREFUSED.*Look whether the server runs/,
      );
      expect(stdout).toContain("lost (RFC2136): could not be planned");
      expect(stderr).toContain("plan.json was not written, as the plan is not whole.");
      expect(existsSync(file())).toBe(false);
      const one = await run("plan", "example-org");
      expect(one.code).toBe(1);
      folder.write("lost.yaml", "# gone\n");
    });

    test("while BIND is silent a plan ends all the same, and only one is made at a time", async () => {
      await primary.pause();
      const first = run("plan", "example-org");
      await setTimeout(300);
      const second = await run("plan");
      expect([second.code, second.stderr]).toEqual([2, expect.stringContaining("Another plan is being made")]);
      primary.resume();
      expect((await first).code).toBe(1);
    });
  });

  describe("without a server", () => {
    const offline = (...args: readonly string[]): Promise<CliRun> =>
      runCli([...args, "--config", folder.path], { now: Date.now, cwd: work, env: {} });

    test("the folder is compiled with every backend healthy, which is said; plan, apply, plan", async () => {
      folder.write("zone.yaml", zone("example-org", "example.org", primary.port, "Sync"));
      folder.write("shop.yaml", route("shop", sites.port, 11));
      const plan = await offline("plan", "--save", file());
      expect(plan.code).toBe(1);
      expect(plan.stdout).toContain("note: from the folder alone: nothing was probed, so every backend is taken for healthy\n");
      expect(plan.stdout).toContain(`${EU}, TTL 11 s  for GlobalRoute/default/shop\n`);
      expect(await offline("apply", file())).toMatchObject({ code: 0, stdout: "example-org: applied, 1 change\n" });
      expect(await answer("prod-eu._fence._globalroute", "TXT")).toContain("globalroute/epoch=2,globalroute/write=1");
      expect(await offline("plan")).toMatchObject({ code: 0 });
      expect(await offline("apply", file())).toMatchObject({ code: 1, stdout: expect.stringContaining("stale") });
    });

    test("--destroy empties the zones that are named, whatever the policy and the objects say", async () => {
      folder.write("zone.yaml", zone("example-org", "example.org", primary.port, "UpsertOnly"));
      folder.write("shop.yaml", route("shop", sites.port, 11));
      const plan = await offline("plan", "example-org", "--destroy", "--save", file());
      expect([plan.code, plan.stdout]).toEqual([1, expect.stringContaining("policy UpsertOnly), everything goes:\n")]);
      expect(plan.stdout).toMatch(/^ {2}- shop\.example\.org A {2}/m);
      expect(await offline("apply", file())).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^example-org: applied, \d+ changes\n$/),
      });
      for (const [name, type] of [
        ["shop", "A"],
        ["_globalroute.shop", "TXT"],
        ["prod-eu._fence._globalroute", "TXT"],
      ] as const)
        expect(await answer(name, type)).toMatch(/^(NXDOMAIN|NOERROR)$/);
      expect(await answer("www", "A")).toBe("NOERROR 192.0.2.99");
      expect(await offline("plan", "example-org", "--destroy")).toMatchObject({ code: 0 });
      expect((await offline("plan", "--destroy")).stderr).toContain("--destroy empties zones: name them.");
      expect((await runCli(["plan", "example-org", "--destroy"])).stderr).toContain("End it first.");
    });

    test("a server that cannot be reached is an error, too", async () => {
      folder.write("zone.yaml", zone("example-org", "example.org", await freePort(), "Sync"));
      const { code, stderr } = await offline("plan");
      expect([code, stderr]).toEqual([2, expect.stringContaining("Look whether the server runs and is reachable by TCP.")]);
      const nobody = await runCli(["plan", "--server", `http://127.0.0.1:${await freePort()}`]);
      expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("Start one with `globalroute serve --config DIR`")]);
    });
  });
});
