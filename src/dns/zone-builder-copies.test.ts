/** The zone worker as the one writer of serials: real threads, a folder of views, live state shared with this thread. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dnsWorld, ZONES } from "../../test/support/dns-world.ts";
import { viewLines } from "../../test/support/view-text.ts";
import type { Zone } from "../model/inventory.ts";
import { Standing } from "../routing/table.ts";
import { type BuiltZones, createZoneBuilder, type ZoneBuilder } from "./zone-builder.ts";

const START = 1_800_000_000_000;
const SHOP = 4;

let folder: string;
let now: number;
let builder: ZoneBuilder;
const open = (): ZoneBuilder => createZoneBuilder({ now: () => now, viewFolder: join(folder, "zones") });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zone-copies-"));
  now = START;
  builder = open();
});
afterEach(async () => {
  await builder.close();
  rmSync(folder, { recursive: true });
});

const key = { name: "k", algorithm: "hmac-sha256", path: "" } as const;
const copied = (path = ""): readonly Zone[] =>
  ZONES.map((zone) =>
    zone.domain === "example.org" ? { ...zone, transfer: { keys: path === "" ? [] : [{ ...key, path }], allow: [], notify: [] } } : zone,
  );
const served = ({ tables: { zones } }: BuiltZones): ReadonlyMap<string, number> =>
  new Map(zones.domains.map((domain, i) => [domain, zones.zoneSerial[i]!]));

test("a table that is not published yet makes no view; from then on the server and its copies have one serial", async () => {
  const { routing } = dnsWorld();
  const first = await builder.build(copied(), routing);
  expect(first.views).toEqual([]);
  now += 3000;
  const second = await builder.advance(served(first), routing);
  expect(second!.views.map(({ domain, serial }) => [domain, serial])).toEqual([["example.org", 1_800_000_003]]);
  expect(served(second!).get("example.org")).toBe(1_800_000_003);
  expect(readdirSync(join(folder, "zones"))).toEqual(["example.org.zone"]);

  expect(await builder.advance(served(second!), routing)).toBeUndefined();
  routing.state.standing[SHOP] = Standing.Unhealthy;
  expect(await builder.advance(served(second!), routing)).toBeUndefined(); // within five seconds
  now += 5000;
  const third = await builder.advance(served(second!), routing);
  expect(served(third!).get("example.org")).toBe(1_800_000_008);
  expect(third!.tables.routing).toBe(routing);
  expect(viewLines(third!.views[0]!)).not.toContain("shop.example.org A 5 192.0.2.1");

  // whatever became of that answer, the next look makes good what is served
  expect(served((await builder.advance(served(second!), routing))!).get("example.org")).toBe(1_800_000_008);
  // another table: its live state is nobody's yet, so the copies stay what they are
  const fourth = await builder.build(copied(), dnsWorld().routing);
  expect(await builder.advance(new Map(), routing)).toBeUndefined();
  expect([fourth.views[0]!.serial, served(fourth).get("example.org")]).toEqual([1_800_000_008, 1_800_000_008]);
  expect(viewLines(fourth.views[0]!)).not.toContain("shop.example.org A 5 192.0.2.1");
});

test("a build that fails leaves copies to follow what is served", async () => {
  const { routing } = dnsWorld();
  const first = await builder.build(copied(), routing);
  const unsignable = {
    keys: [{ name: "k", path: join(folder, "none"), state: "Active", tag: 1, publicKey: "" }],
    delegation: "Secure",
  } as const;
  const zones = copied().map((zone) => ({ ...zone, dnssec: unsignable }));
  await expect(builder.build(zones, dnsWorld().routing)).rejects.toThrow("none does not exist");
  expect((await builder.advance(served(first), routing))?.views).toHaveLength(1);
});

test("a zone without copies has its serial by the clock, as before", async () => {
  const { routing } = dnsWorld();
  const built = await builder.build(ZONES, routing);
  now += 10_000;
  routing.state.standing[SHOP] = Standing.Unhealthy;
  expect(await builder.advance(served(built), routing)).toBeUndefined();
  expect((await builder.build(ZONES, routing)).tables.zones.zoneSerial[0]).toBeGreaterThan(1_800_000_009);
});

test("another process goes on where this one ended", async () => {
  const { routing } = dnsWorld();
  await builder.build(copied(), routing);
  const before = await builder.advance(new Map(), routing);
  await builder.close();
  builder = open();
  now += 60_000;
  const again = await builder.build(copied(), routing);
  expect(served(again).get("example.org")).toBe(before!.views[0]!.serial);
  expect(await builder.advance(served(again), routing)).toBeUndefined();
  expect((await builder.build(ZONES, routing)).views).toEqual([]); // no copies any more
});

test("secrets go to who answers; a file that cannot be read, or a folder that cannot be written, is told and stops nothing", async () => {
  const path = join(folder, "k.key");
  writeFileSync(path, `${Buffer.from("a secret of the tests").toString("base64")}\n`, { mode: 0o600 });
  const { routing } = dnsWorld();
  const good = await builder.build(copied(path), routing);
  expect(good.secrets.tsigKeys).toMatchObject([{ name: "k", algorithm: "hmac-sha256" }]);
  expect(good.faults).toEqual([]);
  const bad = await builder.build(copied(join(folder, "none")), routing);
  expect(bad.secrets.tsigKeys).toEqual([]);
  expect(bad.faults).toEqual([`${join(folder, "none")} does not exist. Correct the path, or put the file there.`]);
  writeFileSync(join(folder, "zones"), "no folder");
  const unsaved = await builder.advance(served(bad), routing);
  expect(unsaved!.views).toHaveLength(1);
  expect(unsaved!.faults.join()).toContain("zones cannot be written");
});
