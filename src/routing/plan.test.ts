import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import type { Place } from "../geo/geo-table.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Backend, Cluster, Route, Rule } from "../model/inventory.ts";
import { measuresOf } from "./measure.ts";
import { biased, planPlace } from "./plan.ts";
import { policyOf } from "./policy.ts";

const PLACES = {
  berlin: { continent: "EU", country: "DE", latitude: 52.5, longitude: 13.4 },
  seattle: { continent: "NA", country: "US", latitude: 47.6, longitude: -122.3 },
  tokyo: { continent: "AS", country: "JP", latitude: 35.7, longitude: 139.7 },
  atSea: { latitude: 0.1, longitude: 0.1 },
  unknown: {},
} satisfies Record<string, Place>;

/** Dublin, Frankfurt, Virginia, Tokyo, each with weight 100. */
const FOUR = ["dublin", "frankfurt", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
const change = (name: string, more: Partial<Backend>): Backend[] =>
  FOUR.map((backend) => (backend.name === name ? { ...backend, ...more } : backend));

function plan(place: Place, more: Partial<Route> = {}, backends: readonly Backend[] = FOUR, clusters?: readonly Cluster[]) {
  const inventory = testInventory([testRoute(backends, more)], clusters === undefined ? {} : { clusters });
  const policy = policyOf(inventory.routes[0]!, inventory, new Map(inventory.clusters.map(({ name }, i) => [name, i])), new Map());
  const measures = measuresOf(inventory.clusters, newLatencyMap());
  const made = planPlace(policy, place, more.order === "Latency" ? measures.latency : measures.distance);
  return {
    tiers: made.tiers.map((tier) => tier.map((position) => backends[position]!.name).join("+")).join(" "),
    rules: made.applied.map(({ rule }) => rule.name).join(" "),
  };
}

describe("orders", () => {
  const cases: readonly { name: string; place: Place; more?: Partial<Route>; backends?: readonly Backend[]; tiers: string }[] = [
    { name: "Nearest: each candidate its own tier", place: PLACES.berlin, tiers: "frankfurt dublin virginia tokyo" },
    { name: "Nearest from the other side", place: PLACES.seattle, tiers: "virginia dublin tokyo frankfurt" },
    {
      name: "Latency: near enough to Nearest without evidence",
      place: PLACES.tokyo,
      more: { order: "Latency" },
      tiers: "tokyo frankfurt dublin virginia",
    },
    { name: "Weighted: one tier", place: PLACES.berlin, more: { order: "Weighted" }, tiers: "dublin+frankfurt+virginia+tokyo" },
    { name: "Priority: as listed", place: PLACES.berlin, more: { order: "Priority" }, tiers: "dublin frankfurt virginia tokyo" },
    { name: "a client from nowhere is shared by weight", place: PLACES.unknown, tiers: "dublin+frankfurt+virginia+tokyo" },
    { name: "coordinates are enough", place: PLACES.atSea, tiers: "frankfurt dublin virginia tokyo" },
    {
      name: "priorities beat distance",
      place: PLACES.berlin,
      backends: change("tokyo", { priority: -1 }),
      tiers: "tokyo frankfurt dublin virginia",
    },
    {
      name: "a standby comes after all weighted ones of its priority",
      place: PLACES.berlin,
      backends: change("frankfurt", { weight: 0 }),
      tiers: "dublin virginia tokyo frankfurt",
    },
    {
      name: "standbys are one tier",
      place: PLACES.berlin,
      backends: change("frankfurt", { weight: 0 }).map((backend) => (backend.name === "tokyo" ? { ...backend, weight: 0 } : backend)),
      tiers: "dublin virginia frankfurt+tokyo",
    },
    {
      name: "a standby of a better priority comes before weighted ones of a worse",
      place: PLACES.berlin,
      backends: FOUR.map((backend) => ({
        ...backend,
        priority: backend.name === "tokyo" ? 1 : 0,
        weight: backend.name === "dublin" ? 0 : 100,
      })),
      tiers: "frankfurt virginia dublin tokyo",
    },
    {
      name: "all weights 0: ordered as if equal",
      place: PLACES.berlin,
      backends: FOUR.map((backend) => ({ ...backend, weight: 0 })),
      tiers: "frankfurt dublin virginia tokyo",
    },
  ];
  test.each(cases)("$name", ({ place, more, backends, tiers }) => expect(plan(place, more, backends).tiers).toBe(tiers));
});

describe("tolerance", () => {
  // From Berlin: Frankfurt 423 km, Dublin 1,316 km, Virginia 6,703 km, Tokyo 8,921 km.
  const cases: readonly { distanceKm: number; tiers: string }[] = [
    { distanceKm: 800, tiers: "frankfurt dublin virginia tokyo" },
    { distanceKm: 900, tiers: "dublin+frankfurt virginia tokyo" },
    { distanceKm: 2500, tiers: "dublin+frankfurt virginia+tokyo" },
    { distanceKm: 6000, tiers: "dublin+frankfurt virginia+tokyo" }, // Virginia is 6,280 km behind the best
    { distanceKm: 6500, tiers: "dublin+frankfurt+virginia tokyo" },
    { distanceKm: 20_000, tiers: "dublin+frankfurt+virginia+tokyo" },
  ];
  test.each(cases)("within $distanceKm km of the best remaining one", ({ distanceKm, tiers }) => {
    expect(plan(PLACES.berlin, { tolerance: { distanceKm } }).tiers).toBe(tiers);
  });
  test("in milliseconds with Latency", () => {
    expect(plan(PLACES.berlin, { order: "Latency", tolerance: { latencyMs: 20 } }).tiers).toBe("dublin+frankfurt virginia tokyo");
  });
  test("without any, equal ones still share a tier", () => {
    const twins = ["one", "two"].map((name, i) => testBackend(name, i + 1));
    expect(plan(PLACES.berlin, {}, twins, [testCluster("one"), testCluster("two")]).tiers).toBe("one+two");
  });
});

describe("bias", () => {
  test.each([
    { bias: 0, of: 100 },
    { bias: 50, of: 50 },
    { bias: 99, of: 1 },
    { bias: -50, of: 200 },
    { bias: -99, of: 10_000 },
  ])("$bias makes 100 km $of", ({ bias, of }) => expect(biased(100, bias)).toBeCloseTo(of, 6));
  test("above 0 draws clients", () =>
    expect(plan(PLACES.berlin, {}, change("dublin", { bias: 75 })).tiers).toBe("dublin frankfurt virginia tokyo"));
  test("below 0 pushes them away", () =>
    expect(plan(PLACES.berlin, {}, change("frankfurt", { bias: -75 })).tiers).toBe("dublin frankfurt virginia tokyo"));
  test("counts before the tolerance", () => {
    expect(plan(PLACES.berlin, { tolerance: { distanceKm: 300 } }, change("dublin", { bias: 50 })).tiers).toBe(
      "dublin+frankfurt virginia tokyo",
    );
  });
});

describe("rules", () => {
  const eu = ["dublin", "frankfurt"];
  const rules = (...list: readonly Rule[]) => ({ rules: list });
  const require = (name: string, clients: Partial<Rule["clients"]>, to: readonly string[], unknownPlace: Rule["unknownPlace"] = "Skip") =>
    testRule(name, "Require", clients, to, unknownPlace);
  const prefer = (name: string, clients: Partial<Rule["clients"]>, to: readonly string[], unknownPlace: Rule["unknownPlace"] = "Skip") =>
    testRule(name, "Prefer", clients, to, unknownPlace);
  const DE = { countries: ["DE"] };
  const cases: readonly { name: string; place: Place; rules: readonly Rule[]; tiers: string; applied: string }[] = [
    { name: "Require leaves nothing else", place: PLACES.berlin, rules: [require("r", DE, eu)], tiers: "frankfurt dublin", applied: "r" },
    {
      name: "Require is for whom it names",
      place: PLACES.seattle,
      rules: [require("r", DE, eu)],
      tiers: "virginia dublin tokyo frankfurt",
      applied: "",
    },
    {
      name: "all matching Require rules intersect, wherever they stand",
      place: PLACES.berlin,
      rules: [prefer("p", DE, ["tokyo"]), require("r1", DE, eu), require("r2", { continents: ["EU"] }, ["dublin", "tokyo"])],
      tiers: "dublin",
      applied: "r1 r2 p",
    },
    {
      name: "an empty intersection leaves nobody",
      place: PLACES.berlin,
      rules: [require("r1", DE, eu), require("r2", DE, ["tokyo"])],
      tiers: "",
      applied: "r1 r2",
    },
    {
      name: "Require of clusters that the route does not have leaves nobody",
      place: PLACES.berlin,
      rules: [require("r", DE, [])],
      tiers: "",
      applied: "r",
    },
    {
      name: "Prefer puts its clusters first, the others after them",
      place: PLACES.berlin,
      rules: [prefer("p", DE, ["tokyo", "virginia"])],
      tiers: "virginia tokyo frankfurt dublin",
      applied: "p",
    },
    {
      name: "the first matching Prefer counts",
      place: PLACES.berlin,
      rules: [prefer("other", { countries: ["US"] }, ["dublin"]), prefer("p1", DE, ["tokyo"]), prefer("p2", DE, ["virginia"])],
      tiers: "tokyo frankfurt dublin virginia",
      applied: "p1",
    },
    {
      name: "Prefer orders what Require leaves",
      place: PLACES.berlin,
      rules: [prefer("p", DE, ["dublin", "tokyo"]), require("r", DE, eu)],
      tiers: "dublin frankfurt",
      applied: "r p",
    },
    {
      name: "unknown place, Apply: bound",
      place: PLACES.unknown,
      rules: [require("r", DE, eu, "Apply")],
      tiers: "dublin+frankfurt",
      applied: "r",
    },
    {
      name: "unknown place, Skip: free",
      place: PLACES.unknown,
      rules: [require("r", DE, eu, "Skip")],
      tiers: "dublin+frankfurt+virginia+tokyo",
      applied: "",
    },
    {
      name: "unknown place, Prefer and Apply",
      place: PLACES.unknown,
      rules: [prefer("p", DE, ["tokyo"], "Apply")],
      tiers: "tokyo dublin+frankfurt+virginia",
      applied: "p",
    },
    {
      name: "a place that is known and elsewhere is not unknown",
      place: PLACES.tokyo,
      rules: [require("r", DE, eu, "Apply")],
      tiers: "tokyo frankfurt dublin virginia",
      applied: "",
    },
  ];
  test.each(cases)("$name", ({ place, rules: list, tiers, applied }) =>
    expect(plan(place, rules(...list))).toEqual({ tiers, rules: applied }),
  );

  test("Prefer stands above priorities, which stand above order", () => {
    const backends = change("tokyo", { priority: 2 });
    expect(plan(PLACES.berlin, rules(prefer("p", DE, ["tokyo"])), backends).tiers).toBe("tokyo frankfurt dublin virginia");
    expect(plan(PLACES.berlin, rules(prefer("p", DE, ["tokyo", "virginia"])), backends).tiers).toBe("virginia tokyo frankfurt dublin");
  });
});
