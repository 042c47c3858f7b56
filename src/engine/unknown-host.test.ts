import { expect, test } from "vitest";
import { testBackend, testRoute } from "../../test/support/world/build-route.ts";
import { unknownHost } from "./unknown-host.ts";

const HOSTS = ["shop.example.org", "api.example.org", "www.example.net"];
const inventory = (hosts: readonly string[]) => ({ routes: hosts.map((host) => testRoute([testBackend("dublin", 1)], { hosts: [host] })) });

test.each([
  { name: "shp.example.org", meant: "shop.example.org" },
  { name: "shop.exmaple.org", meant: "shop.example.org" },
  { name: "shop.example.com", meant: "shop.example.org" },
  { name: "ww.example.net", meant: "www.example.net" },
  { name: "other.example.org", meant: undefined },
  { name: "example.org", meant: undefined },
  { name: "localhost", meant: undefined },
])("$name: meant is $meant", ({ name, meant }) => {
  const hint = meant === undefined ? "" : `Did you mean ${meant}? `;
  expect(unknownHost(name, inventory(HOSTS))).toBe(`No route has the host ${name}. ${hint}Hosts are: ${HOSTS.join(", ")}.`);
});

test("one host, many hosts, none", () => {
  expect(unknownHost("x.test", inventory(["a.example.org"]))).toBe("No route has the host x.test. The only host is: a.example.org.");
  const many = Array.from({ length: 12 }, (_, i) => `h${i}.example.org`);
  expect(unknownHost("x.test", inventory(many))).toMatch(/h8\.example\.org, h9\.example\.org, and 2 others\.$/);
  expect(unknownHost("x.test", inventory([]))).toBe("No route has the host x.test. There are no routes: write a GlobalRoute.");
});
