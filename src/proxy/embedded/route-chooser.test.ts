/** The embedded proxy sends clients where `explain` says. */
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../test/support/random.ts";
import { testBackend, testInventory, testRoute, testRule } from "../../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../../test/support/world/compile-test-world.ts";
import { endpointKey } from "../../model/health.ts";
import type { Probe, Route } from "../../model/inventory.ts";
import { parsePrefix } from "../../model/ip.ts";
import { HTTP_DEFAULTS } from "../../model/to-http.ts";
import { newChoice } from "../../routing/choose.ts";
import { answerShares, decide, placeClient } from "../../routing/decide.ts";
import { Standing } from "../../routing/table.ts";
import { createRouteChooser } from "./route-chooser.ts";

const names = ["frankfurt", "dublin", "virginia", "tokyo"];
const FOUR = names.map((name, i) => testBackend(name, i + 1, { weight: 100 - 20 * i }));

function world(more: Partial<Route> = {}, backends = FOUR, random = seededRandom(1)) {
  const inventory = testInventory([testRoute(backends, more)]);
  const { table } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const chooser = createRouteChooser(random, (address) => address !== FORBIDDEN);
  chooser.adopt(table, inventory.routes);
  return { table, chooser, inventory };
}

type Chooser = ReturnType<typeof createRouteChooser>;

/** In the order in which a request would be tried. */
function candidates(chooser: Chooser, client = "198.51.100.1", host = "shop.example.org") {
  const { first, rest } = chooser.choose(host, client)!.candidates;
  return [...first, ...rest()];
}

/** As a metadata service would be. */
const FORBIDDEN = "192.0.2.99";

const ADDRESS_OF = new Map(FOUR.map(({ addresses, cluster }) => [addresses[0]!, cluster]));

describe("10,000 clients", () => {
  const clients = Array.from({ length: 10_000 }, (_, i) =>
    i % 2 === 0 ? `198.51.100.${(i / 2) % 160}` : `2001:db8:${i % 5}00:${i.toString(16)}::1`,
  );

  test.each<readonly [string, Partial<Route>]>([
    ["the nearest", {}],
    ["sticky, by weight", { order: "Weighted", sticky: "ClientSubnet" }],
    ["rules", { rules: [testRule("eu", "Require", { countries: ["DE"] }, ["dublin"])] }],
  ])("get what explain says: %s", (_, more) => {
    const { table, chooser } = world(more);
    for (const client of clients) {
      const { clusters } = decide(table, 0, parsePrefix(client)!, 0, 0, 0);
      expect(ADDRESS_OF.get(candidates(chooser, client)[0]!.address)).toBe(clusters[0]);
    }
  });

  test("or shares of it, within three sigma", () => {
    const { table, chooser } = world({ order: "Weighted" });
    const counts = new Map<string, number>();
    for (const client of clients) {
      const cluster = ADDRESS_OF.get(candidates(chooser, client)[0]!.address)!;
      counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
    }
    const choice = newChoice();
    placeClient(table, 0, parsePrefix(clients[0]!)!, choice);
    for (const [cluster, share] of answerShares(table, 0, 0, choice).clusters) {
      const sigma = Math.sqrt(clients.length * share * (1 - share));
      expect(Math.abs(counts.get(cluster)! - clients.length * share)).toBeLessThan(3 * sigma);
    }
  });
});

test("whoever is next comes after, and nobody whom a rule excludes", () => {
  const order = (chooser: Chooser) => candidates(chooser).map(({ address }) => ADDRESS_OF.get(address));
  expect(order(world().chooser)).toEqual(["frankfurt", "dublin", "virginia", "tokyo"]);
  const bound = world({ rules: [testRule("eu", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"])] });
  expect(order(bound.chooser)).toEqual(["frankfurt", "dublin"]);
  bound.table.state.standing.fill(Standing.Unhealthy, 0, 2);
  expect(order(bound.chooser)).toEqual(["dublin"]);
});

test("who is next is worked out when it is asked for, and then stays", () => {
  const { table, chooser } = world();
  const asked = chooser.choose("shop.example.org", "198.51.100.1")!.candidates;
  chooser.choose("shop.example.org", "203.0.113.1"); // another request, meanwhile
  table.state.standing.fill(Standing.Unhealthy, 2, 4);
  const order = () => [...asked.first, ...asked.rest()].map(({ address }) => ADDRESS_OF.get(address));
  expect(order()).toEqual(["frankfurt", "virginia", "tokyo"]);
  table.state.standing.fill(Standing.Usable, 2, 4);
  expect(order()).toEqual(["frankfurt", "virginia", "tokyo"]);
});

test("of several addresses those that stand best, in turn", () => {
  const { table, chooser } = world({}, [testBackend("frankfurt", 1, { addresses: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] })]);
  table.state.addressStanding[1] = Standing.Unhealthy;
  const firsts = new Set(
    Array.from({ length: 50 }, () =>
      candidates(chooser)
        .map(({ address }) => address)
        .join(),
    ),
  );
  expect([...firsts].sort()).toEqual(["192.0.2.1,192.0.2.3", "192.0.2.3,192.0.2.1"]);
});

test("nobody is sent where nobody may connect", () => {
  const { chooser } = world({}, [testBackend("frankfurt", 1, { addresses: [FORBIDDEN] }), testBackend("dublin", 2)]);
  expect(candidates(chooser).map(({ address }) => address)).toEqual(["192.0.2.2"]);
});

test("endpoints are spoken to as they are probed", () => {
  const { health } = testRoute(FOUR);
  const first = (probe: Partial<Probe>) => {
    const { chooser } = world({ health: { ...health, probe: { ...health.probe, ...probe } } });
    return candidates(chooser)[0]!;
  };
  const plain = first({});
  const over = first({ scheme: "HTTPS", host: "probe.example.org", port: 443 });
  const anyhow = first({ type: "TLS", scheme: "HTTPS", host: "probe.example.org", port: 443, verify: false });
  expect([plain.tls, over.tls, anyhow.tls]).toEqual([
    undefined,
    { host: "probe.example.org", verify: true },
    { host: "probe.example.org", verify: false },
  ]);
  expect(new Set([plain, over, anyhow].map(({ id }) => id)).size).toBe(3);
});

test("a route's requests under way are counted over tables, and its policy is the newest", () => {
  const { table, chooser, inventory } = world();
  const { route } = chooser.choose("shop.example.org", "198.51.100.1")!;
  route.load.requests = 7;
  const http = { ...HTTP_DEFAULTS, limits: { concurrentRequests: 8 } };
  chooser.adopt(
    table,
    inventory.routes.map((one) => ({ ...one, http })),
  );
  expect([route.policy, chooser.choose("shop.example.org", "198.51.100.1")!.route]).toEqual([
    HTTP_DEFAULTS,
    { policy: http, load: { requests: 7 } },
  ]);
});

test("a host of no route is unknown; before there is a table none is, and has nobody yet", () => {
  const { chooser } = world();
  expect(chooser.choose("other.example.org", "198.51.100.1")).toBeUndefined();
  const early = createRouteChooser(seededRandom(1), () => true);
  expect(early.choose("shop.example.org", "198.51.100.1")?.candidates.first).toEqual([]); // 503, and not 404
});

test("whatever changes who may be asked makes another version: a table, and a change of health", () => {
  const { table, chooser, inventory } = world();
  const versions = [chooser.version()];
  versions.push(chooser.version());
  Atomics.add(table.state.sequence, 0, 1); // as the engine does when it has written a route
  versions.push(chooser.version());
  chooser.adopt(compileTestTable(inventory, [COUNTRY_FILE]).table, inventory.routes);
  versions.push(chooser.version());
  expect(new Set(versions.slice(1)).size).toBe(3);
  expect(versions[1]).toBe(versions[0]);
});

test("an endpoint is the same object for as long as any route has it", () => {
  const { table, chooser, inventory } = world();
  const [before] = candidates(chooser);
  chooser.adopt(table, inventory.routes);
  expect(candidates(chooser)[0]).toBe(before);
});

test("hosts that are probed alike at one address share its endpoint, others have their own; its id is the probe's", () => {
  const shop = testRoute(FOUR);
  const blog = testRoute(FOUR, { name: "blog", hosts: ["blog.example.org"] });
  const other = { ...shop.health, probe: { ...shop.health.probe, host: "docs.example.org" } };
  const docs = testRoute(FOUR, { name: "docs", hosts: ["docs.example.org"], health: other });
  const inventory = testInventory([shop, blog, docs]);
  const { table } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const chooser = createRouteChooser(seededRandom(1), () => true);
  chooser.adopt(table, inventory.routes);
  const first = (host: string) => candidates(chooser, "198.51.100.1", host)[0]!;
  expect(first("blog.example.org")).toBe(first("shop.example.org"));
  expect(first("docs.example.org")).toMatchObject({ address: first("shop.example.org").address, port: shop.health.probe.port });
  expect(first("docs.example.org").id).toBe(endpointKey(first("docs.example.org").address, other.probe, other));
  expect(first("shop.example.org").id).not.toBe(first("docs.example.org").id);
});
