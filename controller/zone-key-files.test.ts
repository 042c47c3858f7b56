import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeKeyText } from "../src/dns/dnssec/key-file.ts";
import { fileStamp } from "../src/dns/secret-file.ts";
import type { Zone } from "../src/model/inventory.ts";
import { seconds } from "../src/model/units.ts";
import type { ObjectReport, Reconciled } from "./reconcile/reconciled.ts";
import { createZoneKeyFiles } from "./zone-key-files.ts";

const folder = mkdtempSync(join(tmpdir(), "globalroute-zone-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const zone = (name: string, path?: string): Zone => ({
  name,
  domain: `${name}.example.org`,
  nameservers: ["ns1.example.org"],
  soa: {
    mname: "ns1.example.org",
    rname: "hostmaster.example.org",
    refresh: seconds(1),
    retry: seconds(1),
    expire: seconds(1),
    minimum: seconds(1),
    ttl: seconds(1),
  },
  records: [],
  allowedSuffixes: [],
  owner: "",
  ...(path === undefined
    ? {}
    : { dnssec: { keys: [{ name: "one", path, state: "Active", tag: 0, publicKey: "" }], delegation: "Secure" } }),
});

const report = (name: string): ObjectReport => ({
  kind: "DNSZone",
  namespace: "",
  name,
  uid: name,
  resourceVersion: "1",
  generation: 1,
  accepted: { status: "True", reason: "Accepted", message: "" },
  backends: [],
});

const reconciled = (...zones: readonly Zone[]): Reconciled => ({
  inventory: { routes: [], clusters: [], zones, overrides: [] },
  problems: [],
  reports: zones.map(({ name }) => report(name)),
  generated: [],
  warnings: [],
  readiness: new Map(),
  generations: new Map(),
});

describe("the files that zones name", () => {
  test("zones without any pass as they are", () => {
    const plain = reconciled(zone("plain"));
    expect(createZoneKeyFiles(fileStamp).fill(plain)).toBe(plain);
  });

  test("fill in the public half, once for as long as neither changes", () => {
    const path = join(folder, "good.pem");
    writeFileSync(path, makeKeyText(), { mode: 0o600 });
    const files = createZoneKeyFiles(fileStamp);
    const from = reconciled(zone("plain"), zone("signed", path));
    const filled = files.fill(from);
    const [, signed] = filled.inventory.zones;
    expect(signed?.dnssec?.keys[0]?.tag).toBeGreaterThan(0);
    expect(files.fill(from)).toBe(filled);
    expect(files.areChanged()).toBe(false);
  });

  test("that are missing leave a zone out, and the report says why; once there, it is served", () => {
    const path = join(folder, "late.pem");
    const files = createZoneKeyFiles(fileStamp);
    const from = reconciled(zone("plain"), zone("signed", path));
    const without = files.fill(from);
    expect(without.inventory.zones.map(({ name }) => name)).toEqual(["plain"]);
    expect(without.reports.map(({ accepted }) => [accepted.status, accepted.reason])).toEqual([
      ["True", "Accepted"],
      ["False", "KeyFile"],
    ]);
    expect(without.reports[1]?.accepted.message).toContain(path);
    expect(without.problems.every(({ severity }) => severity === "warning")).toBe(true);
    writeFileSync(path, makeKeyText(), { mode: 0o600 });
    expect(files.areChanged()).toBe(true);
    expect(files.fill(from).inventory.zones.map(({ name }) => name)).toEqual(["plain", "signed"]);
  });

  test("that break leave the zone as it was", () => {
    const path = join(folder, "breaks.pem");
    writeFileSync(path, makeKeyText(), { mode: 0o600 });
    const files = createZoneKeyFiles(fileStamp);
    const from = reconciled(zone("signed", path));
    const before = files.fill(from).inventory.zones[0];
    writeFileSync(path, "nonsense, and longer than a key would be");
    const after = files.fill(from);
    expect(after.inventory.zones[0]).toBe(before);
    expect(after.reports[0]?.accepted.reason).toBe("KeyFile");
  });
});
