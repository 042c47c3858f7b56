import { describe, expect, test } from "vitest";
import { DEGRADED_REASONS } from "../../../observe/metric-readings.ts";
import { explainSteps } from "./explain-steps.ts";
import { ago, clockTime, list, people, percent, rate } from "./format.ts";
import { formatHash, parseHash, type View } from "./hash-route.ts";
import { describeReason, knownReasons } from "./reasons.ts";
import { filterRoutes, type RouteRow, routeKeyOf } from "./route-filter.ts";
import type { Explanation } from "./types.ts";
import { rowWindow } from "./virtual-rows.ts";

test.each([
  [percent(0), "0 %"],
  [percent(0.0004), "< 0.1 %"],
  [percent(0.0421), "4.2 %"],
  [percent(0.04), "4 %"],
  [percent(0.376), "38 %"],
  [percent(1), "100 %"],
  [rate(0), "0/s"],
  [rate(0.44), "0.4/s"],
  [rate(12.6), "13/s"],
  [rate(3400), "3.4k/s"],
  [rate(2_500_000), "2.5M/s"],
  [people(1_400_000_000), "1.4 bn"],
  [people(83_200_000), "83 M"],
  [people(12_300), "12 k"],
  [ago(0, 1000), "just now"],
  [ago(0, 42_000), "42 s ago"],
  [ago(0, 180_000), "3 min ago"],
  [ago(0, 18_000_000), "5 h ago"],
  [ago(0, 172_800_000), "2 d ago"],
  [ago(5000, 0), "just now"],
  [list([], 3), ""],
  [list(["a"], 3), "a"],
  [list(["a", "b"], 3), "a and b"],
  [list(["a", "b", "c", "d", "e"], 3), "a, b, c and 2 more"],
])("%s", (is, wanted) => expect(is).toBe(wanted));

test("a time of another day has its day", () => {
  const noon = new Date(2026, 10, 21, 12, 3, 4).getTime();
  expect(clockTime(noon, noon + 60_000)).toBe("12:03:04");
  expect(clockTime(noon, noon + 86_400_000)).toBe("2026-11-21 12:03:04");
});

describe("the address of a view", () => {
  const views: readonly View[] = [
    { name: "map" },
    { name: "routes" },
    { name: "clusters" },
    { name: "proxies" },
    { name: "timeline" },
    { name: "route", key: "default/shop" },
  ];
  test.each(views)("leads back to it: $name", (view) => expect(parseHash(formatHash(view))).toEqual(view));
  test.each(["", "#", "#/", "#/nonsense", "#/routes/only-one", "#/routes/a/b/c"])("an unknown one is not an error: %s", (hash) =>
    expect(["map", "routes"]).toContain(parseHash(hash).name),
  );
  test("a lone percent sign is no reason to fail", () => expect(parseHash("#/routes/a/%zz")).toEqual({ name: "route", key: "a/%zz" }));
});

test("every reason that the server can give is told with a remedy; others are told as they are", () => {
  expect([...knownReasons].sort()).toEqual([...DEGRADED_REASONS].sort());
  for (const reason of knownReasons) expect(describeReason(reason).remedy).toMatch(/\w/);
  expect(describeReason("brand-new").fact).toContain("brand-new");
});

const row = (name: string, more: Partial<RouteRow> = {}): RouteRow => ({
  namespace: "default",
  name,
  hosts: [`${name}.example.org`],
  order: "Nearest",
  backends: 3,
  usable: 3,
  servedBy: [{ cluster: "eu-west", population: 1 }],
  serving: 1,
  lastFailover: null,
  ...more,
});

describe("searching routes", () => {
  const routes = [
    row("shop"),
    row("api", { order: "Weighted", usable: 2 }),
    row("old", { usable: 0, servedBy: [{ cluster: "us-east", population: 1 }] }),
    row("moved", { lastFailover: { from: "a", to: "b", at: "2026-11-21T12:00:00Z", reason: "refused" } }),
  ];
  test.each([
    { search: "", finds: ["shop", "api", "old", "moved"] },
    { search: "  SHOP ", finds: ["shop"] },
    { search: "api.example", finds: ["api"] },
    { search: "us-east", finds: ["old"] },
    { search: "weighted default/", finds: ["api"] },
    { search: "is:degraded", finds: ["api", "old"] },
    { search: "is:down", finds: ["old"] },
    { search: "is:moved", finds: ["moved"] },
    { search: "is:degraded shop", finds: [] },
  ])("$search", ({ search, finds }) => expect(filterRoutes(routes, search).map(({ name }) => name)).toEqual(finds));
  test("keys", () => expect(routeKeyOf(routes[0]!)).toBe("default/shop"));
});

describe("rows in sight", () => {
  test.each([
    { name: "at the top", top: 0, first: 0, end: 18 },
    { name: "in the middle", top: 5000, first: 92, end: 118 },
    { name: "at the end", top: 24_500, first: 482, end: 500 },
    { name: "beyond the end, as when a search made the list short", top: 99_999, first: 492, end: 500 },
  ])("$name", ({ top, first, end }) => {
    const window = rowWindow(500, 50, top, 500);
    expect([window.first, window.end]).toEqual([first, end]);
    expect(window.before + (window.end - window.first) * 50 + window.after).toBe(500 * 50);
  });
  test("of nothing", () => expect(rowWindow(0, 50, 0, 500)).toEqual({ first: 0, end: 0, before: 0, after: 0 }));
});

describe("an explanation in steps", () => {
  const explanation: Explanation = {
    client: "192.0.2.0/24",
    host: "shop.example.org",
    route: "default/shop",
    family: "A",
    place: { known: true, continent: "EU", country: "DE", latitude: 51, longitude: 9.8 },
    rules: [{ name: "gdpr", mode: "Require", why: "country DE is in set eu" }],
    rule: "gdpr",
    tier: 1,
    mode: "Usable",
    shares: { "eu-west": 0.75, "eu-central": 0.25 },
    scopePrefixLength: 24,
    ttl: 30,
    clusters: ["eu-west"],
    addresses: ["192.0.2.1"],
    candidates: [],
    notes: [],
  };
  const text = (more: Partial<Explanation> = {}): string =>
    explainSteps({ ...explanation, ...more })
      .map((step) => `${step.title}: ${step.text}`)
      .join("\n");

  test("tells place, rules, tier, shares and answer", () => {
    expect(text().split("\n")).toEqual([
      "Place: 192.0.2.0/24 is in DE near 51, 9.8.",
      "Rules: gdpr (Require): country DE is in set eu.",
      "Tier: Tier 1 serves. A backend in service answers.",
      "Share: eu-west 75 %, eu-central 25 % of this client's answers.",
      "Answer: 192.0.2.1 in eu-west, for 30 s, for every client in the same /24.",
    ]);
  });
  test("says when nobody knows the place, no rule applies, and nobody may answer", () => {
    const { shares: _, ...sticky } = explanation;
    expect(text({ place: { known: false }, rules: [] })).toMatch(/Nobody knows where .*\n.*every backend is allowed/);
    expect(text({ tier: null, mode: "Nothing", addresses: [], clusters: [] })).toMatch(
      /No tier can serve\.\nOutcome: .*SERVFAIL[\s\S]*No address\./,
    );
    expect(text({ mode: "FailOpenUnhealthy" })).toContain("fail-open");
    expect(explainSteps({ ...sticky, slot: 7 }).find(({ title }) => title === "Share")?.text).toContain("Slot 7");
  });
});
