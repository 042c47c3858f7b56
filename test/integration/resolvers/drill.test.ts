/** `globalroute drill` as an operator runs it: a real server, a real Unbound that users ask, and what its report says of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drillReportSchema } from "../../../src/admin/drill-schemas.ts";
import type { DrillReport } from "../../../src/observe/drill-report.ts";
import { type AnswerWatch, watchAnswers } from "../../support/answer-watch.ts";
import { requireComponent } from "../../support/component.ts";
import { launcher } from "../../support/demo.ts";
import { freePort } from "../../support/free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { RESOLVERS, type Resolver, startResolver } from "../../support/resolvers.ts";
import { type Server, startServer } from "../../support/serve.ts";

const EAST = "127.0.20.1";
const WEST = "127.0.20.2";
const HOST = "shop.example.org";
/** Of every answer, seconds. */
const TTL = 4;
/** Between two questions, ms: of the server's own and of the user's. */
const STEPS = { server: 200, user: 50 };

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const objects = (port: number): string => `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org], records: [{name: ns1, type: A, values: [192.0.2.53]}]}}}
${head("GlobalRoute", "shop")}spec:
  hosts: [${HOST}]
  ttl: {min: ${TTL}s, max: ${TTL}s}
  backends:
  - {name: east, cluster: east, addresses: [${EAST}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}
  failover: {failback: {after: 1s}}
  routing: {order: Priority}
${head("GlobalRoute", "lone")}spec:
  hosts: [lone.example.org]
  backends: [{name: east, cluster: east, addresses: [${EAST}]}]
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}
`;

const kind = RESOLVERS.find(({ name }) => name === "Unbound")!;

describe.skipIf(!requireComponent(kind.component, kind.command))("a drill with a watched Unbound", () => {
  let folder: string;
  let sites: LoopbackSites;
  let server: Server;
  let resolver: Resolver;
  let user: AnswerWatch;
  let via: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    sites = await openLoopbackSites([EAST, WEST]);
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(sites.port));
    const port = await freePort();
    via = `resolver 127.0.0.1:${port}`;
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.20.0/29"],
      ...["--watch-resolver", `127.0.0.1:${port}`],
    );
    resolver = await startResolver(kind, "example.org", server.dnsPort, "ns1.example.org", port);
    user = await watchAnswers(resolver.port, HOST, undefined, STEPS.user);
    await user.until(({ addresses }) => addresses[0] === EAST, 20_000);
  });
  afterAll(async () => {
    user?.close();
    await resolver?.stop();
    await server?.stop();
    await sites?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the command. @param during told once the drill has withdrawn its cluster */
  async function drill(args: readonly string[], during: (interrupt: () => void) => void = () => {}) {
    const options = ["--in", "3s", "--server", server.admin, "--output", "json", ...args];
    const child = spawn(process.execPath, [launcher, "drill", "east", ...options], { stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    const exit = once(child, "exit");
    const known = await newest();
    for (const deadline = performance.now() + 30_000; child.exitCode === null; await setTimeout(50)) {
      const report = await newest();
      if (report !== undefined && report.began !== known?.began && report.routes.some(({ withdrawn }) => withdrawn !== undefined)) break;
      if (performance.now() > deadline) throw new Error(`nothing was withdrawn within 30 s; the server logged:\n${server.log()}`);
    }
    during(() => void child.kill("SIGINT"));
    await exit;
    return { code: child.exitCode, report: drillReportSchema.parse(JSON.parse(stdout)) };
  }

  async function newest(): Promise<DrillReport | undefined> {
    const response = await fetch(`${server.admin}/v1/drills/default/drill-east`);
    return response.ok ? drillReportSchema.parse(await response.json()) : undefined;
  }

  const overridesLeft = (): readonly string[] => readdirSync(join(folder, "config", "overrides"));
  const legOf = (report: DrillReport, phase: string, leg: string, at: string) =>
    report.legs.find((one) => one.phase === phase && one.leg === leg && one.via === at);

  test("runs to its end, and its report is what a user of the resolver saw", async () => {
    const { code, report } = await drill(["--for", "12s", "--within", `${TTL + 2}s`]);
    expect(report).toMatchObject({ outcome: "Completed", settled: true, target: "MemberCluster east" });
    expect(code).toBe(0);
    expect(report.routes).toMatchObject([
      { route: "default/lone", out: false, held: ["nothing else is left"] },
      { route: "default/shop", out: true, withdrawn: { from: "east", to: "west", unseen: [] }, restored: { from: "west", to: "east" } },
    ]);
    for (const [phase, to] of [
      ["withdraw", WEST],
      ["restore", EAST],
    ] as const) {
      const move = report.routes[1]![phase === "withdraw" ? "withdrawn" : "restored"]!;
      const movedAt = Date.parse(move.at) - performance.timeOrigin;
      const userSaw = (user.samples().find(({ asked, addresses }) => asked > movedAt && addresses[0] === to)!.asked - movedAt) / 1000;
      const told = legOf(report, phase, "propagate", via)!;
      expect(Math.abs(told.worst - userSaw), `${phase}: told ${told.worst} s, the user saw ${userSaw} s`).toBeLessThanOrEqual(
        Math.max(0.1 * userSaw, (STEPS.server + STEPS.user) / 1000),
      );
      expect(legOf(report, phase, "total", via)!.worst).toBeLessThanOrEqual(TTL + 2);
      expect(legOf(report, phase, "total", "self")!.worst).toBeLessThanOrEqual(1);
    }
    expect(overridesLeft()).toEqual([]);
    const files = readdirSync(join(folder, "state", "drills"));
    expect(files).toEqual([expect.stringMatching(/^default_drill-east-\d{8}T\d{6}Z\.json$/), expect.stringMatching(/\.md$/)]);
    expect(readFileSync(join(folder, "state", "drills", files[1]!), "utf8")).toMatch(/^# Drill of MemberCluster east: completed\n/);
  });

  test("is taken back by Ctrl-C, which waits for the report", async () => {
    const { code, report } = await drill(["--for", "10m"], (interrupt) => interrupt());
    expect([code, report.outcome]).toEqual([1, "EndedEarly"]);
    expect(report.routes[1]).toMatchObject({ route: "default/shop", restored: { to: "east" } });
    expect(overridesLeft()).toEqual([]);
  });

  test("is given up when what clients went to fails, and everything returns", async () => {
    const { code, report } = await drill(["--for", "10m"], () => sites.set(WEST, false));
    expect([code, report.outcome]).toEqual([1, "Aborted"]);
    expect(report.abort?.reason).toContain("default/shop: west is not in service");
    await user.until(({ addresses }) => addresses[0] === EAST, 20_000);
    sites.set(WEST, true);
  });
});
