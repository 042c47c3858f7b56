import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { seconds } from "../model/units.ts";
import { createEndpointIndexer, indexEndpoints } from "./endpoints.ts";

const shop = testRoute([testBackend("dublin", 1), testBackend("tokyo", 2)], { name: "shop", hosts: ["shop.example.org"] });
const blog = testRoute([testBackend("dublin", 1), testBackend("tokyo", 3)], { name: "blog", hosts: ["blog.example.org"] });
const slower = { ...blog, ttl: { min: seconds(7), max: seconds(7) } };
const moved = { ...blog, backends: [testBackend("dublin", 1), testBackend("tokyo", 4)] };

test("one index after another gives what the first would give", () => {
  const index = createEndpointIndexer();
  for (const routes of [[shop, blog], [shop, slower], [shop, moved], [moved, shop], [blog], []]) {
    const inventory = testInventory(routes);
    const [next, fresh] = [index(inventory), indexEndpoints(inventory)];
    expect([...next.endpoints]).toEqual([...fresh.endpoints]);
    expect(next.routes.map(({ units, keys }) => ({ units, keys }))).toEqual(fresh.routes.map(({ units, keys }) => ({ units, keys })));
  }
});

test("endpoints that stay are the same value, and so are all of them together", () => {
  const index = createEndpointIndexer();
  const before = index(testInventory([shop, blog])).endpoints;
  expect(index(testInventory([shop, slower])).endpoints).toBe(before);
  expect(
    index(testInventory([shop, { ...slower, backends: slower.backends.map((backend) => ({ ...backend, weight: 3 })) }])).endpoints,
  ).toBe(before);
  const other = index(testInventory([shop, moved])).endpoints;
  expect([...other.values()].filter((endpoint) => before.get(endpoint.key) === endpoint)).toHaveLength(4);
  expect(other.size).toBe(6);
});

test("an address that goes to another cluster is another endpoint", () => {
  const index = createEndpointIndexer();
  index(testInventory([shop]));
  const elsewhere = { ...shop, backends: [testBackend("virginia", 1), testBackend("tokyo", 2)] };
  expect([...index(testInventory([elsewhere])).endpoints.values()].map(({ cluster }) => cluster)).toEqual([
    "virginia",
    "virginia",
    "tokyo",
    "tokyo",
  ]);
});
