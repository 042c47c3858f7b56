import { describe, expect, test } from "vitest";
import { memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired } from "../test/support/providers/provider-suite.ts";
import { CONTESTED, TRUCE } from "./contest.ts";
import type { RecordSet } from "./record-set.ts";
import { createZoneSync } from "./zone-sync.ts";

const NEVER = new AbortController().signal;
const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const BLOG = desired("blog.example.org", ["192.0.2.2"]);

function start() {
  const zone = memoryZone();
  const state = { now: 0 };
  const sync = createZoneSync({
    ...{ provider: zone, domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0 },
    now: () => state.now,
  });
  const address = (name: string): string | undefined => zone.sets.find((set) => set.name === name && set.type === "A")?.values[0];
  const overwrite = (value: string): void => {
    zone.sets = zone.sets.map((set): RecordSet => (set.name === SHOP.name && set.type === "A" ? { ...set, values: [value] } : set));
  };
  return { zone, state, address, overwrite, run: (sets = [SHOP, BLOG]) => sync.sync({ desired: sets, epoch: 1, signal: NEVER }) };
}

describe("a name that somebody else keeps changing back", () => {
  test("is mended a few times, then left alone and told, and tried again much later", async () => {
    const { state, address, overwrite, run } = start();
    await run();
    for (let times = 1; times < CONTESTED; times++) {
      overwrite("192.0.2.66");
      state.now += 60_000;
      expect(await run()).toMatchObject({ plan: { contested: [] } });
      expect(address(SHOP.name)).toBe("192.0.2.1");
    }
    overwrite("192.0.2.66");
    state.now += 60_000;
    expect(await run([SHOP, { ...BLOG, values: ["192.0.2.9"] }])).toMatchObject({ plan: { contested: [SHOP.name], conflicts: [] } });
    expect([address(SHOP.name), address(BLOG.name)]).toEqual(["192.0.2.66", "192.0.2.9"]);
    state.now += TRUCE;
    expect(await run()).toMatchObject({ plan: { contested: [] } });
    expect(address(SHOP.name)).toBe("192.0.2.1");
  });

  test("is mended for ever when it happens now and then", async () => {
    const { state, address, overwrite, run } = start();
    await run();
    for (let times = 0; times < 10; times++) {
      overwrite("192.0.2.66");
      state.now += 24 * 3_600_000;
      await run();
      expect(address(SHOP.name)).toBe("192.0.2.1");
    }
  });

  test("our own writes, also those that nobody knows the end of, are no contest", async () => {
    const { zone, state, address, run } = start();
    await run();
    for (let times = 0; times < 2 * CONTESTED; times++) {
      const moved = { ...SHOP, values: [`192.0.2.${times + 10}`] };
      const { ProviderError } = await import("./provider.ts");
      zone.failNext = {
        error: new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait."),
        after: times % 2 === 0,
      };
      state.now += 1000;
      await run([moved, BLOG]).catch(() => {});
      expect(await run([moved, BLOG])).toMatchObject({ plan: { contested: [] } });
      expect(address(SHOP.name)).toBe(moved.values[0]);
    }
  });
});
