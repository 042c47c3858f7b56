import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFakeView, FAKE_NOW, type FakeView } from "../../test/support/fake-view.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../test/support/objects-folder.ts";
import { ApiError } from "../admin/api-error.ts";
import { readObjectsAt } from "../engine/read-objects.ts";
import { createActDesk } from "./act-desk.ts";

let folder: ObjectsFolder;
let view: FakeView;
const desk = (path = folder.path) => createActDesk({ folder: path, view, log: { info: () => {} }, now: () => FAKE_NOW });

beforeEach(() => {
  folder = createObjectsFolder();
  view = createFakeView();
});
afterEach(() => folder.remove());

test("a drain is the object that the command line writes, and undraining removes it", async () => {
  const drained = await desk().drain("eu-west", "kernel upgrade", "30m");
  expect(drained).toMatchObject({ target: "eu-west", until: "2026-11-21T12:30:00.000Z" });
  expect(readFileSync(drained.file, "utf8")).toContain("globalroute.dev/by: whoever has the admin token");
  const { inventory, problems } = await readObjectsAt([folder.path]);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(inventory.overrides).toMatchObject([
    { action: "Drain", target: { kind: "MemberCluster", name: "eu-west" }, reason: "kernel upgrade", until: FAKE_NOW + 1_800_000 },
  ]);
  expect(await desk().undrain("eu-west")).toEqual({ target: "eu-west", removed: true, drainedBy: [] });
  expect(readdirSync(join(folder.path, "overrides"))).toEqual([]);
});

test("a drain that somebody wrote by hand remains, and is named", async () => {
  view.patchStatus({
    overrides: [
      { name: "default/by-hand", target: "MemberCluster eu-west", action: "Drain", reason: "x" },
      { name: "default/drain-eu-west", target: "MemberCluster eu-west", action: "Drain", reason: "x" },
      { name: "default/other", target: "MemberCluster us-east", action: "Drain", reason: "x" },
    ],
  });
  expect(await desk().undrain("eu-west")).toEqual({ target: "eu-west", removed: false, drainedBy: ["TrafficOverride default/by-hand"] });
});

test.each([
  {
    name: "no such cluster",
    target: "eu-wets",
    period: "30m",
    code: "no-target",
    says: "There is no MemberCluster called eu-wets. Did you mean",
  },
  { name: "no such route", target: "default/nothing", period: "30m", code: "no-target", says: "GlobalRoute called default/nothing" },
  { name: "no target at all", target: "a/b/c/d", period: "30m", code: "bad-request", says: "is no target" },
  { name: "a path instead of a name", target: "../../etc", period: "30m", code: "no-target", says: "there is no" },
  { name: "no duration", target: "eu-west", period: "soon", code: "bad-request", says: 'for: "soon" is not a duration. Write' },
  { name: "a duration of nothing", target: "eu-west", period: "0s", code: "bad-request", says: "no length" },
])("$name is refused in words, and nothing is written", async ({ target, period, code, says }) => {
  const refusal: unknown = await desk()
    .drain(target, "x", period)
    .catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ApiError);
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(new RegExp(says, "i")) });
  expect(existsSync(join(folder.path, "overrides"))).toBe(false);
});

test("a folder that cannot be written is told as such", async () => {
  await expect(desk(join(folder.path, "eu-west.yaml")).drain("eu-west", "x", "1h")).rejects.toMatchObject({ code: "not-written" });
});
