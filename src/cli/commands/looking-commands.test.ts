/** `top`, `timeline`, `status` of one route and `--watch`: real HTTP against a view that keeps state. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { startFakeServer } from "../../../test/support/fake-server.ts";
import { FAKE_NOW, type FakeView } from "../../../test/support/fake-view.ts";
import { type CliRun, captureIo, runCli } from "../../../test/support/run-cli.ts";
import type { AdminServer } from "../../admin/server.ts";
import type { Io } from "../io.ts";
import { main } from "../main.ts";

let view: FakeView;
let admin: AdminServer;
let url: string;

beforeEach(async () => {
  ({ view, admin, url } = await startFakeServer());
});
afterEach(() => admin.stop());

const run = (args: readonly string[], io: Partial<Io> = {}): Promise<CliRun> => runCli([...args, "--server", url], io);

/** Runs until what has been written is `enough`, then sends the signal that a Ctrl-C is. */
async function follow(args: readonly string[], act: () => void, enough: (text: string) => boolean): Promise<string> {
  const signals: (() => void)[] = [];
  let text = "";
  const { io } = captureIo({
    stdout: {
      write(part) {
        const isFirst = text === "";
        text += part;
        if (isFirst) setImmediate(act);
        if (enough(text)) for (const signal of signals) signal();
      },
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve) =>
        signal.aborted || milliseconds < 1000 ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
      ),
    onSignal: (_name, listener) => {
      signals.push(listener);
      return () => {};
    },
  });
  expect(await main([...args, "--server", url], io)).toBe(0);
  return text;
}

describe("top", () => {
  test("lists clusters by the share that they serve", async () => {
    view.setHealth("eu-west", "Unhealthy");
    const { code, stdout } = await run(["top"]);
    expect([code, stdout]).toEqual([
      0,
      `1 route: share of the world's population that each cluster serves

CLUSTER  STATE   HEALTH     PEOPLE                    ROUTES  COUNTRIES
us-east  Active  Healthy     100 %  ████████████████     1/1  CN IN US ID PK NG BR BD
eu-west  Active  Unhealthy  nobody                       0/1
`,
    ]);
  });

  test("of one route shows the clusters that it has backends in", async () => {
    const [shop] = view.status().routes;
    view.patchStatus({
      routes: [shop!, { ...shop!, name: "us", hosts: ["us.example.org"], backends: shop!.backends.slice(1), servedBy: [] }],
    });
    expect((await run(["top", "us.example.org"])).stdout).toMatch(/^default\/us: .*\n\nCLUSTER .*\nus-east .* nobody\n$/);
    const all = JSON.parse((await run(["top", "--output", "json"])).stdout);
    expect(all.clusters.map((one: { population: number; routes: unknown }) => [one.population, one.routes])).toEqual([
      [0.5, { serving: 1, all: 1 }],
      [0, { serving: 0, all: 2 }],
    ]);
  });

  test("without routes says that nobody is sent anywhere", async () => {
    view.patchStatus({ routes: [] });
    expect((await run(["top"])).stdout).toBe("no routes: nobody is sent anywhere\n");
  });
});

describe("timeline", () => {
  const add = (kind: "Failover" | "FailOpen" | "TablePublished", object: string, age: number): void =>
    void view.timeline.add({ kind, object, message: `${kind} of ${object}`, details: {}, at: FAKE_NOW - age });

  beforeEach(() => {
    add("TablePublished", "table", 3 * 86_400_000);
    add("FailOpen", "GlobalRoute default/shop", 7_200_000);
    add("Failover", "GlobalRoute default/shop", 90_000);
    add("Failover", "GlobalRoute default/other", 30_000);
  });

  const kinds = async (...args: readonly string[]): Promise<readonly string[]> =>
    JSON.parse((await run(["timeline", "--output", "json", ...args])).stdout).events.map((event: { kind: string }) => event.kind);

  test("tells time of day, date where it is another one, and age", async () => {
    const { stdout } = await run(["timeline"]);
    expect(stdout).toMatch(/^TIME +AGO +KIND +OBJECT +WHAT\n/);
    expect(stdout).toMatch(/\n2026-11-18 \d\d:00:00 +3 d ago +TablePublished +table +TablePublished of table\n/);
    expect(stdout).toMatch(/\n\d\d:58:30 +90 s ago +Failover +GlobalRoute default\/shop +Failover of /);
  });

  test.each([
    { args: ["--since", "3h"], shown: ["FailOpen", "Failover", "Failover"] },
    { args: ["--since", "1m"], shown: ["Failover"] },
    { args: ["--kind", "failopen,TablePublished"], shown: ["TablePublished", "FailOpen"] },
    { args: ["--route", "shop.example.org"], shown: ["FailOpen", "Failover"] },
    { args: ["--limit", "2"], shown: ["Failover", "Failover"] },
    { args: ["--kind", "ConfigHeld"], shown: [] },
  ])("$args shows $shown", async ({ args, shown }) => expect(await kinds(...args)).toEqual(shown));

  test("an empty one says so", async () => {
    expect((await run(["timeline", "--kind", "ConfigHeld"])).stdout).toBe("nothing happened that was asked for\n");
  });

  test("--follow goes on with what happens, by the same choice", async () => {
    const act = (): void => {
      view.setHealth("eu-west", "Unhealthy"); // an EndpointUnhealthy, and a Failover
    };
    const text = await follow(["timeline", "--follow", "--kind", "Failover", "--since", "1m"], act, (so) => so.split("\n").length > 2);
    expect(text).toMatch(
      /^\d\d:59:30 {2}Failover {12}GlobalRoute default\/other: .*\n\d\d:00:00 {2}Failover {12}GlobalRoute default\/shop: eu-west → us-east\.\n$/,
    );
  });

  test("--follow --output yaml writes a document for each event", async () => {
    const text = await follow(
      ["timeline", "-f", "-o", "yaml", "--limit", "1"],
      () => view.setHealth("eu-west", "Unhealthy"),
      (so) => so.split("---").length > 3,
    );
    expect(
      text
        .split("---\n")
        .slice(1)
        .map((part) => parse(part).kind),
    ).toEqual(["Failover", "EndpointUnhealthy", "Failover"]);
  });

  test("a kind that there is not is bad usage, and the right one is named", async () => {
    const { code, stderr } = await run(["timeline", "--kind", "Failovr"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean Failover?");
  });
});

describe("status of one route", () => {
  test("shows the route, its hosts and its clusters", async () => {
    const [shop] = view.status().routes;
    view.patchStatus({ routes: [{ ...shop!, name: "other", hosts: ["other.example.org"] }, shop!] });
    const { code, stdout } = await run(["status", "shop.example.org"]);
    expect(code).toBe(0);
    expect(stdout).toContain("default/shop  shop.example.org");
    expect(stdout).not.toContain("default/other");
    expect(JSON.parse((await run(["status", "default/shop", "-o", "json"])).stdout).name).toBe("shop");
  });

  test("a route that there is not is bad input", async () => {
    const { code, stderr } = await run(["status", "shpo"]);
    expect([code, stderr]).toEqual([2, "globalroute: there is no route and no host shpo. Did you mean shop? There are default/shop.\n"]);
  });

  test("many routes have a line each", async () => {
    const [shop] = view.status().routes;
    view.patchStatus({
      routes: Array.from({ length: 6 }, (_, i) => ({ ...shop!, name: `r${i}`, hosts: [`r${i}.example.org`, "more.example.org"] })),
    });
    const { stdout } = await run(["status"]);
    expect(stdout).toMatch(/^default\/r3 +r3\.example\.org \+1 +2\/2 usable +eu-west 100 %$/m);
  });
});

test("status --watch shows a change as soon as the stream tells of it", async () => {
  const text = await follow(
    ["status", "--watch", "--interval", "1h"],
    () => view.setHealth("eu-west", "Unhealthy"),
    (so) => so.includes("timeout"),
  );
  expect(text.split("--- globalroute status").length).toBeGreaterThan(2);
});

test.each([
  { name: "80 columns", columns: 80 },
  { name: "120 columns", columns: 120 },
])("at $name no line is cut by the terminal", async ({ columns }) => {
  view.setHealth("eu-west", "Unhealthy");
  view.patchStatus({ degraded: ["geo-stale", "withdrawal-held", "fail-open", "state-unsaved", "provider-failing", "peer-lost"] });
  for (const args of [["status"], ["status", "shop"], ["top"], ["timeline"], ["explain", "shop.example.org", "--client", "192.0.2.1"]]) {
    let text = "";
    await run(args, { stdout: { isTTY: true, columns, write: (part) => (text += part) }, env: { NO_COLOR: "1" } });
    for (const line of text.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(columns);
  }
});

test("FORCE_COLOR colours a pipe, and --no-color goes before it wherever it stands", async () => {
  const env = { FORCE_COLOR: "1" };
  expect((await run(["status"], { env })).stdout).toContain("\u001b[");
  expect((await run(["status", "--no-color"], { env })).stdout).not.toContain("\u001b[");
  expect((await run(["--no-color", "status"], { env })).stdout).not.toContain("\u001b[");
});
