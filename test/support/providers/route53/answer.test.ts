import { describe, expect, test } from "vitest";
import { seededRandom } from "../../random.ts";
import { type Answer, type AnswerWorld, answer, type Client } from "./answer.ts";
import type { RecordContent, RecordSet, RoutingPolicy } from "./record-set.ts";

const ZONE = "Z1";
const CLIENT: Client = { address: "198.51.100.1" };

const to = (...values: readonly string[]): RecordContent => ({ kind: "Values", ttl: 30, values });
const alias = (target: string, evaluateTargetHealth = true, zoneId = ZONE): RecordContent => ({
  kind: "Alias",
  zoneId,
  target,
  evaluateTargetHealth,
});
/** The value is the identifier, and so is the health check. */
const member = (
  setIdentifier: string,
  policy: RoutingPolicy,
  content: RecordContent = to(setIdentifier),
  name = "www.example.org.",
): RecordSet => ({
  ...{ name, type: "A", setIdentifier, policy, content },
  ...(content.kind === "Values" ? { healthCheckId: setIdentifier } : {}),
});
const simple = (name: string, content: RecordContent, type: RecordSet["type"] = "A"): RecordSet => ({
  name,
  type,
  policy: { kind: "Simple" },
  content,
});
const weighted = (id: string, weight: number, name?: string) => member(id, { kind: "Weighted", weight }, to(id), name);

function world(sets: readonly RecordSet[], unhealthy: readonly string[] = [], more: Partial<AnswerWorld> = {}): AnswerWorld {
  return { zoneId: ZONE, zoneName: "example.org", sets, unhealthy: new Set(unhealthy), random: seededRandom(1), ...more };
}
const ask = (of: AnswerWorld, client: Client = CLIENT, name = "www.example.org", type: RecordSet["type"] = "A"): Answer =>
  answer(of, { name, type }, client);
const valuesOf = (found: Answer): readonly string[] => (found.kind === "Records" ? found.values : [found.kind]);
/** How often each came in a thousand answers. */
function shares(of: AnswerWorld, client?: Client): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 1000; i++) for (const value of valuesOf(ask(of, client))) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe("names", () => {
  const sets = [
    simple("www.example.org.", to("a")),
    simple("c.b.example.org.", to("b")),
    simple("\\052.example.org.", to("c")),
    simple("d.example.org.", to("www.example.org."), "CNAME"),
  ];
  test.each([
    { name: "www.example.org", type: "A", found: ["a"] },
    { name: "WWW.example.org.", type: "AAAA", found: ["NoData"] },
    { name: "x.y.example.org", type: "A", found: ["c"] },
    { name: "b.example.org", type: "A", found: ["NoData"] }, // others are below it
    { name: "x.b.example.org", type: "A", found: ["NameError"] }, // its closest encloser has no wildcard
    { name: "www.example.net", type: "A", found: ["NameError"] },
    { name: "d.example.org", type: "A", found: ["www.example.org."] },
  ] as const)("$name $type: $found", ({ name, type, found }) => {
    expect(valuesOf(ask(world(sets), CLIENT, name, type))).toEqual(found);
  });
});

describe("weighted", () => {
  test("by weight, and none for weight 0", () => {
    const { a = 0, b = 0, c = 0 } = shares(world([weighted("a", 3), weighted("b", 1), weighted("c", 0)]));
    expect(a).toBeGreaterThan(700);
    expect(a + b).toBe(1000);
    expect(c).toBe(0);
  });
  test("all 0 is all alike", () => {
    expect(shares(world([weighted("a", 0), weighted("b", 0)])).a).toBeGreaterThan(400);
  });
  test.each([
    { down: ["a"], found: ["b"] },
    { down: ["a", "b"], found: ["c"] }, // weight 0 comes into question
    { down: ["a", "b", "c"], found: ["a", "b"] }, // all count as healthy
  ])("with $down down: $found", ({ down, found }) => {
    expect(Object.keys(shares(world([weighted("a", 1), weighted("b", 1), weighted("c", 0)], down))).sort()).toEqual(found);
  });
});

describe("failover", () => {
  const sets = [member("b", { kind: "Failover", role: "SECONDARY" }), member("a", { kind: "Failover", role: "PRIMARY" })];
  test.each([
    { down: [], found: "a" },
    { down: ["b"], found: "a" },
    { down: ["a"], found: "b" },
    { down: ["a", "b"], found: "a" },
  ])("with $down down: $found", ({ down, found }) => {
    expect(valuesOf(ask(world(sets, down)))).toEqual([found]);
  });
});

describe("geolocation", () => {
  const at = (id: string, place: object) => member(id, { kind: "Geolocation", ...place });
  const sets = [
    at("world", { country: "*" }),
    at("na", { continent: "NA" }),
    at("us", { country: "US" }),
    at("ca", { country: "US", subdivision: "CA" }),
  ];
  const CALIFORNIA = { ...CLIENT, continent: "NA", country: "US", subdivision: "CA" };
  test.each([
    { client: CALIFORNIA, down: [], found: "ca" },
    { client: CALIFORNIA, down: ["ca"], found: "us" },
    { client: CALIFORNIA, down: ["ca", "us"], found: "na" },
    { client: CALIFORNIA, down: ["ca", "us", "na"], found: "world" },
    { client: CALIFORNIA, down: ["ca", "us", "na", "world"], found: "ca" },
    { client: { ...CLIENT, continent: "NA", country: "MX" }, down: [], found: "na" },
    { client: { ...CLIENT, continent: "EU", country: "DE" }, down: [], found: "world" },
    { client: CLIENT, down: [], found: "world" },
  ])("$client.country with $down down: $found", ({ client, down, found }) => {
    expect(valuesOf(ask(world(sets, down), client))).toEqual([found]);
  });
  test("without a default others get no data", () => {
    expect(ask(world(sets.slice(1)), { ...CLIENT, continent: "EU", country: "DE" })).toEqual({ kind: "NoData" });
  });
});

describe("geoproximity", () => {
  const at = (id: string, longitude: string, bias?: number) =>
    member(id, { kind: "Geoproximity", place: { kind: "Coordinates", latitude: "0", longitude }, ...(bias === undefined ? {} : { bias }) });
  const client = { ...CLIENT, latitude: 0, longitude: 0 };
  test.each([
    { sets: [at("a", "15"), at("b", "-10")], found: "b" },
    { sets: [at("a", "15", 50), at("b", "-10")], found: "a" }, // the documentation's example: 150 km become 75
    { sets: [at("a", "15"), at("b", "-10", -50)], found: "a" }, // 10 degrees become 20
    { sets: [at("a", "179"), at("b", "-170")], found: "b" },
  ])("$found is nearest", ({ sets, found }) => {
    expect(valuesOf(ask(world(sets), client))).toEqual([found]);
  });
  test("the next nearest where it is down, and a region where it is said to be", () => {
    expect(valuesOf(ask(world([at("a", "15"), at("b", "-10")], ["b"]), client))).toEqual(["a"]);
    const region = member("r", { kind: "Geoproximity", place: { kind: "Region", region: "eu-west-1" } });
    const placeOf = (name: string) => (name === "eu-west-1" ? { latitude: 0, longitude: 5 } : undefined);
    expect(valuesOf(ask(world([at("b", "-10"), region], [], { placeOf }), client))).toEqual(["r"]);
  });
});

test("latency goes by the table, and on to the next best", () => {
  const sets = [
    member("eu", { kind: "Latency", region: "eu-west-1" }),
    member("us", { kind: "Latency", region: "us-east-1" }),
    member("ap", { kind: "Latency", region: "ap-east-1" }),
  ];
  const client = { ...CLIENT, latencyMs: { "eu-west-1": 90, "us-east-1": 20 } };
  expect(valuesOf(ask(world(sets), client))).toEqual(["us"]);
  expect(valuesOf(ask(world(sets, ["us"]), client))).toEqual(["eu"]);
  expect(valuesOf(ask(world(sets, ["us", "eu"]), client))).toEqual(["ap"]);
});

test("multivalue: up to eight that are healthy, or of all when none is", () => {
  const ids = Array.from({ length: 12 }, (_, i) => `m${i}`);
  const sets = ids.map((id) => member(id, { kind: "MultivalueAnswer" }));
  expect(new Set(valuesOf(ask(world(sets)))).size).toBe(8);
  expect([...valuesOf(ask(world(sets, ids.slice(3))))].sort()).toEqual(["m0", "m1", "m2"]);
  expect(valuesOf(ask(world(sets, ids)))).toHaveLength(8);
});

describe("IP-based", () => {
  const at = (location: string) => member(location, { kind: "IpBased", collectionId: "c", location });
  const blocks: Readonly<Record<string, readonly string[]>> = { wide: ["198.51.0.0/16", "2001:db8::/32"], narrow: ["198.51.100.0/24"] };
  const blocksOf = (_: string, location: string): readonly string[] => blocks[location] ?? [];
  test.each([
    { client: CLIENT, down: [], found: "narrow" },
    { client: CLIENT, down: ["narrow"], found: "wide" },
    { client: { address: "198.51.99.1" }, down: [], found: "wide" },
    { client: { address: "198.51.100.0", prefixLength: 20 }, down: [], found: "wide" },
    { client: { address: "2001:db8::1" }, down: [], found: "wide" },
    { client: { address: "203.0.113.1" }, down: [], found: "*" },
  ])("$client.address with $down down: $found", ({ client, down, found }) => {
    expect(valuesOf(ask(world([at("*"), at("wide"), at("narrow")], down, { blocksOf }), client))).toEqual([found]);
  });
  test("without a default others get no data", () => {
    expect(ask(world([at("wide")], [], { blocksOf }), { address: "203.0.113.1" })).toEqual({ kind: "NoData" });
  });
});

describe("trees of aliases", () => {
  const latency = (id: string, region: string, target: string, evaluates = true) =>
    member(id, { kind: "Latency", region }, alias(target, evaluates));
  const leaves = [
    weighted("e1", 1, "eu.example.org."),
    weighted("e2", 1, "eu.example.org."),
    weighted("u1", 1, "us.example.org."),
    weighted("u2", 1, "us.example.org."),
  ];
  const tree = (evaluates: boolean) => [
    latency("eu", "eu-west-1", "eu.example.org.", evaluates),
    latency("us", "us-east-1", "us.example.org."),
    ...leaves,
  ];
  const client = { ...CLIENT, latencyMs: { "eu-west-1": 10, "us-east-1": 90 } };
  test.each([
    { down: [], evaluates: true, found: ["e1", "e2"] },
    { down: ["e1"], evaluates: true, found: ["e2"] },
    { down: ["e1", "e2"], evaluates: true, found: ["u1", "u2"] }, // it backs out of the branch
    { down: ["e1", "e2", "u1", "u2"], evaluates: true, found: ["e1", "e2"] },
    { down: ["e1", "e2"], evaluates: false, found: ["e1", "e2"] }, // it must choose one in this branch
    { down: ["e1"], evaluates: false, found: ["e2"] },
  ])("with $down down, evaluating: $evaluates: $found", ({ down, evaluates, found }) => {
    expect(Object.keys(shares(world(tree(evaluates), down), client)).sort()).toEqual(found);
  });
  test("a health check of the alias itself counts as well", () => {
    const [eu, ...rest] = tree(true);
    expect(Object.keys(shares(world([{ ...eu!, healthCheckId: "branch" }, ...rest], ["branch"]), client)).sort()).toEqual(["u1", "u2"]);
  });
  test("a service answers for itself, and may be down", () => {
    const primary = member("p", { kind: "Failover", role: "PRIMARY" }, alias("lb.example.net.", true, "Z35SXDOTRQ7X7K"));
    const sets = [primary, member("s", { kind: "Failover", role: "SECONDARY" })];
    expect(ask(world(sets))).toEqual({ kind: "Service", target: "lb.example.net." });
    expect(valuesOf(ask(world(sets, [], { unhealthyServices: new Set(["lb.example.net."]) })))).toEqual(["s"]);
  });
  test("a ring of aliases ends", () => {
    expect(ask(world([simple("www.example.org.", alias("a.example.org.")), simple("a.example.org.", alias("www.example.org."))]))).toEqual({
      kind: "NoData",
    });
  });
});
