import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ZonePlan } from "../../dns-providers/zone-plan.ts";
import { loadPlan, savePlan } from "./plan-file.ts";

const ZONE: ZonePlan = {
  ...{ zone: "example-org", domain: "example.org", provider: "Route53", owner: "prod-eu", policy: "DryRun", fence: { epoch: 3, write: 7 } },
  changes: [
    {
      ...{ action: "Replace", name: "shop.example.org", type: "A", setIdentifier: "eu", resource: "GlobalRoute/web/shop" },
      before: { ttl: 30, values: ["192.0.2.1"], policy: { kind: "Geo", country: "IE" } },
      after: { ttl: 0, values: [], policy: { kind: "Geo" }, alias: { target: "lb.example.net", zone: "Z1", followsHealth: true } },
    },
  ],
  conflicts: [{ name: "www.example.org", type: "A", reason: "Foreign" }],
  ...{ held: [], kept: [{ name: "old.example.org", type: "A" }] },
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-plans-"));
  path = join(folder, "plan.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what is saved is loaded again, and nobody else may read it, whatever was there before", async () => {
  writeFileSync(path, "an older one", { mode: 0o644 });
  await savePlan(path, { zones: [ZONE] }, Date.UTC(2026, 10, 21, 12));
  expect(await loadPlan(path)).toEqual([ZONE]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
    ...{ globalroutePlan: 1, made: "2026-11-21T12:00:00.000Z", digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
  });
});

test("the order of members is nothing to the digest", async () => {
  await savePlan(path, { zones: [ZONE] }, 0);
  const turn = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turn)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, member]) => [key, turn(member)]),
          )
        : value;
  writeFileSync(path, JSON.stringify(turn(JSON.parse(readFileSync(path, "utf8")))));
  expect(await loadPlan(path)).toEqual([ZONE]);
});

test.each([
  {
    name: "one that somebody edited",
    write: (text: string) => text.replace("192.0.2.1", "192.0.2.2"),
    says: /is not as it was saved\. Make it anew/,
  },
  { name: "one of which a part is missing", write: (text: string) => text.slice(0, -20), says: /is no plan of this version\. Make one/ },
  { name: "something else", write: () => "{}", says: /is no plan of this version/ },
])("$name is refused with what to do", async ({ write, says }) => {
  await savePlan(path, { zones: [ZONE] }, 0);
  writeFileSync(path, write(readFileSync(path, "utf8")));
  await expect(loadPlan(path)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(says) });
});

test("a file that cannot be read or written is named, with what to do", async () => {
  await expect(loadPlan(path)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/plan\.json: ENOENT.*plan --save/) });
  await expect(savePlan(join(folder, "no", "plan.json"), { zones: [] }, 0)).rejects.toMatchObject({
    ...{ exitCode: 2, message: expect.stringContaining("Name a file in a folder that you may write to.") },
  });
});
