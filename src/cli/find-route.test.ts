import { expect, test } from "vitest";
import { createFakeView } from "../../test/support/fake-view.ts";
import { findRoute } from "./find-route.ts";

const [shop] = createFakeView().status().routes;
const route = (namespace: string, name: string, hosts: readonly string[]) => ({ ...shop!, namespace, name, hosts });
const routes = [
  route("web", "shop", ["shop.example.org", "*.shops.example.org"]),
  route("web", "all", ["*.example.org"]),
  route("test", "shop", ["shop.test.example.org"]),
];

test.each([
  ["web/shop", "web/shop"],
  ["all", "web/all"],
  ["shop.example.org", "web/shop"],
  ["SHOP.Example.Org.", "web/shop"],
  ["eu.shops.example.org", "web/shop"],
  ["other.example.org", "web/all"],
  ["*.example.org", "web/all"],
])("%s is %s", (text, found) => {
  const { namespace, name } = findRoute(routes, text);
  expect(`${namespace}/${name}`).toBe(found);
});

test.each([
  ["shop", "shop may be web/shop, test/shop. Write one of them."],
  ["web/shpo", "there is no route and no host web/shpo. Did you mean web/shop? There are web/shop, web/all, test/shop."],
])("%s is none", (text, message) => expect(() => findRoute(routes, text)).toThrow(message));

test("a server without routes says so", () => expect(() => findRoute([], "shop")).toThrow("The server has no routes at all."));
