/** Ten thousand RRsets over forty addresses at Route 53: within which API budget they get there, and that losing a cluster needs no write. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { nativeZone } from "../../../dns-providers/native/native-zone.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import type { Cluster, Inventory, Route } from "../../../src/model/inventory.ts";
import { type RoutingTable, Standing } from "../../../src/routing/table.ts";
import { answer } from "../../support/providers/route53/answer.ts";
import { type Route53Emulator, startRoute53Emulator } from "../../support/providers/route53/server.ts";
import { hashOf, route53Client, route53ProviderOf } from "../../support/providers/route53-zone.ts";
import { testBackend, testCluster, testRoute } from "../../support/world/build-route.ts";
import { compileTestTable, everythingUsable } from "../../support/world/compile-test-world.ts";

const CLUSTERS = 20;
const [ROUTES, HOSTS] = [200, 50] as const;
const NEVER = new AbortController().signal;
/** Registry records, helpers and the fence: what has to be asked of AWS besides. */
const QUOTA = 21_000;
/** AWS publishes no size of the bucket of changes; everything else is as documented. */
const CHANGES = { burst: 5000, perSecond: 2000 };

const clusters: readonly Cluster[] = Array.from({ length: CLUSTERS }, (_, i) => {
  const location = { latitude: -45 + 5 * i, longitude: -170 + 17 * i, country: "US", continent: "NA", label: `site ${i}` };
  return testCluster(`cluster-${i}`, { location });
});
const routes: readonly Route[] = Array.from({ length: ROUTES }, (_, i) => {
  const backends = clusters.map(({ name }, c) => testBackend(name, 0, { addresses: [`20.0.${c}.1`, `20.0.${c}.2`] }));
  const route = testRoute(backends, {
    name: `route-${i}`,
    hosts: Array.from({ length: HOSTS }, (_, h) => `h${h}.r${i}.example.org`),
    answers: 2,
  });
  const probe = { ...route.health.probe, type: "HTTP", scheme: "HTTPS", port: 443, host: "health.example.org", path: "/healthz" } as const;
  const order = (["Nearest", "Nearest", "Weighted", "Priority"] as const)[i % 4]!;
  return { ...route, order, health: { ...route.health, probe: { ...probe, expect: { status: [{ from: 200, to: 399 }] } } } };
});
const inventory: Inventory = { routes, clusters, zones: [], overrides: [] };

const desired = (table: RoutingTable) =>
  nativeZone({
    ...{ table, routes, clusters, isInZone: () => true, scope: { domain: "example.org", owner: "prod-eu" }, digest: hashOf },
    aliasZone: () => undefined,
  });
const timed = async <T>(work: () => Promise<T> | T): Promise<{ readonly value: T; readonly ms: number }> => {
  const start = performance.now();
  const value = await work();
  return { value, ms: Math.round(performance.now() - start) };
};

let emulator: Route53Emulator;
beforeAll(async () => {
  emulator = await startRoute53Emulator({ quotas: { recordSetsPerZone: QUOTA }, rates: { changes: CHANGES } });
  emulator.knobs.isThrottling = true;
});
afterAll(() => emulator?.close());

test("get there within the budget, stay there without a write, and leave a cluster without one", { timeout: 120_000 }, async () => {
  const { table } = compileTestTable(inventory, []);
  everythingUsable(table);
  const zone = emulator.addZone("example.org.");
  const client = route53Client(emulator.url);
  const syncOf = () =>
    createZoneSync({
      ...{ provider: route53ProviderOf(client, zone), domain: "example.org", owner: "prod-eu", policy: "Sync", now: () => 0 },
    });
  const sync = syncOf();
  const drawn = await timed(() => desired(table));
  const first = await timed(() => sync.sync({ desired: drawn.value, epoch: 1, signal: NEVER }));
  expect(first.value).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
  const count = emulator.zone(zone)!.sets.length;
  const hosts = emulator.zone(zone)!.sets.filter(({ name, type }) => type === "A" && !name.includes("_globalroute"));
  expect(hosts).toHaveLength(ROUTES * HOSTS);
  expect(emulator.healthChecks()).toHaveLength(2 * CLUSTERS);
  const requests = emulator.requests();
  const throttled = emulator.log.filter(({ code }) => code === "Throttling").length;
  const batches = emulator.requests("ChangeResourceRecordSets");

  emulator.forget();
  const steady = await timed(() => sync.sync({ desired: desired(table), epoch: 1, signal: NEVER }));
  expect(steady.value).toMatchObject({ batches: 0 });
  const relisted = await timed(() => syncOf().sync({ desired: desired(table), epoch: 1, signal: NEVER }));
  expect(relisted.value).toMatchObject({ batches: 0 });
  expect(emulator.writes()).toBe(0);

  // The cluster that serves a client near it fails: for Route 53's checkers, and for our own judgement.
  const client7 = { address: "9.9.9.9", latitude: -45 + 5 * 7 + 1, longitude: -170 + 17 * 7 + 4 };
  const ask = (): readonly string[] => {
    const { name, sets } = emulator.zone(zone)!;
    const world = { zoneId: zone, zoneName: name, sets, unhealthy: emulator.unhealthy(), random: Math.random };
    const got = answer(world, { name: "h0.r0.example.org.", type: "A" }, client7);
    return got.kind === "Records" ? [...got.values].sort() : [];
  };
  expect(ask()).toEqual(["20.0.7.1", "20.0.7.2"]);
  for (const { id, config } of emulator.healthChecks()) if (config.ipAddress?.startsWith("20.0.7.")) emulator.setEndpointHealth(id, false);
  table.names.backends.forEach(({ cluster }, backend) => {
    if (cluster === 7) table.state.standing[2 * backend] = Standing.Unhealthy;
  });
  expect(await sync.sync({ desired: desired(table), epoch: 1, signal: NEVER })).toMatchObject({ batches: 0 });
  expect(emulator.writes()).toBe(0);
  expect(ask()).toEqual(["20.0.8.1", "20.0.8.2"]);
  process.stderr.write(
    `${ROUTES * HOSTS} RRsets, ${2 * CLUSTERS} addresses: ${count} record sets with ours beside them; drawn in ${drawn.ms} ms; ` +
      `first sync ${batches} batches of ${requests} requests (${throttled} throttled), ${first.ms} ms at the API's pace; ` +
      `steady 0 writes, ${steady.ms} ms (${relisted.ms} ms with a new listing); one cluster lost: 0 writes\n`,
  );
  client.destroy();
});
