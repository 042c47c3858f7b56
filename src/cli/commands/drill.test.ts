/** `drill` against a server that obeys it: real HTTP and a real recorder, on a clock that only the command's own waiting moves. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DrillServer, startDrillServer } from "../../../test/support/drill-server.ts";
import { FAKE_NOW } from "../../../test/support/fake-view.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../../test/support/objects-folder.ts";
import { type CliRun, runCli } from "../../../test/support/run-cli.ts";
import { readObjectsAt } from "../../engine/read-objects.ts";

let folder: ObjectsFolder;
let server: DrillServer;
beforeEach(async () => {
  folder = createObjectsFolder();
  server = await startDrillServer(folder.path);
});
afterEach(async () => {
  await server.stop();
  folder.remove();
});

/** Runs it; whenever it waits, time goes on. @param onWait what happens then, with the seconds since it began */
async function run(args: readonly string[], onWait: (seconds: number, interrupt: () => void) => void = () => {}): Promise<CliRun> {
  const signals: (() => void)[] = [];
  return runCli([...args, "--server", server.url], {
    cwd: folder.path,
    now: server.now,
    async sleep(milliseconds) {
      await server.advance(milliseconds);
      onWait((server.now() - FAKE_NOW) / 1000, () => signals.forEach((signal) => void signal()));
    },
    onSignal: (name, listener) => {
      if (name === "SIGINT") signals.push(listener);
      return () => {};
    },
  });
}
const drill = (...more: readonly string[]): Promise<CliRun> => run(["drill", "eu-west", "--for", "2m", ...more]);
const overridesLeft = (): readonly string[] =>
  existsSync(join(folder.path, "overrides")) ? readdirSync(join(folder.path, "overrides")) : [];

test("says what it will do, waits for the end, prints the report, and leaves nothing behind", async () => {
  const { code, stdout, stderr } = await drill("--reason", "rehearsal");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /^Drill of eu-west at 2026-11-21T12:00:05.000Z for 2m: rehearsal\n {2}default\/shop: its clients go to us-east; answers already given are kept for up to 60 s\nWritten: .*drill-eu-west\.yaml\nCtrl-C takes it back at once\.\n\n# Drill of MemberCluster eu-west: completed\n/,
  );
  expect(stdout).toContain("| withdraw | total     | self |      1 |  12 ms | 12 ms |");
  expect(stdout).toContain("| restore  | total     | self |      1 |  22 ms | 22 ms |");
  expect(server.written()).toMatchObject({
    metadata: { name: "drill-eu-west", annotations: { "globalroute.dev/by": "alice@laptop" } },
    spec: {
      ...{ targetRef: { kind: "MemberCluster", name: "eu-west" }, action: "Drill", reason: "rehearsal" },
      ...{ start: "2026-11-21T12:00:05.000Z", until: "2026-11-21T12:02:05.000Z" },
    },
  });
  expect(overridesLeft()).toEqual([]);
});

describe("how it ends", () => {
  const cases: readonly { name: string; args: readonly string[]; code: number; says: string }[] = [
    { name: "fast enough", args: ["--within", "1s"], code: 0, says: "22 ms at the slowest; --within is 1.0 s." },
    { name: "too slow", args: ["--within", "15ms"], code: 1, says: "Too slow: 22 ms at the slowest, and --within is 15 ms." },
  ];
  test.each(cases)("$name: exit $code", async ({ args, code, says }) => {
    const done = await drill(...args);
    expect([done.code, done.stdout.trimEnd().split("\n").at(-1)]).toEqual([code, says]);
  });

  test("given up at a second failure: exit 1 with the failure", async () => {
    server.onBegin = (script) => {
      script.aborted({ reason: "default/shop: us is not in service", route: "default/shop" });
    };
    const { code, stdout } = await drill();
    expect(code).toBe(1);
    expect(stdout).toContain("# Drill of MemberCluster eu-west: given up at a second failure\n");
    expect(stdout).toContain("default/shop: us is not in service.");
  });

  test("Ctrl-C takes it back, waits for the report, and exit 1 says so", async () => {
    const { code, stdout } = await run(["drill", "eu-west", "--for", "1h"], (seconds, interrupt) => {
      if (seconds === 60) interrupt();
    });
    expect(code).toBe(1);
    expect(stdout).toContain("# Drill of MemberCluster eu-west: ended before its time\n");
    expect(stdout).toMatch(/ended 12:0[1-9]:\d\d UTC, after /); // the file goes while time runs on
    expect(overridesLeft()).toEqual([]);
  });

  test("Ctrl-C before it begins: nothing was withdrawn", async () => {
    const { code, stderr } = await run(["drill", "eu-west", "--for", "1h"], (seconds, interrupt) => {
      if (seconds === 2) interrupt();
    });
    expect([code, stderr]).toEqual([1, "globalroute: eu-west: the drill was taken back before it began; nothing was withdrawn.\n"]);
    expect(overridesLeft()).toEqual([]);
  });

  test("a second Ctrl-C leaves at once", async () => {
    const { code, stderr } = await run(["drill", "eu-west", "--for", "1h"], (seconds, interrupt) => {
      if (seconds === 60) {
        interrupt();
        interrupt();
      }
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("nobody waits for its report: `globalroute drill --list` has it.")]);
  });

  test("a server that does not begin it: exit 1, and it is taken back", async () => {
    await server.stop();
    server = await startDrillServer(folder.path, "another-file.yaml");
    const { code, stderr } = await drill();
    expect([code, stderr]).toEqual([1, expect.stringContaining("the server has not begun the drill, so it was taken back.")]);
    expect(overridesLeft()).toEqual([]);
  });
});

test("--report writes a page or the JSON, as the file is called", async () => {
  const { code, stderr } = await drill("--report", "drill.md");
  expect([code, stderr]).toEqual([0, "globalroute: drill.md is written.\n"]);
  expect(readFileSync(join(folder.path, "drill.md"), "utf8")).toMatch(/^# Drill of MemberCluster eu-west: completed\n/);
  const { stdout } = await run(["drill", "--list", "--output", "json"]);
  expect(JSON.parse(stdout).drills).toMatchObject([{ outcome: "Completed", settled: true, routes: [{ route: "default/shop" }] }]);
});

test("--output json is the report alone", async () => {
  const { stdout } = await drill("--output", "json");
  expect(JSON.parse(stdout)).toMatchObject({ name: "default/drill-eu-west", outcome: "Completed", reason: "drill by alice@laptop" });
});

test("--no-wait writes it and leaves the rest to the server", async () => {
  const { code, stdout } = await drill("--no-wait", "--at", "2026-11-21T18:00:00Z");
  expect([code, stdout]).toEqual([0, expect.stringContaining("It ends by itself; `globalroute drill --list` tells how.\n")]);
  const { inventory, problems } = await readObjectsAt([folder.path]);
  expect([problems, inventory.overrides]).toEqual([
    [],
    [expect.objectContaining({ action: "Drill", start: FAKE_NOW + 6 * 3_600_000, until: FAKE_NOW + 6 * 3_600_000 + 120_000 })],
  ]);
});

test("--list shows the last drills in short; without any it says how to make one", async () => {
  expect((await run(["drill", "--list"])).stdout).toMatch(/^no drill is remembered/);
  await drill("--reason", "rehearsal");
  expect((await run(["drill", "--list"])).stdout).toMatch(
    /^TARGET +BEGAN +OUTCOME +ROUTES +SLOWEST +REASON\neu-west +2 min ago +Completed +1 +22 ms +rehearsal\n$/,
  );
});

describe("is refused with exit 2, and nothing is written", () => {
  const cases: readonly { name: string; args?: readonly string[]; before?: () => void; says: RegExp }[] = [
    { name: "without a target", args: ["drill", "--for", "5m"], says: /needs a target and --for/ },
    { name: "without an end", args: ["drill", "eu-west"], says: /needs a target and --for/ },
    { name: "of an unknown cluster", args: ["drill", "eu-wset", "--for", "5m"], says: /Did you mean eu-west/ },
    { name: "at a time that is over", args: ["drill", "eu-west", "--for", "5m", "--at", "2026-11-21T11:00:00Z"], says: /is over/ },
    { name: "at no time", args: ["drill", "eu-west", "--for", "5m", "--at", "tomorrow"], says: /RFC 3339/ },
    { name: "with a report of another kind", args: ["drill", "eu-west", "--for", "5m", "--report", "x.txt"], says: /\.md or \.json/ },
    {
      name: "of a route with nothing else left",
      args: ["drill", "default/shop", "--for", "5m"],
      says: /would withdraw nothing:\n {2}default\/shop: left alone, because nothing else is left/,
    },
    {
      name: "while something else is out of service",
      before: () => {
        server.view.setHealth("us-east", "Unhealthy");
        const [shop] = server.view.status().routes;
        const named = shop!.backends.map((backend, i) => ({ ...backend, name: ["eu", "us"][i]! }));
        server.view.patchStatus({ routes: [{ ...shop!, backends: named }] });
      },
      says: /left alone, because us-east is not in service: Unhealthy/,
    },
    {
      name: "while the server distrusts its own network",
      before: () => server.view.patchStatus({ degraded: ["vantage-suspect"] }),
      says: /own network is suspect/,
    },
    {
      name: "while the server cannot read its objects",
      before: () => server.view.patchStatus({ degraded: ["last-good"] }),
      says: /would not hear of a drill/,
    },
    {
      name: "in the folder of another server",
      before: () => server.view.patchStatus({ config: { path: "/etc/other", problems: [] } }),
      args: ["drill", "eu-west", "--for", "5m", "--config", "."],
      says: /reads \/etc\/other, not /,
    },
  ];
  test.each(cases)("$name", async ({ args = ["drill", "eu-west", "--for", "5m"], before, says }) => {
    before?.();
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
    expect(overridesLeft()).toEqual([]);
  });

  test("while it is being drilled already", async () => {
    await drill("--no-wait");
    await server.advance(6000);
    const { code, stderr } = await drill();
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("eu-west is being drilled by TrafficOverride default/drill-eu-west until 2026-11-21T12:02:05.000Z."),
    ]);
  });
});

test("a drill that is shorter than answers are kept is warned of", async () => {
  const { stdout } = await run(["drill", "eu-west", "--for", "30s"]);
  expect(stdout).toContain("  Answers are kept longer than that, so it cannot show when all clients have left: try a longer --for.\n");
});
