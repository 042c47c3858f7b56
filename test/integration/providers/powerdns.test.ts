/** The provider suite against a real PowerDNS, and what only it can show. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchangeOverHttp } from "../../../dns-providers/powerdns/http-exchange.ts";
import { createPowerDnsProvider, type PowerDnsOptions, type PowerDnsProvider } from "../../../dns-providers/powerdns/powerdns-provider.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type PowerDns, requirePowerDns, startPowerDns } from "../../support/providers/powerdns.ts";
import { desired, providerSuite } from "../../support/providers/provider-suite.ts";
import { twoWriters } from "../../support/providers/two-writers.ts";
import { seededRandom } from "../../support/random.ts";

const isHere = requirePowerDns() && requireComponent("dns-clients", "dig");
const exchange = exchangeOverHttp();
const NEVER = new AbortController().signal;

const providerAt = ({ server, apiKey }: PowerDns, more: Partial<PowerDnsOptions> = {}): PowerDnsProvider =>
  createPowerDnsProvider({ server, domain: "example.org", apiKey, exchange, ...more });

/** Without its caches, which are told of changes by the API but keep what they have for the same second. */
const UNCACHED = { "cache-ttl": "0", "query-cache-ttl": "0", "negquery-cache-ttl": "0" };

async function lookUp({ dnsPort }: PowerDns, name: string, type: string): Promise<RecordSet | undefined> {
  const { answers, ttls, text } = await dig(dnsPort, name, type);
  const kinds = text.split("\n").filter((line) => line.startsWith(`${name}.`) && line.split(/\s+/)[3] === type);
  return kinds.length === 0 ? undefined : { name, type, ttl: ttls[0]!, values: answers };
}

describe.skipIf(!isHere)("PowerDNS", () => {
  providerSuite("by its HTTP API", async () => {
    const powerDns = await startPowerDns({ settings: UNCACHED });
    return {
      provider: providerAt(powerDns),
      lookUp: (name, type) => lookUp(powerDns, name, type),
      interfere: powerDns.put,
      stop: powerDns.stop,
    };
  });
});

describe.skipIf(!isHere)("what PowerDNS refuses is told with its remedy", () => {
  let powerDns: PowerDns;
  beforeAll(async () => {
    powerDns = await startPowerDns({ settings: { "enable-lua-records": "no" } });
  });
  afterAll(() => powerDns?.stop());

  const syncWith = (more: Partial<PowerDnsOptions>, signal = NEVER, sets = [desired("shop.example.org", ["192.0.2.1"])]) =>
    createZoneSync({
      ...{ provider: providerAt(powerDns, more), domain: "example.org", owner: "prod-eu", policy: "Sync", now: () => 0 },
      relistAfter: 0,
    }).sync({ desired: sets, epoch: 1, signal });

  test("a key that it does not know", async () => {
    await expect(syncWith({ apiKey: "another" })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("Give the value of its setting api-key."),
    });
  });

  test("a zone that it does not have", async () => {
    await expect(syncWith({ domain: "example.net" })).rejects.toMatchObject({
      code: "zone-missing",
      message: expect.stringContaining("Make the zone there"),
    });
  });

  test("a zone that it has as a copy", async () => {
    await powerDns.call("POST", "/zones", { name: "example.com.", kind: "Slave", masters: ["127.0.0.1"], nameservers: [] });
    await expect(syncWith({ domain: "example.com" })).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("Name the server that the copy is taken from."),
    });
  });

  test("data that it does not take, and then everything else is made", async () => {
    const bad = [desired("good.example.org", ["192.0.2.1"]), desired("bad.example.org", ["192.0.2"])];
    const told = { refusal: { code: "refused", message: expect.stringContaining("bad.example.org") }, batches: 1 };
    expect(await syncWith({}, NEVER, bad)).toMatchObject(told);
    expect(await lookUp(powerDns, "good.example.org", "A")).toBeDefined();
  });

  test("LUA records that it would not answer", async () => {
    const lua = desired("lua.example.org", [`A ";return {'192.0.2.1',} "`], "LUA");
    expect(await syncWith({ lua: "Server" }, NEVER, [lua])).toMatchObject({
      refusal: { code: "refused", message: expect.stringContaining("Set enable-lua-records=yes") },
    });
    expect(await providerAt(powerDns, { lua: "Server" }).checkSetup(NEVER)).toMatchObject([{ isFatal: true }, { isFatal: true }]);
    // The API neither shows nor sets the metadata that would enable them for the zone alone.
    await expect(powerDns.call("GET", "/zones/example.org./metadata/ENABLE-LUA-RECORDS")).rejects.toThrow(/4\d\d/);
  });

  test("somebody's record that is switched off is left alone, and ours is switched on again", async () => {
    const off = { content: "192.0.2.50", disabled: true };
    const rrset = { name: "off.example.org.", type: "A", ttl: 30, changetype: "REPLACE", records: [off] };
    await powerDns.call("PATCH", "/zones/example.org.", { rrsets: [rrset] });
    const refused = await syncWith({}, NEVER, [desired("off.example.org", ["192.0.2.1"]), desired("on.example.org", ["192.0.2.1"])]);
    expect(refused).toMatchObject({ plan: { conflicts: [{ name: "off.example.org", reason: "Foreign" }] } });
    const ours = { ...rrset, name: "on.example.org.", records: [{ content: "192.0.2.1", disabled: true }] };
    await powerDns.call("PATCH", "/zones/example.org.", { rrsets: [ours] });
    expect(await syncWith({}, NEVER, [desired("on.example.org", ["192.0.2.1"])])).toMatchObject({ batches: 1 });
    expect(await providerAt(powerDns).list(NEVER)).toContainEqual({ name: "on.example.org", type: "A", ttl: 30, values: ["192.0.2.1"] });
  });

  test("silence", async () => {
    await powerDns.pause();
    try {
      await expect(syncWith({}, AbortSignal.timeout(500))).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringContaining("no answer in time"),
      });
    } finally {
      powerDns.resume();
    }
    expect(await syncWith({})).toMatchObject({ kind: "Synced" });
  });

  test("nobody there", async () => {
    await powerDns.stop();
    await expect(syncWith({})).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("webserver-allow-from") });
  });
});

const STORIES = Number(process.env.GLOBALROUTE_STORIES ?? 150);

describe.skipIf(!isHere)("two writers of one zone at PowerDNS, paused and resumed at every await point", () => {
  let powerDns: PowerDns;
  beforeAll(async () => {
    powerDns = await startPowerDns();
  });
  afterAll(() => powerDns?.stop());

  // It compares nothing, so an older writer's PATCH that was under way may be made after a newer one's; never is a name without addresses.
  test(`${STORIES} stories: never empty, and what got older or mixed is repaired by the next sync`, {
    timeout: 60_000 + 1000 * STORIES,
  }, async () => {
    const provider = providerAt(powerDns);
    const seen = new Map<string, number>();
    for (let told = 0; told < STORIES; told++) {
      const random = seededRandom(told);
      const base = 10 * (told + 1);
      const broken = await twoWriters({
        provider: (scheduler) =>
          providerAt(powerDns, {
            exchange: (...call) =>
              scheduler.travel(
                () => exchange(...call),
                () => new Error("given up"),
              ),
          }),
        look: () => provider.list(NEVER),
        roll: (below) => Math.floor(random() * below),
        base,
      });
      seen.set(broken?.rule ?? "none", (seen.get(broken?.rule ?? "none") ?? 0) + 1);
      expect(["older", "mixed", undefined], `seed ${told}: ${broken?.what}`).toContain(broken?.rule);
      const sets = await provider.list(NEVER);
      const last = base + 6; // the version that the new writer's last sync wrote
      const values = (name: string) => sets.find((set) => set.name === name && set.type === "A")?.values;
      const address = [`198.18.${last >> 8}.${last & 255}`];
      expect([values("shop.example.org"), values("cart.example.org")], `seed ${told}`).toEqual([
        address,
        last % 3 === 0 ? undefined : address,
      ]);
    }
    process.stderr.write(`${STORIES} stories of two writers: ${[...seen].map(([rule, count]) => `${rule} ${count}`).join(", ")}\n`);
    expect(seen.get("none") ?? 0).toBeGreaterThan(STORIES / 2);
  });
});
