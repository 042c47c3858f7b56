/** Races of two writers, told by the thousand on a zone in memory (docs/safety.md, rules 1 and 5). The same against real servers: test/integration/providers. */
import { describe, expect, test } from "vitest";
import type { Scheduler } from "../test/support/providers/interleaving.ts";
import { type MemoryZone, memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired } from "../test/support/providers/provider-suite.ts";
import { type Broken, twoWriters } from "../test/support/providers/two-writers.ts";
import { seededRandom } from "../test/support/random.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { createZoneSync } from "./zone-sync.ts";

function rollOf(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

const lost = (): Error => new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait.");

const travelling = (zone: MemoryZone, scheduler: Scheduler): Provider => ({
  ...zone,
  list: (signal) => scheduler.travel(() => zone.list(signal), lost),
  apply: (batch, signal) => scheduler.travel(() => zone.apply(batch, signal), lost),
});

async function stories(count: number, from: number, make: () => MemoryZone): Promise<readonly (Broken & { readonly seed: number })[]> {
  const found: (Broken & { readonly seed: number })[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const zone = make();
    const broken = await twoWriters({
      provider: (scheduler) => travelling(zone, scheduler),
      look: async () => zone.sets,
      roll: rollOf(seed),
      base: 10,
    });
    if (broken !== undefined) found.push({ ...broken, seed });
  }
  return found;
}

describe("two writers, paused and resumed at every await point", () => {
  test.each([0, 1, 2, 3])("10,000 stories: never empty, never older, never mixed; thousands from %i × 2500", async (part) => {
    expect(await stories(2500, 2500 * part, () => memoryZone())).toEqual([]);
  });

  test("without the fence they get older and mixed", async () => {
    const rules = new Set((await stories(500, 0, () => memoryZone([], { isFenced: false }))).map(({ rule }) => rule));
    expect([...rules].sort()).toEqual(expect.arrayContaining(["mixed", "older"]));
  });
});

describe("outages of others, as stories of two writers", () => {
  const NEVER = new AbortController().signal;
  const hosts = ["blog", "cart", "docs", "shop"].map((name) => `${name}.example.org`);
  const world = (address: string, names = hosts) => names.map((name) => desired(name, [address]));
  const syncOf = (provider: Provider) =>
    createZoneSync({
      ...{ provider, domain: "example.org", owner: "prod-eu", policy: "Sync" },
      ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
    });
  const addresses = (zone: MemoryZone): readonly string[] =>
    zone.sets.filter(({ type }) => type === "A").map(({ name, values }) => `${name} ${values.join()}`);

  test("DynamoDB 2025: a slow writer checks, a newer one publishes and cleans up, and the slow one's write arrives after it", async () => {
    const zone = memoryZone();
    await syncOf(zone).sync({ desired: world("192.0.2.1"), epoch: 1, signal: NEVER });

    let arrive = (): void => {};
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let isUnderWay = (): void => {};
    const underWay = new Promise<void>((resolve) => {
      isUnderWay = resolve;
    });
    const slow: Provider = {
      ...zone,
      async apply(batch, signal) {
        isUnderWay();
        await held;
        await zone.apply(batch, signal);
      },
    };
    const late = syncOf(slow).sync({ desired: world("192.0.2.2"), epoch: 1, signal: NEVER });
    await underWay; // it has looked, and found itself the newest

    const newer = syncOf(zone);
    await newer.sync({ desired: world("192.0.2.3"), epoch: 2, signal: NEVER });
    await newer.sync({ desired: world("192.0.2.3", hosts.slice(1)), epoch: 2, signal: NEVER }); // cleans up
    arrive();
    expect(await late).toEqual({ kind: "LostFence", epoch: 2 });
    expect(addresses(zone)).toEqual(hosts.slice(1).map((name) => `${name} 192.0.2.3`));
  });

  test("GCLB 2023: a writer that takes over with nothing read yet does not put nothing in the place of everything", async () => {
    const zone = memoryZone();
    await syncOf(zone).sync({ desired: world("192.0.2.1"), epoch: 1, signal: NEVER });
    const outcome = await syncOf(zone).sync({ desired: [], epoch: 2, signal: NEVER });
    expect(outcome).toMatchObject({ kind: "Synced", plan: { held: { length: 4 } } });
    expect(addresses(zone)).toEqual(hosts.map((name) => `${name} 192.0.2.1`));
    await syncOf(zone).sync({ desired: world("192.0.2.2"), epoch: 2, signal: NEVER });
    expect(addresses(zone)).toEqual(hosts.map((name) => `${name} 192.0.2.2`));
  });
});
