/** Two writers of one owner, an old one that does not know yet that its term is over and a new one, and what must hold of their zone meanwhile. */
import type { DesiredSet } from "../../../dns-providers/change.ts";
import { type Provider, ProviderError } from "../../../dns-providers/provider.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createZoneSync, type ZoneSync } from "../../../dns-providers/zone-sync.ts";
import { createScheduler, type Scheduler } from "./interleaving.ts";
import { desired } from "./provider-suite.ts";

export interface TwoWritersOptions {
  /** The zone, for each writer by itself: its calls travel by the scheduler. */
  readonly provider: (scheduler: Scheduler) => Provider;
  /** What is in the zone at this instant. */
  readonly look: () => Promise<readonly RecordSet[]>;
  /** A number below a bound. */
  readonly roll: (below: number) => number;
  /** Greater than in any story before in this zone, by 10 at least. */
  readonly base: number;
}

export interface Broken {
  readonly rule: "empty" | "older" | "mixed" | "not repaired";
  readonly what: string;
}

const NEVER = new AbortController().signal;
const SHOP = "shop.example.org";
const CART = "cart.example.org";
const addressOf = (version: number): string => `198.${18 + (version >>> 16)}.${(version >>> 8) & 255}.${version & 255}`;
const versionOf = (address: string): number => {
  const [, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return (b - 18) * 65536 + c * 256 + d;
};
/** `cart` comes and goes. */
const world = (version: number): readonly DesiredSet[] => [
  desired(SHOP, [addressOf(version)]),
  ...(version % 3 === 0 ? [] : [desired(CART, [addressOf(version)])]),
];

/** Tells one story. @returns the first rule that was broken */
export async function twoWriters({ provider, look, roll, base }: TwoWritersOptions): Promise<Broken | undefined> {
  const scheduler = createScheduler(roll);
  let newest = 0;
  let broken: Broken | undefined;

  async function check(): Promise<void> {
    const sets = await look();
    const [shop, cart] = [SHOP, CART].map((name) => sets.find((set) => set.name === name && set.type === "A"));
    const version = shop === undefined ? undefined : versionOf(shop.values[0]!);
    if (version === undefined) {
      if (newest > 0) broken ??= { rule: "empty", what: `${SHOP} is gone after version ${newest - base}` };
      return;
    }
    if (version < newest) broken ??= { rule: "older", what: `version ${version - base} after ${newest - base}` };
    newest = Math.max(newest, version);
    const beside = cart === undefined ? undefined : versionOf(cart.values[0]!);
    if (beside !== (version % 3 === 0 ? undefined : version))
      broken ??= {
        rule: "mixed",
        what: `${SHOP} is of version ${version - base}, ${CART} of ${beside === undefined ? "none" : beside - base}`,
      };
  }

  const writer = (epoch: number, versions: readonly number[]) => async (): Promise<void> => {
    const sync: ZoneSync = createZoneSync({
      ...{ provider: provider(scheduler), domain: "example.org", owner: "prod-eu", policy: "Sync" },
      ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
    });
    for (const version of versions) {
      await scheduler.pause();
      for (let tries = 0; tries < 2; tries++) {
        try {
          const outcome = await sync.sync({ desired: world(version), epoch, isRemovalConfirmed: true, signal: NEVER });
          if (outcome.kind === "LostFence") return;
          break;
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
        }
      }
    }
  };
  await scheduler.run([writer(base + 1, [base + 1, base + 2, base + 3]), writer(base + 2, [base + 4, base + 5, base + 6])], check);

  const last = createScheduler(() => 0, 0);
  await last.run([writerOf(last, provider, base)], async () => {});
  newest = 0;
  await check();
  if (newest !== base + 6) broken ??= { rule: "not repaired", what: `version ${newest - base} in the end` };
  return broken;
}

/** The new writer's next reconcile, when nothing travels any more. */
const writerOf = (scheduler: Scheduler, provider: TwoWritersOptions["provider"], base: number) => async (): Promise<void> => {
  const sync = createZoneSync({
    ...{ provider: provider(scheduler), domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
  });
  await sync.sync({ desired: world(base + 6), epoch: base + 2, isRemovalConfirmed: true, signal: NEVER });
};
