import { describe, expect, test } from "vitest";
import { dnsWorld, ZONES } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { RENEWAL } from "../dns/slow/rrset-signature.ts";
import type { BuiltZones } from "../dns/zone-builder.ts";
import type { ServingTables } from "../dns/zone-table.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Inventory, Zone } from "../model/inventory.ts";
import type { RoutingTable } from "../routing/table.ts";
import { createDnsPublisher } from "./dns-publisher.ts";

const DAY = 86_400_000;
const inventory = (zones: readonly Zone[] = ZONES): Inventory => ({ routes: [], clusters: [], zones, overrides: [] });

/** A builder whose signatures are always valid for a week, unless it is told to fail or to wait. */
function start() {
  const clock = createSimulatedClock();
  const { routing, zones: table } = dnsWorld();
  const swapped: ServingTables[] = [];
  const errors: unknown[] = [];
  const builds: RoutingTable[] = [];
  const state = { fails: false, signs: true, advances: 0, hold: undefined as Promise<void> | undefined };
  const build = async (_: readonly Zone[], of: RoutingTable): Promise<BuiltZones> => {
    builds.push(of);
    await state.hold;
    if (state.fails) throw new Error("no key");
    return {
      tables: { routing: of, zones: table },
      secrets: { zoneKeys: [], tsigKeys: [] },
      problems: [],
      expires: [state.signs ? clock.wallClock() / 1000 + 7 * 86_400 : Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      views: [],
      faults: [],
    };
  };
  const publisher = createDnsPublisher({
    dns: { swap: (tables) => void swapped.push(tables) },
    builder: {
      build,
      advance: async () => {
        state.advances++;
        return undefined;
      },
    },
    copies: { use: () => undefined },
    now: clock.wallClock,
    setTimer: clock.setTimer,
    onError: (error) => errors.push(error),
  });
  const publish = async (of: RoutingTable = routing, zones?: readonly Zone[]): Promise<void> => {
    await publisher.prepare?.(of, inventory(zones));
    publisher.publish(of, inventory(zones), newLatencyMap());
  };
  return { clock, routing, swapped, errors, builds, state, publisher, publish };
}

describe("signatures", () => {
  test("are renewed when half of their time is over, again and again, by the same routing table", async () => {
    const { clock, routing, swapped, publish, publisher } = start();
    await publish();
    await clock.advance(RENEWAL * 1000 - 1);
    expect(swapped).toHaveLength(1);
    await clock.advance(1);
    expect(swapped.map((tables) => tables.routing)).toEqual([routing, routing]);
    await clock.advance(30 * DAY);
    expect(swapped).toHaveLength(2 + Math.floor(30 / 3.5));
    publisher.close();
    expect(clock.pending()).toBe(0);
  });

  test("that cannot be renewed are tried again each minute, and what is there serves meanwhile", async () => {
    const { clock, swapped, errors, state, publish } = start();
    await publish();
    state.fails = true;
    await clock.advance(RENEWAL * 1000 + 120_000);
    expect([swapped.length, errors.length]).toEqual([1, 3]);
    state.fails = false;
    await clock.advance(60_000);
    expect(swapped).toHaveLength(2);
  });

  test("that another table overtakes are not served", async () => {
    const { clock, routing, swapped, state, publish } = start();
    const release = Promise.withResolvers<void>();
    await publish();
    state.hold = release.promise;
    await clock.advance(RENEWAL * 1000); // being renewed
    state.hold = undefined;
    const newer = { ...routing };
    await publish(newer);
    release.resolve();
    await clock.advance(1);
    expect(swapped.map((tables) => tables.routing)).toEqual([routing, newer]);
  });

  test("of zones that have none need nothing", async () => {
    const { clock, state, publish, publisher } = start();
    state.signs = false;
    await publish();
    expect([clock.pending(), publisher.signatures()]).toEqual([0, []]);
  });

  test("tell how long they are still good for", async () => {
    const { clock, publish, publisher } = start();
    await publish();
    await clock.advance(DAY);
    expect(publisher.signatures()).toEqual([{ zone: "example.org", seconds: 6 * 86_400 }]);
  });
});

test("a table that was not prepared is refused", async () => {
  const { routing, publisher } = start();
  expect(() => publisher.publish(routing, inventory(), newLatencyMap())).toThrow("a table is published that was not prepared");
  await publisher.prepare?.(routing, inventory());
  expect(() => publisher.publish({ ...routing }, inventory(), newLatencyMap())).toThrow("a table is published that was not prepared");
});

test("copies are not looked at while another table is under way: the zone worker would look at that one", async () => {
  const { clock, routing, state, publish, publisher } = start();
  const copied = ZONES.map((zone) => ({ ...zone, transfer: { keys: [], allow: [], notify: [] } }));
  await publish(routing, copied);
  const release = Promise.withResolvers<void>();
  state.hold = release.promise;
  await clock.advance(5000);
  const before = state.advances;
  expect(before).toBeGreaterThan(3);
  const preparing = publisher.prepare?.({ ...routing }, inventory(copied));
  await clock.advance(5000);
  expect(state.advances).toBe(before);
  release.resolve();
  await preparing;
  await clock.advance(5000);
  expect(state.advances).toBeGreaterThan(before + 3);
});
