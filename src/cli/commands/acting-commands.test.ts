/** drain, undrain and approve: what they write is what the inventory then holds. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeView, FAKE_NOW } from "../../../test/support/fake-view.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../../test/support/objects-folder.ts";
import { type CliRun, runCli } from "../../../test/support/run-cli.ts";
import { readObjectsAt } from "../../engine/read-objects.ts";
import type { Status } from "../../engine/view.ts";

let folder: ObjectsFolder;
beforeEach(() => {
  folder = createObjectsFolder();
});
afterEach(() => folder.remove());

const nobody: typeof fetch = () =>
  Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) }));
const serverSaying =
  (status: Status): typeof fetch =>
  async () =>
    Response.json(status);

const run = (args: readonly string[], server: typeof fetch = nobody): Promise<CliRun> => runCli(args, { fetch: server });
const inFolder = (args: readonly string[]): Promise<CliRun> => run([...args, "--config", folder.path]);
const drain = (target: string, ...more: string[]): Promise<CliRun> =>
  inFolder(["drain", target, "--reason", "kernel upgrade", "--for", "2h", ...more]);

const overrides = async () => {
  const { inventory, problems } = await readObjectsAt([folder.path]);
  expect(problems).toEqual([]);
  return inventory.overrides;
};

describe("drain", () => {
  test.each([
    { target: "eu-west", file: "drain-eu-west.yaml", is: { kind: "MemberCluster", name: "eu-west" } },
    { target: "default/shop", file: "drain-default_shop.yaml", is: { kind: "GlobalRoute", namespace: "default", name: "shop" } },
    {
      target: "default/shop/eu",
      file: "drain-default_shop_eu.yaml",
      is: { kind: "GlobalRoute", namespace: "default", name: "shop", backend: "eu" },
    },
  ])("$target: a valid override with target, reason and end, in a file of its own", async ({ target, file, is }) => {
    const { code, stdout } = await drain(target);
    expect(code).toBe(0);
    expect(await overrides()).toEqual([
      expect.objectContaining({ target: is, action: "Drain", reason: "kernel upgrade", until: FAKE_NOW + 2 * 3_600_000 }),
    ]);
    expect(readdirSync(join(folder.path, "overrides"))).toEqual([file]);
    expect(readFileSync(join(folder.path, "overrides", file), "utf8")).toContain("globalroute.dev/by: alice@laptop");
    expect(stdout).toContain(`Draining ${target} until 2026-11-21T14:00:00.000Z: kernel upgrade\n`);
    expect(stdout).toContain(`Undo: globalroute undrain ${target} --config ${folder.path}\n`);
  });

  test("says who takes over, and for how long old answers are kept", async () => {
    expect((await drain("eu-west")).stdout).toContain(
      "  default/shop: its clients go to us-east; answers already given are kept for up to 60 s\n",
    );
  });

  test("says when nobody can take over", async () => {
    expect((await drain("default/shop")).stdout).toContain("nothing else is left, so its clients are still answered with it (fail-open)\n");
  });

  test("a second one replaces the first", async () => {
    await drain("eu-west");
    await inFolder(["drain", "eu-west", "--reason", "takes longer", "--for", "5h"]);
    expect(await overrides()).toEqual([expect.objectContaining({ reason: "takes longer", until: FAKE_NOW + 5 * 3_600_000 })]);
  });

  test("a reason with YAML in it stays a reason", async () => {
    const reason = 'no: [yes, "maybe"] # & *x\n---\nkind: Evil';
    expect((await inFolder(["drain", "eu-west", "--reason", reason, "--for", "1h"])).code).toBe(0);
    expect(await overrides()).toEqual([expect.objectContaining({ reason })]);
  });

  test("--output json holds what was done and what it means", async () => {
    const { stdout } = await drain("eu-west", "--output", "json");
    expect(JSON.parse(stdout)).toEqual({
      target: "eu-west",
      until: "2026-11-21T14:00:00.000Z",
      reason: "kernel upgrade",
      effect: [expect.stringContaining("its clients go to us-east")],
      file: join(folder.path, "overrides", "drain-eu-west.yaml"),
      undo: `globalroute undrain eu-west --config ${folder.path}`,
    });
    const undone = await inFolder(["undrain", "eu-west", "--output", "json"]);
    expect(JSON.parse(undone.stdout)).toEqual({ target: "eu-west", removed: true, drainedBy: [] });
  });

  test.each([
    { name: "without a reason", args: ["drain", "eu-west", "--for", "2h"], says: /--reason/ },
    { name: "with an empty reason", args: ["drain", "eu-west", "--for", "2h", "--reason", "  "], says: /--reason needs/ },
    { name: "with a reason of 300 characters", args: ["drain", "eu-west", "--for", "2h", "--reason", "x".repeat(300)], says: /1 to 256/ },
    { name: "without an end", args: ["drain", "eu-west", "--reason", "x"], says: /--for/ },
    { name: "with an end that is no duration", args: ["drain", "eu-west", "--reason", "x", "--for", "tomorrow"], says: /1500ms or 1h30m/ },
    { name: "for no time", args: ["drain", "eu-west", "--reason", "x", "--for", "0s"], says: /longer than 0/ },
    {
      name: "of an unknown cluster",
      args: ["drain", "eu-wset", "--reason", "x", "--for", "2h"],
      says: /no MemberCluster called eu-wset.*Did you mean eu-west/,
    },
    {
      name: "of an unknown route",
      args: ["drain", "default/sop", "--reason", "x", "--for", "2h"],
      says: /no GlobalRoute called default\/sop.*default\/shop/,
    },
    {
      name: "of an unknown backend",
      args: ["drain", "default/shop/ap", "--reason", "x", "--for", "2h"],
      says: /no backend of default\/shop called ap.*eu, us/,
    },
    { name: "of no target at all", args: ["drain", "a//b", "--reason", "x", "--for", "2h"], says: /NAMESPACE\/ROUTE/ },
    { name: "of a path out of the folder", args: ["drain", "../../x/y", "--reason", "x", "--for", "2h"], says: /no target|no GlobalRoute/ },
  ])("$name is refused with exit 2, and nothing is written", async ({ args, says }) => {
    const { code, stderr } = await inFolder(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
    expect(existsSync(join(folder.path, "overrides"))).toBe(false);
  });
});

test("an override that cannot be written, or removed, is an error with its path", async () => {
  const blocked = folder.write("overrides", "a file where the folder should be");
  const { code, stderr } = await drain("eu-west");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(new RegExp(`${blocked}/drain-eu-west.yaml cannot be changed: ENOTDIR.*Run this as`)),
  ]);
  rmSync(blocked);
  folder.write("overrides/drain-eu-west.yaml/x", "");
  expect(await inFolder(["undrain", "eu-west"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("drain-eu-west.yaml cannot be"),
  });
});

test("undrain of what does not exist says what there is", async () => {
  const { code, stderr } = await inFolder(["undrain", "eu-wset"]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/drains eu-wset: there is no MemberCluster called eu-wset\. Did you mean eu-west\? /),
  ]);
});

describe("which folder", () => {
  test("one with errors can be acted on: what the server still serves can be drained", async () => {
    folder.write("eu-west.yaml", "kind: [\n");
    const status: Status = { ...createFakeView().status(), config: { path: folder.path, problems: [] } };
    expect((await run(["drain", "eu-west", "--reason", "x", "--for", "1h"])).code).toBe(1);
    expect((await inFolder(["drain", "eu-west", "--reason", "x", "--for", "1h"])).code).toBe(2);
    const { code } = await run(["drain", "eu-west", "--reason", "x", "--for", "1h"], serverSaying(status));
    expect([code, readdirSync(join(folder.path, "overrides"))]).toEqual([0, ["drain-eu-west.yaml"]]);
  });

  test("the running server's, when none is named", async () => {
    const status: Status = { ...createFakeView().status(), config: { path: folder.path, problems: [] } };
    const { code, stdout } = await run(["drain", "eu-west", "--reason", "x", "--for", "1h"], serverSaying(status));
    expect(code).toBe(0);
    expect(stdout).toContain("Undo: globalroute undrain eu-west\n");
    expect(await overrides()).toHaveLength(1);
  });

  test("no server and none named: exit 1 with the flag", async () => {
    const { code, stderr } = await run(["drain", "eu-west", "--reason", "x", "--for", "1h"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no server answers at http:\/\/127\.0\.0\.1:8053.*--config DIR/);
  });

  test("a server on another machine: exit 1, and where to run it", async () => {
    const { code, stderr } = await run(["undrain", "eu-west"], serverSaying(createFakeView().status()));
    expect(code).toBe(1);
    expect(stderr).toMatch(/\/etc\/globalroute, which is no folder of this machine/);
  });

  test("a folder that is none: exit 2", async () => {
    expect((await run(["undrain", "eu-west", "--config", join(folder.path, "shop.yaml")])).code).toBe(2);
  });
});

describe("undrain", () => {
  test("undoes a drain; a second time there is nothing to undo", async () => {
    await drain("default/shop/eu");
    expect(await inFolder(["undrain", "default/shop/eu"])).toMatchObject({
      code: 0,
      stdout: "default/shop/eu is no longer drained by `globalroute drain`.\n",
    });
    expect(await overrides()).toEqual([]);
    const again = await inFolder(["undrain", "default/shop/eu"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/nothing in .* drains default\/shop\/eu/);
  });

  test("leaves the drain of another target alone", async () => {
    await drain("eu-west");
    await drain("default/shop/eu");
    await inFolder(["undrain", "default/shop/eu"]);
    expect(await overrides()).toEqual([expect.objectContaining({ target: { kind: "MemberCluster", name: "eu-west" } })]);
  });

  test("a drain that somebody wrote by hand is named with its place, and left alone", async () => {
    const byHand = folder.write(
      "maintenance.yaml",
      `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: window}
spec: {targetRef: {kind: MemberCluster, name: eu-west}, action: Drain, until: "2026-11-22T00:00:00Z", reason: window}
`,
    );
    const { code, stderr } = await inFolder(["undrain", "eu-west"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`but by ${byHand}:1`);
    await drain("eu-west");
    const both = await inFolder(["undrain", "eu-west"]);
    expect([both.code, both.stdout]).toEqual([1, "eu-west is no longer drained by `globalroute drain`.\n"]);
    expect(both.stderr).toContain("it is still drained");
    expect(await overrides()).toHaveLength(1);
  });
});

describe("approve", () => {
  /** A server whose route has backends in these states. */
  const server = (...backends: { failbackAt: string | null; health: "Healthy" | "Unhealthy" }[]): typeof fetch => {
    const status = createFakeView().status();
    const [route] = status.routes;
    const named = backends.map((state, i) => ({ ...route!.backends[i]!, ...state, name: ["eu", "us"][i]! }));
    return serverSaying({ ...status, config: { path: folder.path, problems: [] }, routes: [{ ...route!, backends: named }] });
  };

  test("lets what waits return at once, and what is down as soon as it is healthy", async () => {
    const { code, stdout } = await run(
      ["approve", "default/shop"],
      server({ failbackAt: "approval", health: "Healthy" }, { failbackAt: null, health: "Unhealthy" }),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Approved: default\/shop\n {2}eu: serves again at once\n {2}us: serves again as soon as it is healthy\nWritten: /,
    );
    expect(await overrides()).toEqual([
      expect.objectContaining({
        action: "ApproveFailback",
        target: { kind: "GlobalRoute", namespace: "default", name: "shop" },
        start: FAKE_NOW,
      }),
    ]);
  });

  test("where every backend serves there is nothing to approve", async () => {
    const serving = { failbackAt: null, health: "Healthy" } as const;
    const { code, stderr } = await run(["approve", "default/shop/eu"], server(serving, { failbackAt: "approval", health: "Healthy" }));
    expect([code, stderr]).toEqual([1, "globalroute: every backend of default/shop/eu serves: there is nothing to approve.\n"]);
    expect(existsSync(join(folder.path, "overrides"))).toBe(false);
  });

  test("a server that has another folder is not asked", async () => {
    const elsewhere = serverSaying(createFakeView().status()); // every backend there serves
    expect((await run(["approve", "default/shop", "--config", folder.path], elsewhere)).code).toBe(0);
  });

  test("works without a server", async () => {
    expect((await inFolder(["approve", "default/shop/eu", "--reason", "checked"])).code).toBe(0);
    expect(await overrides()).toEqual([expect.objectContaining({ reason: "checked", target: expect.objectContaining({ backend: "eu" }) })]);
  });

  test.each(["", " ", "x".repeat(257)])("the reason %j, with which the folder would be refused, is refused first", async (reason) => {
    const { code, stderr } = await inFolder(["approve", "default/shop", "--reason", reason]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--reason needs 1 to 256 characters")]);
    expect(existsSync(join(folder.path, "overrides"))).toBe(false);
  });

  test("is for routes, not for clusters", async () => {
    expect((await inFolder(["approve", "eu-west"])).code).toBe(2);
  });
});
