/** What every provider must do, whatever is behind it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DesiredSet } from "../../../dns-providers/change.ts";
import type { DesiredDelegation } from "../../../dns-providers/delegation/delegation.ts";
import { fenceName, formatFence } from "../../../dns-providers/fence.ts";
import { registryName } from "../../../dns-providers/ownership.ts";
import { type Provider, ProviderError } from "../../../dns-providers/provider.ts";
import { type RecordSet, recordSetKey, sameRecordSet } from "../../../dns-providers/record-set.ts";
import { createZoneSync, type SyncOutcome, type ZoneSync } from "../../../dns-providers/zone-sync.ts";

/** One zone, example.org, in which nothing of ours is yet, and `www` A 192.0.2.99 with a TTL of 300 s is someone's. */
export interface ProviderUnderTest {
  readonly provider: Provider;
  /** What its clients get of a name and type, values in any order; undefined when there is no such set. */
  readonly lookUp: (name: string, type: string) => Promise<RecordSet | undefined>;
  /** Somebody else puts a set there, past us. */
  readonly interfere: (set: RecordSet) => Promise<void>;
  /** It does not look at what it is given. */
  readonly takesAnything?: boolean;
  readonly stop: () => Promise<void>;
}

const DOMAIN = "example.org";
const OWNER = "prod-eu";
const NEVER = new AbortController().signal;

export const desired = (name: string, values: readonly string[], type = "A", ttl = 30): DesiredSet => ({
  ...{ name, type, ttl, values },
  resource: `GlobalRoute/web/${name.split(".")[0]}`,
});

const SHOP = desired("shop.example.org", ["192.0.2.1", "192.0.2.2"]);
const SHOP6 = desired("shop.example.org", ["2001:db8::1"], "AAAA");
const APEX = desired("example.org", ["192.0.2.3"]);
const WILDCARD = desired("*.wild.example.org", ["192.0.2.4"]);
const WORLD = [SHOP, SHOP6, APEX, WILDCARD];
const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };

export function providerSuite(name: string, start: () => Promise<ProviderUnderTest>): void {
  describe(name, () => {
    let peer: ProviderUnderTest;
    let ours: ZoneSync;

    const syncOf = (owner = OWNER, more: { readonly relistAfter?: number } = {}): ZoneSync =>
      createZoneSync({
        ...{ provider: peer.provider, domain: DOMAIN, owner, policy: "Sync", now: () => 0 },
        relistAfter: more.relistAfter ?? Number.POSITIVE_INFINITY,
      });
    const sync = (sets: readonly DesiredSet[], epoch = 1, by: ZoneSync = ours): Promise<SyncOutcome> =>
      by.sync({ desired: sets, epoch, signal: NEVER });
    const has = async (set: RecordSet): Promise<void> => {
      const { name, type, ttl, values } = set;
      expect(await peer.lookUp(name, type), recordSetKey(set)).toSatisfy(
        (found: RecordSet | undefined) => found !== undefined && sameRecordSet(found, { name, type, ttl, values }),
      );
    };

    beforeAll(async () => {
      peer = await start();
      ours = syncOf();
    });
    afterAll(() => peer?.stop());

    test("lists what is there", async () => {
      expect(await peer.provider.list(NEVER)).toContainEqual(FOREIGN);
    });

    test("tells who answers for the zone, where it knows", async ({ skip }) => {
      const { authority } = peer.provider;
      if (authority === undefined) return skip("it does not know");
      const { nameServers, glue, ttl, longestTtl } = await authority(NEVER);
      expect(nameServers.length).toBeGreaterThan(0);
      for (const name of nameServers) expect(name).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
      const inside = nameServers.filter((name) => name.endsWith(`.${DOMAIN}`));
      expect(new Set(glue.map(({ name }) => name))).toEqual(new Set(inside));
      expect(ttl).toBeGreaterThan(0);
      expect(longestTtl).toBeGreaterThanOrEqual(ttl);
    });

    test("a first sync publishes all of it with its owner, and a second writes nothing", async () => {
      expect(await sync(WORLD)).toMatchObject({ kind: "Synced", plan: { conflicts: [], held: [] }, batches: 1 });
      for (const set of WORLD) await has(set);
      expect((await peer.lookUp(registryName(SHOP.name)!, "TXT"))?.values[0]).toContain(`globalroute/owner=${OWNER}`);
      expect((await peer.lookUp(registryName(WILDCARD.name)!, "TXT"))?.values[0]).toContain(`globalroute/owner=${OWNER}`);
      expect(await sync(WORLD)).toMatchObject({ batches: 0 });
      expect(await sync(WORLD, 1, syncOf())).toMatchObject({ batches: 0 }); // read back, it is the same
    });

    test("a set that has changed is replaced whole", async () => {
      const moved = { ...SHOP, values: ["192.0.2.2", "192.0.2.7"], ttl: 5 };
      expect(await sync([moved, SHOP6, APEX, WILDCARD])).toMatchObject({ batches: 1 });
      await has(moved);
      await has(SHOP6);
      await sync(WORLD);
    });

    test("a name may become an alias and back, in one step", async () => {
      const alias = desired(SHOP.name, ["elsewhere.example.net."], "CNAME");
      expect(await sync([alias, APEX, WILDCARD])).toMatchObject({ plan: { conflicts: [] }, batches: 1 });
      await has(alias);
      expect(await peer.lookUp(SHOP.name, "AAAA")).toBeUndefined();
      await sync(WORLD);
      for (const set of WORLD) await has(set);
    });

    test("an HTTPS record stands beside addresses, and is read back as it was written", async ({ skip }) => {
      if (!peer.provider.capabilities.types.includes("HTTPS")) skip("the provider takes no HTTPS records");
      const https = [desired(SHOP.name, ["1 . alpn=h2,http/1.1"], "HTTPS"), desired(WILDCARD.name, ["1 . alpn=h2"], "HTTPS")];
      expect(await sync([...WORLD, ...https])).toMatchObject({ kind: "Synced", plan: { conflicts: [] }, batches: 1 });
      expect(await peer.lookUp(SHOP.name, "HTTPS")).toBeDefined();
      await has(SHOP);
      expect(await sync([...WORLD, ...https], 1, syncOf())).toMatchObject({ batches: 0 });
      await sync(WORLD);
      expect(await peer.lookUp(SHOP.name, "HTTPS")).toBeUndefined();
    });

    test("a name that it will not have is left and told, and everything else is written", async ({ skip }) => {
      if (peer.takesAnything === true) skip("the peer refuses nothing");
      const [good, bad] = [desired("good.example.org", ["192.0.2.8"]), desired("bad.example.org", ["192.0.2"])];
      const moved = { ...SHOP, values: ["192.0.2.7"] };
      const wanted = [moved, SHOP6, APEX, WILDCARD, bad, good];
      expect(await sync(wanted)).toMatchObject({ refusal: { message: expect.stringContaining("bad.example.org") } });
      for (const set of [moved, SHOP6, APEX, WILDCARD, good]) await has(set);
      expect(await peer.lookUp(bad.name, "A")).toBeUndefined();
      expect(await peer.lookUp(registryName(bad.name)!, "TXT")).toBeUndefined();
      expect(await sync(wanted)).toMatchObject({ batches: 0, refusal: { code: "refused" } }); // it is not tried again at once
      const mended = { ...bad, values: ["192.0.2.9"] };
      expect(await sync([...WORLD, mended, good])).not.toHaveProperty("refusal");
      await has(mended);
      await has(SHOP);
      await sync(WORLD);
    });

    test("what others own is a conflict and stays", async () => {
      const outcome = await sync([...WORLD, desired(FOREIGN.name, ["192.0.2.1"])]);
      expect(outcome).toMatchObject({ plan: { conflicts: [{ name: FOREIGN.name, type: "A", reason: "Foreign" }] } });
      await has(FOREIGN);
      const other = await sync([desired(SHOP.name, ["192.0.2.66"])], 1, syncOf("prod-us"));
      expect(other).toMatchObject({ plan: { conflicts: [{ name: SHOP.name, reason: "OwnedByAnother", owner: OWNER }] } });
      await has(SHOP);
    });

    test("what somebody did to ours is seen at the next listing, and mended", async () => {
      await peer.interfere({ ...SHOP, values: ["192.0.2.66"] });
      expect(await sync(WORLD)).toMatchObject({ batches: 0 }); // not listed yet
      expect(await sync(WORLD, 1, syncOf(OWNER, { relistAfter: 0 }))).toMatchObject({ batches: 1 });
      await has(SHOP);
    });

    test("more than one batch takes is written in several", async () => {
      const many = Array.from({ length: 2000 }, (_, i) => desired(`n${i}.many.example.org`, [`198.18.${i >> 8}.${i & 255}`]));
      const fresh = syncOf();
      const outcome = await sync([...WORLD, ...many], 1, fresh);
      expect(outcome).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
      for (const set of [many[0]!, many[1234]!, many[1999]!]) await has(set);
      expect(await sync([...WORLD, ...many], 1, syncOf())).toMatchObject({ batches: 0 });
      expect(await sync(WORLD, 1, fresh)).toMatchObject({ batches: 0 }); // too many would go
      await has(many[0]!);
      await fresh.sync({ desired: WORLD, epoch: 1, isRemovalConfirmed: true, signal: NEVER });
      expect(await peer.lookUp(many[0]!.name, "A")).toBeUndefined();
      expect(await peer.lookUp(registryName(many[0]!.name)!, "TXT")).toBeUndefined();
      for (const set of WORLD) await has(set);
    });

    test("a delegation is made, changed and removed, says whose it is, and is left alone where it is somebody else's", async () => {
      const [child, told] = ["apps.example.org", "apps._delegations._globalroute.example.org"];
      const glue = (label: string, address: string): RecordSet => ({ name: `${label}.${child}`, type: "A", ttl: 300, values: [address] });
      const by = (nameServers: readonly string[], addresses: readonly RecordSet[], ds: readonly string[] = []): DesiredDelegation => ({
        ...{ kind: "Known", child, resource: "DNSZone/apps", isAdopted: false },
        authority: { nameServers, glue: addresses, ttl: 300, longestTtl: 300, ds },
        seen: { servers: new Map(nameServers.map((one) => [one, undefined])), chain: () => undefined, ds: undefined },
      });
      const NS1 = glue("ns1", "192.0.2.53");
      const DS = `12345 13 2 ${"ab".repeat(32)}`;
      const keep = (delegations: readonly DesiredDelegation[], isRemovalConfirmed = false): Promise<SyncOutcome> =>
        syncOf().sync({ desired: WORLD, delegations, epoch: 1, isRemovalConfirmed, signal: NEVER });
      /** `NAME TYPE VALUES` of what stands at the delegation and below it, and what tells whose it is. */
      const standing = async (): Promise<readonly string[]> =>
        (await peer.provider.list(NEVER))
          .filter(({ name }) => name === child || name.endsWith(`.${child}`) || name === told)
          .map(({ name, type, values }) => (name === told ? "told" : `${name} ${type} ${values.toSorted().join(" ").toLowerCase()}`))
          .sort();

      if (!peer.provider.capabilities.types.includes("NS")) {
        const refused = await keep([by([NS1.name], [NS1])]);
        expect(refused).toMatchObject({
          plan: { waiting: [{ child, why: expect.stringContaining("publishes no NS records"), isFault: true }] },
        });
        expect(await standing()).toEqual([]);
        return;
      }
      expect(await keep([by([NS1.name, "ns.example.net"], [NS1], [DS])])).toMatchObject({ kind: "Synced", batches: 1 });
      const made = [`${child} DS ${DS}`, `${child} NS ns.example.net. ns1.${child}.`, `ns1.${child} A 192.0.2.53`, "told"];
      expect(await standing()).toEqual(made);
      expect(await keep([by([NS1.name, "ns.example.net"], [NS1], [DS])])).toMatchObject({ batches: 0 });
      expect(await sync(WORLD, 1, syncOf("prod-us"))).toMatchObject({ plan: { held: [] } });
      expect(await standing()).toEqual(made);

      const NS2 = glue("ns2", "192.0.2.54");
      await keep([by([NS2.name], [NS2])]);
      expect(await standing()).toEqual([`${child} NS ns2.${child}.`, `ns2.${child} A 192.0.2.54`, "told"]);
      expect(await keep([])).toMatchObject({ batches: 0, plan: { held: [{ type: "NS" }, { type: "A" }] } });
      await keep([], true);
      expect(await standing()).toEqual([]);

      await peer.interfere({ name: child, type: "NS", ttl: 300, values: ["ns.example.net."] });
      expect(await keep([by([NS1.name], [NS1])])).toMatchObject({ batches: 0, plan: { conflicts: [{ name: child, reason: "Foreign" }] } });
      expect(await keep([], true)).toMatchObject({ batches: 0 });
      expect(await standing()).toEqual([`${child} NS ns.example.net.`]);
      await keep([{ ...by([NS1.name], [NS1]), isAdopted: true }]);
      await keep([], true);
      expect(await standing()).toEqual([]);
    });

    describe("a writer of an earlier term", () => {
      test("finds the later one's fence and writes nothing, even with nothing to change in between", async () => {
        const [earlier, later] = [syncOf(), syncOf()];
        await sync(WORLD, 2, earlier);
        expect(await sync(WORLD, 3, later)).toMatchObject({ kind: "Synced", batches: 1 }); // raises the fence
        expect(await sync([desired(SHOP.name, ["192.0.2.66"]), SHOP6, APEX, WILDCARD], 2, earlier)).toEqual({
          kind: "LostFence",
          epoch: 3,
        });
        await has(SHOP);
      });

      test("its write that was under way is refused", async ({ skip }) => {
        if (peer.provider.capabilities.fencing !== "Atomic") skip("the provider compares nothing");
        const before = formatFence(DOMAIN, OWNER, { epoch: 2, write: 1 });
        const after = formatFence(DOMAIN, OWNER, { epoch: 2, write: 2 });
        const late = peer.provider.apply(
          {
            fence: { action: "Replace", before, after },
            changes: [{ action: "Replace", before: SHOP, after: { ...SHOP, values: ["192.0.2.66"] } }],
          },
          NEVER,
        );
        await expect(late).rejects.toMatchObject({ name: "ProviderError", code: "conflict" });
        await has(SHOP);
        expect((await peer.lookUp(fenceName(DOMAIN, OWNER), "TXT"))?.values[0]).toContain("epoch=3");
      });

      test("so is one that would add to what somebody made meanwhile", async ({ skip }) => {
        if (peer.provider.capabilities.fencing !== "Atomic") skip("the provider compares nothing");
        const stands = (await peer.lookUp(fenceName(DOMAIN, OWNER), "TXT"))!;
        const { name, type, ttl } = FOREIGN;
        const batch = {
          fence: { action: "Replace", before: stands, after: formatFence(DOMAIN, OWNER, { epoch: 3, write: 99 }) },
          changes: [{ action: "Create", after: { name, type, ttl, values: ["192.0.2.1"] } }],
        } as const;
        await expect(peer.provider.apply(batch, NEVER)).rejects.toBeInstanceOf(ProviderError);
        await has(FOREIGN);
        await has(stands);
      });
    });

    test("everything of ours goes when it is asked to, and nothing else; a second time there is nothing to do", async () => {
      const last = syncOf();
      expect(await last.remove({ epoch: 4, signal: NEVER })).toMatchObject({ kind: "Removed" });
      for (const { name, type } of WORLD) {
        expect(await peer.lookUp(name, type)).toBeUndefined();
        expect(await peer.lookUp(registryName(name)!, "TXT")).toBeUndefined();
      }
      expect(await peer.lookUp(fenceName(DOMAIN, OWNER), "TXT")).toBeUndefined();
      await has(FOREIGN);
      expect(await last.remove({ epoch: 4, signal: NEVER })).toEqual({ kind: "Removed", changes: [] });
      expect(await sync(WORLD, 5, syncOf())).toMatchObject({ kind: "Synced", plan: { conflicts: [] } }); // and may come again
      await has(SHOP);
    });
  });
}
