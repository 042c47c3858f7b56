import { describe, expect, test } from "vitest";
import { ms } from "../src/model/units.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import type { DesiredSet } from "./change.ts";
import { ProviderError, type ProviderErrorCode } from "./provider.ts";
import { createZoneKeeper } from "./zone-keeper.ts";
import type { SyncOutcome, SyncRequest } from "./zone-sync.ts";

const SYNCED: SyncOutcome = {
  kind: "Synced",
  plan: { groups: [], conflicts: [], held: [], kept: [], contested: [], waiting: [] },
  batches: 0,
};

const LOOK = 60_000;

function start() {
  const clock = createSimulatedClock();
  const syncs: { readonly at: number; readonly epoch: number }[] = [];
  const failures: number[] = [];
  const state = {
    desired: [] as readonly DesiredSet[] | undefined,
    code: undefined as ProviderErrorCode | undefined,
    lastEpoch: 4,
    /** How long a sync takes, ms. */
    takes: 0,
  };
  const keeper = createZoneKeeper({
    sync: {
      async sync({ epoch }: SyncRequest) {
        syncs.push({ at: clock.now(), epoch });
        if (state.takes > 0) await clock.sleep(state.takes);
        if (state.code !== undefined) throw new ProviderError(state.code, "memory example.org", "it fails", "Wait.");
        return SYNCED;
      },
      lastEpoch: async () => state.lastEpoch,
    },
    capabilities: () => ({ deadline: 10_000, lookEvery: LOOK }),
    desired: () => state.desired,
    isRemovalConfirmed: () => false,
    now: clock.now,
    deadline: () => new AbortController().signal,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    onOutcome: () => {},
    onFailure: (_, retryAfter) => failures.push(retryAfter),
  });
  return { clock, syncs, failures, state, keeper, times: () => syncs.map(({ at }) => at) };
}

describe("a keeper", () => {
  test("writes nothing while it is not the writer, and begins when it is", async () => {
    const { clock, syncs, keeper } = start();
    keeper.request();
    await clock.advance(LOOK);
    expect(syncs).toEqual([]);
    keeper.term(7);
    await clock.advance(100);
    expect(syncs.map(({ epoch }) => epoch)).toEqual([7]);
    keeper.term(undefined);
    keeper.request();
    await clock.advance(2 * LOOK);
    expect(syncs).toHaveLength(1);
  });

  test("of its own takes the term after the zone's last, once", async () => {
    const { clock, syncs, state, keeper } = start();
    keeper.term("Own");
    await clock.advance(100);
    state.lastEpoch = 9;
    keeper.request();
    await clock.advance(100);
    expect(syncs.map(({ epoch }) => epoch)).toEqual([5, 5]);
  });

  test("makes one sync of what comes together, another of what comes meanwhile, and looks every minute", async () => {
    const { clock, state, keeper, times } = start();
    keeper.term(1);
    await clock.advance(1000);
    for (let i = 0; i < 10; i++) keeper.request();
    await clock.advance(1000);
    expect(times()).toHaveLength(2);
    state.takes = 500;
    keeper.request();
    await clock.advance(100);
    keeper.request();
    keeper.request();
    await clock.advance(2000);
    expect(times()).toHaveLength(4);
    await clock.advance(LOOK);
    expect(times()).toHaveLength(5);
  });

  test("begins within moments however many ask, and rests after a long one", async () => {
    const { clock, state, keeper, times } = start();
    state.takes = 100;
    keeper.term(1);
    for (let i = 0; i < 300; i++) {
      await clock.advance(10);
      keeper.request();
    }
    expect(times()).toEqual([20, 520, 1020, 1520, 2020, 2520]);
  });

  test("waits while it is not known what should be there", async () => {
    const { clock, syncs, state, keeper } = start();
    state.desired = undefined;
    keeper.term(1);
    await clock.advance(5000);
    expect(syncs).toEqual([]);
    state.desired = [];
    keeper.request();
    await clock.advance(100);
    expect(syncs).toHaveLength(1);
  });

  test.each([
    { code: "unreachable", waits: [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] },
    { code: "unauthorized", waits: [60_000, 60_000] },
  ] as const)("tries again after $code: $waits", async ({ code, waits }) => {
    const { clock, failures, state, keeper } = start();
    state.code = code;
    keeper.term(1);
    await clock.advance(waits.slice(0, -1).reduce((sum, wait) => sum + wait, 500));
    expect(failures).toEqual(waits);
  });

  test("is as quick as before once it worked again, and flapping does not make it try more often", async () => {
    const { clock, times, state, keeper } = start();
    state.code = "unreachable";
    keeper.term(1);
    await clock.advance(3500); // tries at 20, 1020, 3020
    for (let i = 0; i < 20; i++) {
      keeper.request();
      await clock.advance(100);
    }
    expect(times()).toHaveLength(3);
    state.code = undefined;
    await clock.advance(2000); // at 7020
    keeper.request();
    await clock.advance(100);
    expect(times()).toHaveLength(5);
  });

  test("is closed when nothing is under way any more", async () => {
    const { clock, state, syncs, keeper } = start();
    state.takes = 500;
    keeper.term(1);
    await clock.advance(100);
    let isClosed = false;
    const closing = keeper.close().then(() => {
      isClosed = true;
    });
    await clock.advance(100);
    expect(isClosed).toBe(false);
    await clock.advance(500);
    await closing;
    await clock.advance(2 * LOOK);
    expect(syncs).toHaveLength(1);
  });
});
