/** Thousands of clients at a real HAProxy, told of by a trusted proxy in front of it: each is sent where `explain` says. */
import { describe, expect, test } from "vitest";
import { parsePrefix } from "../../../src/model/ip.ts";
import { decide } from "../../../src/routing/decide.ts";
import { Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { startHaproxy, startUpstream } from "../../support/haproxy/haproxy-world.ts";
import { send } from "../../support/haproxy/http-load.ts";
import { ruledWorld } from "../../support/haproxy/ruled-world.ts";
import { seededRandom } from "../../support/random.ts";
import { testBackend, testInventory, testRoute, testRule } from "../../support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../support/world/compile-test-world.ts";

const NAMES = ["frankfurt", "virginia", "tokyo"];
const WEIGHTS = [50, 30, 20];
/** Where the proxy stands: rules name its clients' countries, never its own. */
const HOME = { country: "IE", continent: "EU", latitude: 53.2, longitude: -6.9 };
const RULES = [
  testRule("residency", "Require", { countries: ["DE"] }, ["frankfurt"]),
  testRule("office", "Prefer", { subnets: ["198.51.100.40/29", "203.0.113.128/26", "2001:db8:2aa::/48"] }, ["tokyo"]),
  testRule("east", "Require", { countries: ["JP"] }, ["tokyo", "virginia"]),
  testRule("unknown", "Prefer", { countries: ["BR"] }, ["virginia"], "Apply"),
];
const HOSTS = { ruled: "ruled.example.org", shared: "shared.example.org", sticky: "sticky.example.org" };

async function scene() {
  const upstreamPort = await freePort();
  const upstreams = await Promise.all(NAMES.map((name, i) => startUpstream(name, `127.0.0.${11 + i}`, upstreamPort)));
  const backends = upstreams.map(({ name, address }, i) => testBackend(name, 0, { addresses: [address], weight: WEIGHTS[i]! }));
  const plain = testRoute(backends);
  const routes = [
    { ...plain, order: "Priority" as const, rules: RULES },
    { ...plain, order: "Weighted" as const },
    { ...plain, order: "Weighted" as const, sticky: "ClientSubnet" as const },
  ].map((route, i) => {
    const name = Object.keys(HOSTS)[i]!;
    const probe = { ...route.health.probe, port: upstreamPort };
    return { ...route, name, hosts: [`${name}.example.org`], health: { ...route.health, probe } };
  });
  const inventory = testInventory(routes);
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const world = () => ruledWorld(inventory, table, measures, HOME);
  const haproxy = await startHaproxy(world(), { trustedHops: 1 });
  /** A cluster's standing for all routes, as the engine would set it. */
  const stand = async (name: string, standing: Standing): Promise<void> => {
    routes.forEach((_, route) => {
      const row = 2 * (table.hot.routeBackends[route]! + NAMES.indexOf(name));
      table.state.standing[row] = standing;
      table.state.addressStanding[table.hot.backendAddresses[row]!] = standing;
    });
    await haproxy.bring(world());
  };
  /** Names of clusters, or statuses, in the order of clients; a hundred at a time. */
  const ask = async (host: string, clients: readonly string[]): Promise<readonly string[]> => {
    const told: string[] = [];
    for (let i = 0; i < clients.length; i += 100) {
      const answers = clients.slice(i, i + 100).map(async (client) => {
        // what a client says of itself stands before what the proxy in front has added
        const { status, body } = await send(haproxy.port, {
          method: "GET",
          host,
          headers: { "x-forwarded-for": `198.51.100.1, ${client}` },
        });
        return status === 200 ? body : String(status);
      });
      told.push(...(await Promise.all(answers)));
    }
    return told;
  };
  const explained = (client: string): string => decide(table, 0, parsePrefix(client)!, 0, 0.5, Date.now()).clusters.join();
  return { upstreams, haproxy, stand, ask, explained };
}

/** All of the networks that rules or the geo data speak of, and addresses of nowhere. */
function manyClients(count: number): readonly string[] {
  const random = seededRandom(7);
  const below = (n: number): number => Math.floor(random() * n);
  const heads = ["2001:db8:0", "2001:db8:100", "2001:db8:2aa", "2001:db8:2ab", "2001:db8:300", "2001:db8:400", "2001:db9:0"];
  return Array.from({ length: count }, (_, i) =>
    i % 4 === 3
      ? `${heads[below(heads.length)]}:${below(65_536).toString(16)}::${(1 + below(60_000)).toString(16)}`
      : i % 4 === 2
        ? `203.0.113.${below(256)}`
        : `198.51.100.${below(256)}`,
  );
}

/** A client in each of so many /24 networks. */
const networksOf = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `100.${64 + (i >> 8)}.${i & 255}.7`);

const tally = (told: readonly string[]): readonly number[] => NAMES.map((name) => told.filter((one) => one === name).length);

describe.skipIf(!requireComponent("haproxy", "haproxy"))("HAProxy and many clients", () => {
  test("3,000 clients of countries and networks that rules name are sent where explain says", async () => {
    const { ask, explained, stand } = await scene();
    const clients = manyClients(3_000);
    const wrong = async () => {
      const told = await ask(HOSTS.ruled, clients);
      return clients.filter((client, i) => told[i] !== explained(client)).map((client) => `${client} ${explained(client)}`);
    };
    expect(tally(clients.map(explained)).every((count) => count > 100)).toBe(true);
    expect(await wrong()).toEqual([]);
    await stand("virginia", Standing.Unhealthy);
    expect(await wrong()).toEqual([]);
  });

  test("a Require rule is never left: neither while the cluster is dead and unknown to be, nor once it is cordoned", async () => {
    const { upstreams, ask, explained, stand } = await scene();
    const clients = manyClients(3_000).filter((client) => explained(client) === "frankfurt" && client.startsWith("198.51.100."));
    const bound = clients.filter((client) => Number(client.split(".")[3]) < 32); // Germany's
    expect(bound.length).toBeGreaterThan(100);
    const statuses = async () => [...new Set(await ask(HOSTS.ruled, bound))];
    upstreams[0]!.signal("SIGKILL");
    expect(await statuses()).toEqual(["503"]);
    await stand("frankfurt", Standing.Unhealthy);
    expect(await statuses()).toEqual(["503"]);
    await stand("frankfurt", Standing.Excluded);
    expect(await statuses()).toEqual(["503"]);
    expect(new Set(await ask(HOSTS.ruled, ["198.51.100.70", "198.51.100.130"]))).toEqual(new Set(["virginia"]));
    const reached = upstreams.slice(1).flatMap(({ seen }) => seen);
    expect(reached.length).toBe(2);
  });

  test("shares of a weighted tier are within three standard deviations, also once one of it is out", async () => {
    const { ask, stand } = await scene();
    const within = async (weights: readonly number[]) => {
      const told = tally(await ask(HOSTS.shared, networksOf(3_000)));
      const whole = weights.reduce((sum, weight) => sum + weight);
      console.log(`shares of 3,000 requests for weights ${weights.join(", ")}: ${told.join(", ")}`);
      weights.forEach((weight, i) => {
        const share = weight / whole;
        expect(Math.abs(told[i]! - 3_000 * share)).toBeLessThanOrEqual(3 * Math.sqrt(3_000 * share * (1 - share)));
      });
    };
    await within(WEIGHTS);
    await stand("virginia", Standing.Unhealthy);
    await within([50, 0, 20]);
  });

  test("sticky clients stay over a reload and a restart; when a cluster leaves only its own move, and they return", async () => {
    const { haproxy, ask, stand } = await scene();
    const clients = networksOf(2_000);
    const before = await ask(HOSTS.sticky, clients);
    const neighbours = clients.map((client) => client.replace(/7$/, "200"));
    expect(await ask(HOSTS.sticky, neighbours)).toEqual(before); // of the same /24
    await haproxy.reload();
    expect(await ask(HOSTS.sticky, clients)).toEqual(before);
    await haproxy.kill();
    await haproxy.start();
    expect(await ask(HOSTS.sticky, clients)).toEqual(before);
    await stand("virginia", Standing.Unhealthy);
    const without = await ask(HOSTS.sticky, clients);
    const moved = clients.filter((_, i) => without[i] !== before[i]);
    const own = clients.filter((_, i) => before[i] === "virginia");
    console.log(
      `sticky shares for weights ${WEIGHTS.join(", ")}: ${tally(before)
        .map((count) => (count / 20).toFixed(1))
        .join(", ")} %; ${moved.length} of ${clients.length} clients moved when one that had ${own.length} left`,
    );
    expect(moved).toEqual(own);
    expect(without.includes("virginia")).toBe(false);
    await stand("virginia", Standing.Usable);
    expect(await ask(HOSTS.sticky, clients)).toEqual(before);
    // Shares of a ring are rough: a few points of a server are few.
    for (const [i, count] of tally(before).entries()) expect(Math.abs(count / 2_000 - WEIGHTS[i]! / 100)).toBeLessThan(0.06);
  });

  test("who is not behind the proxy in front is who connects, whatever X-Forwarded-For says; clusters see the whole list", async () => {
    const { haproxy, upstreams } = await scene();
    const told = async (list: string | undefined) =>
      (await send(haproxy.port, { method: "GET", host: HOSTS.ruled, headers: list === undefined ? {} : { "x-forwarded-for": list } })).body;
    expect(await told("198.51.100.1")).toBe("frankfurt"); // Germany
    expect(await told("198.51.100.1, 198.51.100.97")).toBe("virginia"); // Japan, and it is the last that counts
    expect(await told("198.51.100.97, nobody")).toBe(await told(undefined));
    expect(upstreams.flatMap(({ seen }) => seen).length).toBe(4);
  });
});
