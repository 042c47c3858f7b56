/** Everything of ours taken out of a zone, broken off anywhere and gone on with (docs/safety.md, rules 1, 6 and 7). */
import { describe, expect, test } from "vitest";
import { type MemoryZone, memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired } from "../test/support/providers/provider-suite.ts";
import { type DesiredSet, setAt } from "./change.ts";
import { delegationName, formatDelegation } from "./delegation/delegation.ts";
import { fenceName, formatFence } from "./fence.ts";
import { helperName } from "./helper-sets.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { type RecordSet, recordSetKey } from "./record-set.ts";
import { createZoneSync } from "./zone-sync.ts";

const NEVER = new AbortController().signal;
const SCOPE = { domain: "example.org", owner: "prod-eu" };
const FENCE = fenceName(SCOPE.domain, SCOPE.owner);
const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };
const OTHERS: RecordSet = formatFence(SCOPE.domain, "prod-us", { epoch: 9, write: 1 });
const hosts = ["a", "b", "c", "d", "e"].map((name) => `${name}.example.org`);

const aliasing = (name: string, label: string): DesiredSet => ({
  ...{ name, type: "A", ttl: 0, values: [], resource: "GlobalRoute/web/shop" },
  alias: { target: helperName(label, SCOPE), followsHealth: true },
});
/** Hosts, over a tree of helpers. */
const TREE: readonly DesiredSet[] = [
  ...hosts.map((name) => aliasing(name, "near")),
  aliasing(helperName("near", SCOPE), "east"),
  desired(helperName("east", SCOPE), ["192.0.2.1"]),
];

const syncOf = (provider: Provider, policy: "Sync" | "UpsertOnly" | "DryRun" = "UpsertOnly") =>
  createZoneSync({ provider, ...SCOPE, policy, relistAfter: 60_000, now: () => 0, adoptFrom: ["external"] });

async function filled(wanted: readonly DesiredSet[] = TREE, maxBatchCost = 4): Promise<MemoryZone> {
  const zone = memoryZone([FOREIGN, OTHERS], { maxBatchCost });
  await syncOf(zone).sync({ desired: wanted, epoch: 3, signal: NEVER });
  zone.batches.length = 0;
  return zone;
}

/** What clients, or somebody who looks later, would miss. */
function faultIn({ sets }: MemoryZone): string | undefined {
  const there = new Set(sets.map(recordSetKey));
  for (const { name, type, alias } of sets)
    if (alias !== undefined && !there.has(recordSetKey({ name: alias.target, type }))) return `${name} leads to nothing`;
  for (const { name } of sets) if (hosts.includes(name) && !there.has(`_globalroute.${name} TXT`)) return `${name} is nobody's`;
  const isOurs = ({ name }: RecordSet): boolean => name.includes("_globalroute") && !name.includes("_fence");
  return sets.some(isOurs) && !there.has(`${FENCE} TXT`) ? "the fence went before the rest" : undefined;
}

test("all of ours goes whatever the policy, and nothing else; the fence is the last", async () => {
  for (const policy of ["UpsertOnly", "Sync"] as const) {
    const zone = await filled();
    expect(await syncOf(zone, policy).remove({ epoch: 4, signal: NEVER })).toMatchObject({ kind: "Removed", changes: { length: 12 } });
    expect(zone.sets).toEqual([FOREIGN, OTHERS]);
    expect(zone.batches.at(-1)).toMatchObject({ fence: { action: "Delete", before: { name: FENCE } }, changes: [] });
    expect(zone.batches.length).toBeGreaterThan(3);
    zone.batches.length = 0;
    expect(await syncOf(zone, policy).remove({ epoch: 4, signal: NEVER })).toEqual({ kind: "Removed", changes: [] });
    expect(zone.batches).toEqual([]);
  }
});

test("what ExternalDNS has, and we have not taken over yet, stays", async () => {
  const zone = await filled([desired("a.example.org", ["192.0.2.1"])]);
  const theirs: readonly RecordSet[] = [
    { name: "b.example.org", type: "A", ttl: 60, values: ["192.0.2.7"] },
    { name: "a-b.example.org", type: "TXT", ttl: 60, values: ['"heritage=external-dns,external-dns/owner=external"'] },
  ];
  zone.sets = [...zone.sets, ...theirs];
  await syncOf(zone).remove({ epoch: 3, signal: NEVER });
  expect(zone.sets).toEqual([FOREIGN, OTHERS, ...theirs]);
});

test("what a provider made besides is cleared once no record needs it, and before the fence goes", async () => {
  const zone = await filled();
  const told: string[] = [];
  const provider: Provider = {
    ...zone,
    tidy: async (sets, epoch, _, isLast) => void told.push(`tidy ${sets.length} ${epoch} ${isLast ?? false}`),
    async apply(batch, signal) {
      await zone.apply(batch, signal);
      told.push(`${batch.fence.action} ${setAt(batch.fence).name === FENCE}`);
    },
  };
  await syncOf(provider).remove({ epoch: 4, signal: NEVER });
  expect(told.slice(-2)).toEqual([`tidy 3 4 true`, "Delete true"]);
});

test("zones below stay delegated: they may well be served", async () => {
  const zone = await filled();
  const delegated: readonly RecordSet[] = [
    { name: "apps.example.org", type: "NS", ttl: 300, values: ["ns.example.net."] },
    formatDelegation(delegationName("apps.example.org", SCOPE.domain)!, {
      ...{ owner: SCOPE.owner, resource: "DNSZone/apps", types: ["NS"], glue: [] },
    }),
  ];
  zone.sets = [...zone.sets, ...delegated];
  expect(await syncOf(zone).remove({ epoch: 4, signal: NEVER })).toMatchObject({ kind: "Removed" });
  expect(zone.sets).toEqual([FOREIGN, OTHERS, ...delegated]);
});

test("a writer of a later term has the zone: nothing is removed", async () => {
  const zone = await filled();
  await syncOf(zone).sync({ desired: TREE, epoch: 9, signal: NEVER });
  const before = zone.sets;
  expect(await syncOf(zone).remove({ epoch: 4, signal: NEVER })).toEqual({ kind: "LostFence", epoch: 9 });
  expect(zone.sets).toEqual(before);
});

describe("broken off", () => {
  /** Fails the nth call, with its effect or without, and looks at the zone after each. */
  function breaking(
    zone: MemoryZone,
    at: number,
    isMade: boolean,
  ): { readonly provider: Provider; readonly faults: string[]; calls: number } {
    const story = { faults: [] as string[], calls: 0, provider: zone as Provider };
    async function step<T>(call: () => Promise<T>): Promise<T> {
      const isBroken = story.calls++ === at;
      if (isBroken && !isMade) throw new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait.");
      const result = await call();
      const fault = faultIn(zone);
      if (fault !== undefined) story.faults.push(fault);
      if (isBroken) throw new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait.");
      return result;
    }
    story.provider = {
      ...zone,
      list: (signal) => step(() => zone.list(signal)),
      apply: (batch, signal) => step(() => zone.apply(batch, signal)),
      tidy: () => step(async () => {}),
    };
    return story;
  }

  test.each([true, false])(
    "at any call, made (%s) or not: no host without its helpers or its owner, and what is left goes later",
    async (isMade) => {
      for (const isSameProcess of [true, false]) {
        let ended = false;
        for (let at = 0; !ended; at++) {
          const zone = await filled();
          const story = breaking(zone, at, isMade);
          const sync = syncOf(story.provider);
          const first = await sync.remove({ epoch: 3, signal: NEVER }).catch((error: unknown) => error);
          ended = !(first instanceof ProviderError);
          story.calls = Number.POSITIVE_INFINITY; // nothing breaks any more
          const second = isSameProcess ? sync : syncOf(story.provider);
          expect(await second.remove({ epoch: isSameProcess ? 3 : 4, signal: NEVER })).toMatchObject({ kind: "Removed" });
          expect(story.faults, `call ${at}`).toEqual([]);
          expect(zone.sets, `call ${at}`).toEqual([FOREIGN, OTHERS]);
          expect(at).toBeLessThan(40);
        }
      }
    },
  );

  test("what the process before had under way comes too late", async () => {
    const zone = await filled();
    const before = zone.sets.find(({ name }) => name === FENCE)!;
    const late = {
      fence: { action: "Replace", before, after: formatFence(SCOPE.domain, SCOPE.owner, { epoch: 3, write: 99 }) },
      changes: [{ action: "Create", after: { name: "late.example.org", type: "A", ttl: 5, values: ["192.0.2.66"] } }],
    } as const;
    await syncOf(zone).remove({ epoch: 4, signal: NEVER });
    await expect(zone.apply(late, NEVER)).rejects.toMatchObject({ code: "conflict" });
    expect(zone.sets).toEqual([FOREIGN, OTHERS]);
  });
});

test("somebody who puts it there again and again is told of", async () => {
  const zone = await filled();
  const stubborn: Provider = {
    ...zone,
    async list(signal) {
      if (zone.batches.length > 0) zone.sets = [...zone.sets.filter(({ name }) => !name.endsWith(hosts[0]!)), ...kept];
      return zone.list(signal);
    },
  };
  const kept = zone.sets.filter(({ name }) => name.endsWith(hosts[0]!) || name.includes("_routes"));
  await expect(syncOf(stubborn).remove({ epoch: 4, signal: NEVER })).rejects.toThrow(
    "what was removed is there again. Find who else writes there.",
  );
});
