/** `globalroute drill` as an operator runs it: a real server, a real Unbound that users ask, and what its report says of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drillReportSchema } from "../../../src/admin/drill-schemas.ts";
import type { DrillReport } from "../../../src/observe/drill-report.ts";
import { requireComponent } from "../../support/component.ts";
import { launcher } from "../../support/demo.ts";
import { EAST, STEPS, startWatchedUnbound, TTL, UNBOUND, type WatchedUnbound, WEST } from "../../support/watched-unbound.ts";

describe.skipIf(!requireComponent(UNBOUND.component, UNBOUND.command))("a drill with a watched Unbound", () => {
  let world: WatchedUnbound;

  beforeAll(async () => {
    world = await startWatchedUnbound();
  });
  afterAll(() => world?.close());

  /** Runs the command. @param during told once the drill has withdrawn its cluster */
  async function drill(args: readonly string[], during: (interrupt: () => void) => void = () => {}) {
    const options = ["--in", "3s", "--server", world.server.admin, "--output", "json", ...args];
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
      if (performance.now() > deadline) throw new Error(`nothing was withdrawn within 30 s; the server logged:\n${world.server.log()}`);
    }
    during(() => void child.kill("SIGINT"));
    await exit;
    return { code: child.exitCode, report: drillReportSchema.parse(JSON.parse(stdout)) };
  }

  async function newest(): Promise<DrillReport | undefined> {
    const response = await fetch(`${world.server.admin}/v1/drills/default/drill-east`);
    return response.ok ? drillReportSchema.parse(await response.json()) : undefined;
  }

  const overridesLeft = (): readonly string[] => readdirSync(join(world.folder, "config", "overrides"));
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
      const userSaw = (world.user.samples().find(({ asked, addresses }) => asked > movedAt && addresses[0] === to)!.asked - movedAt) / 1000;
      const told = legOf(report, phase, "propagate", world.via)!;
      expect(Math.abs(told.worst - userSaw), `${phase}: told ${told.worst} s, the user saw ${userSaw} s`).toBeLessThanOrEqual(
        Math.max(0.1 * userSaw, (STEPS.server + STEPS.user) / 1000),
      );
      expect(legOf(report, phase, "total", world.via)!.worst).toBeLessThanOrEqual(TTL + 2);
      expect(legOf(report, phase, "total", "self")!.worst).toBeLessThanOrEqual(1);
    }
    expect(overridesLeft()).toEqual([]);
    const files = readdirSync(join(world.folder, "state", "drills"));
    expect(files).toEqual([expect.stringMatching(/^default_drill-east-\d{8}T\d{6}Z\.json$/), expect.stringMatching(/\.md$/)]);
    expect(readFileSync(join(world.folder, "state", "drills", files[1]!), "utf8")).toMatch(/^# Drill of MemberCluster east: completed\n/);
  });

  test("is taken back by Ctrl-C, which waits for the report", async () => {
    const { code, report } = await drill(["--for", "10m"], (interrupt) => interrupt());
    expect([code, report.outcome]).toEqual([1, "EndedEarly"]);
    expect(report.routes[1]).toMatchObject({ route: "default/shop", restored: { to: "east" } });
    expect(overridesLeft()).toEqual([]);
  });

  test("is given up when what clients went to fails, and everything returns", async () => {
    const { code, report } = await drill(["--for", "10m"], () => world.sites.set(WEST, false));
    expect([code, report.outcome]).toEqual([1, "Aborted"]);
    expect(report.abort?.reason).toContain("default/shop: west is not in service");
    await world.user.until(({ addresses }) => addresses[0] === EAST, 20_000);
    world.sites.set(WEST, true);
  });
});
