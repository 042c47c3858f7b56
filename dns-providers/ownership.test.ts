import { describe, expect, test } from "vitest";
import { externalDnsClaims, formatOwnership, parseOwnership, registeredName, registryName } from "./ownership.ts";
import { formatText, parseText, type RecordSet } from "./record-set.ts";

describe("where a name's ownership is told", () => {
  test.each([
    ["shop.example.org", "_globalroute.shop.example.org"],
    ["example.org", "_globalroute.example.org"],
    ["*.example.org", "_globalroute._wildcard.example.org"],
  ])("%s: %s", (name, registry) => {
    expect(registryName(name)).toBe(registry);
    expect(registeredName(registry)).toBe(name);
  });
  test("nowhere when there is no room", () => expect(registryName(`${"a".repeat(60)}.`.repeat(4))).toBeUndefined());
  test("other names tell of none", () => expect(registeredName("shop.example.org")).toBeUndefined());
});

test("an ownership is read as it was written, whatever is long in it", () => {
  const long = { owner: "prod-eu", resource: `GlobalRoute/${"n".repeat(63)}/${"r".repeat(253)}`, types: ["A", "AAAA"] };
  const set = formatOwnership("shop.example.org", long);
  expect(set.values[0]!.match(/"[^"]{1,255}"/g)).toHaveLength(2);
  expect(parseOwnership(set)).toEqual(long);
  for (const value of ['"v=spf1 -all"', '"heritage=globalroute,globalroute/owner=us"', "heritage=globalroute", '"unclosed'])
    expect(parseOwnership({ ...set, values: [value] })).toBeUndefined();
  expect(parseOwnership({ ...set, values: [...set.values, ...set.values] })).toBeUndefined();
});

test.each(["", 'a "b" \\c', "x".repeat(600)])("texts come back: %s", (text) => expect(parseText(formatText(text))).toBe(text));

describe("ExternalDNS's registry", () => {
  const txt = (name: string, owner: string): RecordSet => ({
    ...{ name, type: "TXT", ttl: 300 },
    values: [`"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=ingress/web/shop"`],
  });
  test("is read in both forms, the one with the type counts more", () => {
    const claims = externalDnsClaims([txt("a-shop.example.org", "new"), txt("shop.example.org", "old"), txt("cname-x.example.org", "new")]);
    expect([...claims].map(([key, { owner }]) => `${key} ${owner}`).sort()).toEqual([
      "shop.example.org A new",
      "shop.example.org AAAA old",
      "shop.example.org CNAME old",
      "x.example.org CNAME new",
    ]);
  });
});
