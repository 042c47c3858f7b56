import { expect, test } from "vitest";
import { route } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { Inventory } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import { createFlattener, flattenInventory } from "./flatten.ts";

/** What a resolver knows of a name: records by family, or the code of its error. */
interface Known {
  readonly a?: readonly string[] | string;
  readonly aaaa?: readonly string[] | string;
  readonly cname?: string;
  readonly ttl?: number;
}

function inventoryOf(addresses: readonly string[], hosts: readonly string[] = ["shop.example.org"]): Inventory {
  const backend = { name: "east", cluster: "east", addresses, weight: 100, priority: 0, bias: 0 };
  return { routes: [route("shop", hosts, [backend])], clusters: [], zones: [], overrides: [] };
}

/** A flattener on a simulated clock whose resolver answers from a table that the test may change. */
function world(known: Record<string, Known>, allow: readonly string[] = []) {
  const clock = createSimulatedClock();
  const asked: string[] = [];
  let changes = 0;
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const records = async (name: string, found: readonly string[] | string | undefined) => {
    if (known[name] === undefined) return fail("ENOTFOUND");
    if (typeof found === "string") return fail(found);
    return found === undefined ? fail("ENODATA") : found.map((address) => ({ address, ttl: known[name]?.ttl ?? 60 }));
  };
  const flattener = createFlattener({
    resolver: {
      resolve4: (name) => {
        asked.push(name);
        return records(name, known[name]?.a);
      },
      resolve6: (name) => records(name, known[name]?.aaaa),
      resolveCname: async (name) => {
        const target = known[name]?.cname;
        return target === undefined ? fail("ENODATA") : [target];
      },
    },
    now: clock.now,
    setTimer: clock.setTimer,
    allow: allow.map((text) => parseNetwork(text)!),
  });
  flattener.onChange(() => changes++);
  const resolved = (inventory: Inventory) => flattener.apply(inventory).routes[0]!.backends[0]!.addresses;
  return { clock, flattener, known, asked, changes: () => changes, resolved };
}

const NAME = "lb.example.net";

test("a host name becomes its addresses; literal ones stay, each once", async () => {
  const { clock, changes, resolved } = world({ [NAME]: { a: ["192.0.2.2", "192.0.2.1"], aaaa: ["2001:DB8::1"] } });
  const inventory = inventoryOf(["192.0.2.9", NAME, "192.0.2.1"]);
  expect(resolved(inventory)).toEqual(["192.0.2.9", "192.0.2.1"]); // nothing is known yet
  await clock.advance(0);
  expect(changes()).toBe(1);
  expect(resolved(inventory)).toEqual(["192.0.2.9", "192.0.2.1", "192.0.2.2", "2001:db8::1"]);
});

const rhythms: readonly { name: string; ttl: number; seconds: number }[] = [
  { name: "at the TTL", ttl: 42, seconds: 42 },
  { name: "no sooner than 5 s", ttl: 0, seconds: 5 },
  { name: "no later than 5 min", ttl: 86_400, seconds: 300 },
];
test.each(rhythms)("refreshes $name", async ({ ttl, seconds }) => {
  const { clock, asked, known, changes, resolved } = world({ [NAME]: { a: ["192.0.2.1"], ttl } });
  resolved(inventoryOf([NAME]));
  await clock.advance(seconds * 1000 - 1);
  expect(asked).toHaveLength(1);
  known[NAME] = { a: ["192.0.2.2"], ttl };
  await clock.advance(1);
  expect(asked).toHaveLength(2);
  await clock.advance(0);
  expect(resolved(inventoryOf([NAME]))).toEqual(["192.0.2.2"]);
  expect(changes()).toBe(2);
});

test("an unchanged answer changes nothing, in whatever order it comes", async () => {
  const { clock, known, changes, resolved } = world({ [NAME]: { a: ["192.0.2.1", "192.0.2.2"] } });
  resolved(inventoryOf([NAME]));
  await clock.advance(60_000);
  known[NAME] = { a: ["192.0.2.2", "192.0.2.1"] };
  await clock.advance(120_000);
  expect(changes()).toBe(1);
});

const failures: readonly { name: string; known: Known | undefined; fault: string }[] = [
  { name: "no answer", known: { a: "ETIMEOUT", aaaa: "ETIMEOUT" }, fault: "unreachable" },
  { name: "no answer for one family", known: { a: "ESERVFAIL", aaaa: ["2001:db8::1"] }, fault: "unreachable" },
  { name: "no such name", known: undefined, fault: "not-found" },
  { name: "a name without addresses", known: {}, fault: "no-address" },
  { name: "only private addresses", known: { a: ["10.0.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254"] }, fault: "forbidden-address" },
  { name: "only private IPv6 addresses", known: { aaaa: ["::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"] }, fault: "forbidden-address" },
  { name: "an alias that leads back to us", known: { a: ["192.0.2.7"], cname: "www.shop.example.org" }, fault: "loop" },
];
test.each(failures)("$name: the last good addresses stay, the retry comes soon and then slower", async ({ known: broken, fault }) => {
  const { clock, known, asked, flattener, changes, resolved } = world({ [NAME]: { a: ["192.0.2.1"] } });
  const inventory = inventoryOf([NAME], ["shop.example.org", "*.shop.example.org"]);
  resolved(inventory);
  await clock.advance(0);
  if (broken === undefined) delete known[NAME];
  else known[NAME] = broken;
  await clock.advance(60_000);
  expect(flattener.status()).toEqual([{ name: NAME, addresses: ["192.0.2.1"], fault, age: 60_000 }]);
  expect(resolved(inventory)).toEqual(["192.0.2.1"]);
  const before = asked.length;
  await clock.advance(600_000); // retries after 5, 10, 20, 40 and then every 60 seconds
  if (fault !== "loop") expect(asked.length - before).toBe(4 + Math.floor((600 - 75) / 60));
  expect(changes()).toBe(1);
  known[NAME] = { a: ["192.0.2.3"] };
  await clock.advance(60_000);
  expect(resolved(inventory)).toEqual(["192.0.2.3"]);
  expect(flattener.status()[0]?.fault).toBeUndefined();
});

test("private addresses in an allowed network are taken, the others beside them are not", async () => {
  const { clock, resolved } = world({ [NAME]: { a: ["10.1.0.1", "10.2.0.1"] } }, ["10.1.0.0/16"]);
  resolved(inventoryOf([NAME]));
  await clock.advance(0);
  expect(resolved(inventoryOf([NAME]))).toEqual(["10.1.0.1"]);
});

const loops: readonly { name: string; target: string; known: Record<string, Known> }[] = [
  { name: "our own host", target: "shop.example.org", known: { "shop.example.org": { a: ["192.0.2.1"] } } },
  { name: "a name below our wildcard", target: "a.b.apps.example.org", known: { "a.b.apps.example.org": { a: ["192.0.2.1"] } } },
  {
    name: "aliases in a circle",
    target: NAME,
    known: { [NAME]: { a: ["192.0.2.1"], cname: "b.example.net" }, "b.example.net": { cname: NAME } },
  },
  { name: "an alias in capitals with a dot", target: NAME, known: { [NAME]: { a: ["192.0.2.1"], cname: "SHOP.example.org." } } },
];
test.each(loops)("$name is a loop and is not resolved", async ({ target, known }) => {
  const { clock, flattener, asked, resolved } = world(known);
  const inventory = inventoryOf([target], ["shop.example.org", "*.apps.example.org"]);
  resolved(inventory);
  await clock.advance(0);
  expect(flattener.status()).toEqual([{ name: target, addresses: [], fault: "loop" }]);
  expect(asked).toEqual([]);
});

test("an alias to somebody else is no loop", async () => {
  const { clock, resolved } = world({ [NAME]: { a: ["192.0.2.1"], cname: "b.example.net" } });
  resolved(inventoryOf([NAME]));
  await clock.advance(0);
  expect(resolved(inventoryOf([NAME]))).toEqual(["192.0.2.1"]);
});

test("names that nobody uses any more are forgotten; after close nothing ticks", async () => {
  const { clock, flattener, asked, resolved } = world({ [NAME]: { a: ["192.0.2.1"] }, "b.example.net": { a: ["192.0.2.2"] } });
  resolved(inventoryOf([NAME]));
  await clock.advance(0);
  resolved(inventoryOf(["b.example.net"]));
  await clock.advance(60_000);
  expect(asked).toEqual([NAME, "b.example.net", "b.example.net"]);
  expect(flattener.status().map(({ name }) => name)).toEqual(["b.example.net"]);
  flattener.close();
  expect(clock.pending()).toBe(0);
});

test("an inventory without host names is returned as it is", () => {
  const inventory = inventoryOf(["192.0.2.1", "2001:db8::1"]);
  expect(flattenInventory(inventory, () => [])).toBe(inventory);
});

test("routes without host names stay the objects that they are, whatever others have", () => {
  const [plain, named] = [inventoryOf(["192.0.2.1"]), inventoryOf([NAME])];
  const inventory = { ...plain, routes: [...plain.routes, ...named.routes] };
  const { routes } = flattenInventory(inventory, () => ["192.0.2.9"]);
  expect(routes[0]).toBe(plain.routes[0]);
  expect(routes[1]?.backends[0]?.addresses).toEqual(["192.0.2.9"]);
});

test("a route is the very same object for as long as its names resolve to what they did", async () => {
  const { clock, flattener, known } = world({ [NAME]: { a: ["192.0.2.1"] } });
  const inventory = inventoryOf([NAME]);
  flattener.apply(inventory);
  await clock.advance(1);
  const [first] = flattener.apply(inventory).routes;
  expect(first?.backends[0]?.addresses).toEqual(["192.0.2.1"]);
  expect(flattener.apply({ ...inventory, routes: [...inventory.routes] }).routes[0]).toBe(first);
  known[NAME] = { a: ["192.0.2.2"] };
  await clock.advance(60_000);
  expect(flattener.apply(inventory).routes[0]?.backends[0]?.addresses).toEqual(["192.0.2.2"]);
  flattener.close();
});
