import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { dnsWorld, ZONES, zone } from "../../test/support/dns-world.ts";
import { createZoneBuilder, ZoneBuildError, type ZoneBuilder } from "./zone-builder.ts";
import { buildZoneTable } from "./zone-table.ts";

/** Answers as a worker does, but dies at the first request that is not of `example-org` alone. */
const FRAGILE = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", ({ id, zones }) => {
    if (zones.length > 1) throw new Error("out of luck");
    parentPort.postMessage(zones.length === 0 ? { id, kind: "failed", message: "nothing to build" } : { id, kind: "built", zones: {}, problems: [] });
  });
`;

let builder: ZoneBuilder | undefined;
afterEach(() => builder?.close());

describe("the zone worker", () => {
  test("builds what buildZoneTable builds, off this thread", async () => {
    builder = createZoneBuilder({ now: () => 1_700_000_000_000 });
    const { routing } = dnsWorld();
    const zones = [...ZONES, zone("twice", "example.org")];
    const built = await builder.build(zones, routing);
    const here = buildZoneTable(zones, routing, () => 1_700_000_000);
    expect(built.tables.zones).toEqual(here.zones);
    expect(built.problems).toEqual(here.problems);
    expect(built.problems).toHaveLength(1);
    expect(built.tables.routing).toBe(routing);
    expect(built.tables.zones.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test("serials grow even within a second", async () => {
    builder = createZoneBuilder({ now: () => 1_700_000_000_000 });
    const { routing } = dnsWorld();
    const built = await Promise.all([builder.build(ZONES, routing), builder.build(ZONES, routing)]);
    expect(built.map(({ tables: { zones } }) => zones.zoneSerial[0])).toEqual([1_700_000_000, 1_700_000_001]);
  });
});

describe("a worker that fails", () => {
  const newWorker = () => new Worker(FRAGILE, { eval: true });
  const { routing } = dnsWorld();
  const one = ZONES.slice(0, 1);

  test("its death rejects what waits for it, and the next build has another one", async () => {
    builder = createZoneBuilder({ now: () => 0, newWorker });
    await expect(builder.build(ZONES, routing)).rejects.toThrow(new ZoneBuildError("the zone worker ended: out of luck"));
    await expect(builder.build(one, routing)).resolves.toMatchObject({ problems: [] });
  });

  test("a build that it refuses is rejected, and it lives on", async () => {
    builder = createZoneBuilder({ now: () => 0, newWorker });
    await expect(builder.build([], routing)).rejects.toThrow(new ZoneBuildError("nothing to build"));
    await expect(builder.build(one, routing)).resolves.toMatchObject({ problems: [] });
  });

  test("closing rejects what waits, and what comes later", async () => {
    builder = createZoneBuilder({ now: () => 0, newWorker: () => new Worker("setInterval(() => {}, 1000)", { eval: true }) });
    const waiting = expect(builder.build(one, routing)).rejects.toThrow("the zone worker ended");
    await builder.close();
    await waiting;
    await expect(builder.build(one, routing)).rejects.toThrow("the zone builder is closed");
  });
});
