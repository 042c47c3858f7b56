/**
 * Two writers of a zone that is several DNSEndpoints, told request by request, while ExternalDNS writes their status. A batch is no one step
 * there, so what must hold is this: no name that stays is ever gone; and once a sync of the new writer has ended, the zone is exactly what it
 * wrote and stays so until it writes again, whatever the old one still has under way.
 */
import type { DesiredSet } from "../../../dns-providers/change.ts";
import type { Provider } from "../../../dns-providers/provider.ts";
import { ProviderError } from "../../../dns-providers/provider.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import { createScheduler, type Scheduler } from "./interleaving.ts";
import { desired } from "./provider-suite.ts";

export interface PartedZone {
  readonly provider: (scheduler: Scheduler) => Provider;
  /** What is in the zone at this instant. */
  readonly look: () => readonly RecordSet[];
  /** ExternalDNS writes the status of all objects. */
  readonly observe: () => void;
  /** A number below a bound. */
  readonly roll: (below: number) => number;
}

const NEVER = new AbortController().signal;
const LASTING = ["cart.example.org", "docs.example.org", "shop.example.org"];
/** Present in every other world. */
const PASSING = "blog.example.org";

/** The same address comes back: what was true before is true again, and a late write may find what it was planned on. */
const world = (version: number): readonly DesiredSet[] =>
  [...LASTING, ...(version % 2 === 0 ? [PASSING] : [])].map((name) => desired(name, [`192.0.2.${version}`]));

const hostsOf = (sets: readonly RecordSet[]): string =>
  sets
    .filter(({ type }) => type === "A")
    .map(({ name, values }) => `${name} ${values.join()}`)
    .sort()
    .join("\n");

/** Tells one story. @returns the first thing that was wrong */
export async function partedZone({ provider, look, observe, roll }: PartedZone): Promise<string | undefined> {
  const scheduler = createScheduler(roll, 4);
  let broken: string | undefined;
  let isBegun = false;
  /** What the new writer has brought about, while it writes nothing. */
  let stands: string | undefined;

  async function check(): Promise<void> {
    const sets = look();
    const hosts = hostsOf(sets);
    const missing = LASTING.filter((name) => !sets.some((set) => set.name === name && set.type === "A"));
    isBegun ||= missing.length === 0;
    if (isBegun && missing.length > 0) broken ??= `empty: ${missing.join()}`;
    if (stands !== undefined && hosts !== stands) broken ??= `older: ${hosts.replaceAll("\n", ", ")}`;
  }

  const writer = (epoch: number, versions: readonly number[], onSynced: (hosts: string | undefined) => void) => async (): Promise<void> => {
    const sync = createZoneSync({
      ...{ provider: provider(scheduler), domain: "example.org", owner: "prod-eu", policy: "Sync" },
      ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
    });
    for (const version of versions) {
      await scheduler.pause();
      onSynced(undefined);
      for (let tries = 1 + roll(3); tries > 0; tries--) {
        try {
          const outcome = await sync.sync({ desired: world(version), epoch, isRemovalConfirmed: true, signal: NEVER });
          if (outcome.kind === "LostFence") return;
          onSynced(hostsOf(world(version)));
          break;
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
        }
      }
    }
  };
  const news = (hosts: string | undefined): void => {
    stands = hosts;
    if (hosts !== undefined && hostsOf(look()) !== hosts) broken ??= "synced, and the zone is another";
  };
  const externalDns = async (): Promise<void> => {
    for (let round = 0; round < 6; round++) {
      await scheduler.pause();
      observe();
    }
  };
  await scheduler.run([externalDns, writer(1, [1, 2, 1, 2], () => {}), writer(2, [1, 2, 4, 2, 1], news)], check);

  stands = undefined;
  const last = createScheduler(() => 0, 0);
  const end = createZoneSync({
    ...{ provider: provider(last), domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
  });
  await last.run(
    [async () => void (await end.sync({ desired: world(6), epoch: 2, isRemovalConfirmed: true, signal: NEVER }))],
    async () => {},
  );
  if (hostsOf(look()) !== hostsOf(world(6))) broken ??= "not repaired";
  return broken;
}
