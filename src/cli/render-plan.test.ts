import { expect, test } from "vitest";
import type { ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";
import { renderApplied, renderPlans } from "./render-plan.ts";

const bare = (_style: unknown, text: string): string => text;
const ZONE: ZonePlan = {
  ...{ zone: "example-org", domain: "example.org", provider: "Route53", owner: "prod-eu", policy: "Sync", fence: { epoch: 3, write: 7 } },
  changes: [
    {
      ...{ action: "Create", name: "near-0-5f3c09d1a2.prod-eu._routes._globalroute.example.org", type: "A", setIdentifier: "eu" },
      after: {
        ...{ ttl: 60, values: ["192.0.2.1"], policy: { kind: "Weighted", weight: 10 } },
        healthCheck: { type: "TCP", address: "192.0.2.1", port: 443, interval: 10, threshold: 3 },
      },
    },
    {
      ...{ action: "Replace", name: "shop.example.org", type: "A", resource: "GlobalRoute/web/shop" },
      before: { ttl: 30, values: ["192.0.2.1"] },
      after: { ttl: 0, values: [], alias: { target: "near-0-5f3c09d1a2.prod-eu._routes._globalroute.example.org", followsHealth: false } },
    },
    { action: "Create", name: "_globalroute.cart.example.org", type: "TXT", after: { ttl: 300, values: ['"heritage=globalroute"'] } },
    {
      action: "Create",
      name: "cart.example.org",
      type: "AAAA",
      resource: "GlobalRoute/web/cart",
      after: { ttl: 30, values: ["2001:db8::1"] },
    },
    { action: "Delete", name: "old.example.org", type: "A", before: { ttl: 30, values: ["192.0.2.9"] } },
  ],
  conflicts: [{ name: "www.example.org", type: "A", reason: "OwnedByAnother", owner: "prod-us", resource: "GlobalRoute/web/www" }],
  held: [{ name: "old.example.org", type: "A" }],
  kept: [],
};
const plans = (...zones: readonly ZonePlan[]): ZonePlans => ({ zones, failures: [], notes: [] });
const NOTHING: ZonePlan = { ...ZONE, changes: [], conflicts: [], held: [] };

test("a plan is what changes, what is not ours, what is held, and a count", () => {
  expect(renderPlans(plans(ZONE), { all: false, saved: "plan.json" }, bare)).toEqual([
    "example-org (example.org, Route53, owner prod-eu, policy Sync):",
    "  ~ shop.example.org A  192.0.2.1, TTL 30 s → alias of near-0-5f3c09d1a2.prod-eu._routes._globalroute.example.org  for GlobalRoute/web/shop",
    "  + cart.example.org AAAA  2001:db8::1, TTL 30 s  for GlobalRoute/web/cart",
    "  - old.example.org A  192.0.2.9, TTL 30 s",
    "    and 2 records of GlobalRoute's own: 2 to create, 0 to replace, 0 to delete (--all shows them)",
    "  ! www.example.org A is not ours and stays as it is: the name belongs to another owner (prod-us), wanted for GlobalRoute/web/www",
    "  held: 1 removal at once wait for `globalroute confirm`, or for `apply` of this plan: old.example.org A",
    "",
    "Saved. Carry it out with: globalroute apply plan.json",
    "Plan: 1 to create, 1 to replace, 1 to delete.",
  ]);
});

test("--all shows helpers and the registry, with policy and health check in words", () => {
  const lines = renderPlans(plans(ZONE), { all: true }, bare);
  expect(lines[1]).toBe(
    "  + near-0-5f3c09d1a2.prod-eu._routes._globalroute.example.org A [eu]  192.0.2.1, TTL 60 s, weight 10, health check TCP 192.0.2.1:443 every 10 s, 3 in a row",
  );
  expect(lines.some((line) => line.includes("--all"))).toBe(false);
  expect(lines.at(-1)).toBe("Plan: 3 to create, 1 to replace, 1 to delete.");
});

test.each([
  {
    name: "a zone that is as it should be",
    of: plans(NOTHING),
    says: "example-org (example.org, Route53, owner prod-eu, policy Sync): no changes",
  },
  { name: "no zone at all", of: plans(), says: "No zone is kept elsewhere: there is nothing to plan." },
  {
    name: "a zone that failed",
    of: { ...plans(), failures: [{ zone: "a", provider: "RFC2136", code: "x", message: "m" }] },
    says: "a (RFC2136): could not be planned",
  },
  { name: "a note", of: { ...plans(NOTHING), notes: ["be warned"] }, says: "note: be warned" },
  {
    name: "what the policy keeps",
    of: plans({ ...NOTHING, policy: "UpsertOnly", kept: [{ name: "old.example.org", type: "A" }] }),
    says: "  kept: wanted no more, and policy UpsertOnly removes nothing: old.example.org A",
  },
  {
    name: "what a delegation waits for",
    of: plans({ ...NOTHING, waiting: [{ child: "apps.example.org", why: "ns1.apps.example.org did not answer within 2 s" }] }),
    says: "  waits: the delegation of apps.example.org: ns1.apps.example.org did not answer within 2 s",
  },
])("$name is told", ({ of, says }) => {
  const lines = renderPlans(of, { all: false }, bare);
  expect(lines).toContain(says);
  expect(lines.at(-1)).toBe("Plan: 0 to create, 0 to replace, 0 to delete.");
});

test("what became of a plan, zone by zone", () => {
  const zones = [
    { zone: "a", outcome: "Applied", changes: 1, message: "" },
    { zone: "b", outcome: "Stale", changes: 0, message: "it differs." },
    { zone: "c", outcome: "Failed", changes: 0, message: "no answer." },
  ] as const;
  expect(renderApplied({ zones }, bare)).toEqual(["a: applied, 1 change", "b: stale: it differs.", "c: failed: no answer."]);
  expect(renderApplied({ zones: [] }, bare)).toEqual(["The plan has no changes: nothing was done."]);
});
