import { describe, expect, test } from "vitest";
import { applyBatch, type BatchOutcome } from "./change-batch.ts";
import { DEFAULT_QUOTAS } from "./limits.ts";
import type { RecordContent, RecordSet, RoutingPolicy } from "./record-set.ts";
import type { ChangeAction } from "./record-set-xml.ts";
import type { Change, ZoneContext } from "./zone-context.ts";

const CONTEXT: ZoneContext = {
  ...{
    zoneId: "Z1",
    zoneName: "example.org.",
    isPrivate: false,
    quotas: DEFAULT_QUOTAS,
    serviceZones: new Set(["ZELB"]),
    mayDangle: false,
  },
  ...{ hasHealthCheck: (id) => id === "up", cidrLocations: (id) => (id === "c" ? new Set(["office"]) : undefined) },
};
const SIMPLE: RoutingPolicy = { kind: "Simple" };
const values = (...texts: readonly string[]): RecordContent => ({ kind: "Values", ttl: 30, values: texts });
const alias = (target: string, zoneId = "Z1"): RecordContent => ({ kind: "Alias", zoneId, target, evaluateTargetHealth: true });
const set = (name: string, content: RecordContent = values("192.0.2.1"), more: Partial<RecordSet> = {}): RecordSet => ({
  ...{ name: `${name}.example.org.`, type: "A", policy: SIMPLE, content },
  ...more,
});
const weighted = (setIdentifier: string, ttl = 30): RecordSet =>
  set("w", { kind: "Values", ttl, values: ["192.0.2.1"] }, { policy: { kind: "Weighted", weight: 1 }, setIdentifier });
const APEX: readonly RecordSet[] = [
  { name: "example.org.", type: "NS", policy: SIMPLE, content: values("ns-1.example.net.") },
  {
    name: "example.org.",
    type: "SOA",
    policy: SIMPLE,
    content: values("ns-1.example.net. hostmaster.example.org. 1 7200 900 1209600 86400"),
  },
];

const changes = (...pairs: readonly (readonly [ChangeAction, RecordSet])[]): readonly Change[] =>
  pairs.map(([action, one]) => ({ action, set: one }));
const tried = (before: readonly RecordSet[], ...pairs: readonly (readonly [ChangeAction, RecordSet])[]): BatchOutcome =>
  applyBatch([...APEX, ...before], changes(...pairs), CONTEXT);
const refusals = (outcome: BatchOutcome): readonly string[] => (outcome.kind === "Refused" ? outcome.messages : []);

describe("the target of an alias", () => {
  const target = set("eu");
  const pointer = set("www", alias("eu.example.org."));
  const notFound = ["Tried to create an alias that targets eu.example.org., type A in zone Z1, but that target was not found"];
  test.each<{
    name: string;
    before: readonly RecordSet[];
    batch: readonly (readonly [ChangeAction, RecordSet])[];
    says: readonly string[];
  }>([
    {
      name: "is created before the alias",
      before: [],
      batch: [
        ["CREATE", target],
        ["CREATE", pointer],
      ],
      says: [],
    },
    {
      name: "is not created after it",
      before: [],
      batch: [
        ["CREATE", pointer],
        ["CREATE", target],
      ],
      says: notFound,
    },
    {
      name: "is not replaced after it: that is deleting first",
      before: [target],
      batch: [
        ["CREATE", pointer],
        ["UPSERT", target],
      ],
      says: notFound,
    },
    {
      name: "may be replaced under an alias that stands",
      before: [target, pointer],
      batch: [["UPSERT", set("eu", values("192.0.2.9"))]],
      says: [],
    },
    {
      name: "does not go before the alias",
      before: [target, pointer],
      batch: [
        ["DELETE", target],
        ["DELETE", pointer],
      ],
      says: ["Tried to delete resource record set [name='eu.example.org.', type='A'] but it is the target of an alias"],
    },
    {
      name: "goes after it",
      before: [target, pointer],
      batch: [
        ["DELETE", pointer],
        ["DELETE", target],
      ],
      says: [],
    },
    {
      name: "goes when the alias is replaced",
      before: [target, pointer],
      batch: [
        ["DELETE", target],
        ["UPSERT", set("www", alias("lb.example.net.", "ZELB"))],
      ],
      says: [],
    },
    {
      name: "may be deleted and created",
      before: [target, pointer],
      batch: [
        ["DELETE", target],
        ["CREATE", set("eu", values("192.0.2.9"))],
      ],
      says: [],
    },
    { name: "is not the alias itself", before: [], batch: [["CREATE", set("eu", alias("eu.example.org."))]], says: notFound },
  ])("$name", ({ before, batch, says }) => {
    expect(refusals(tried(before, ...batch))).toEqual(says);
  });
});

describe("one name and type", () => {
  test("changes its policy by deleting all before creating", () => {
    const latency = (setIdentifier: string, region: string) =>
      set("w", values("192.0.2.1"), { setIdentifier, policy: { kind: "Latency", region } });
    const before = [weighted("a"), weighted("b")];
    expect(refusals(tried(before, ["UPSERT", latency("a", "eu-west-1")]))).toEqual([
      "RRSet with DNS name w.example.org., type A, SetIdentifier a cannot be created as a non-latency set exists with the same name and type.",
    ]);
    const outcome = tried(
      before,
      ["DELETE", weighted("a")],
      ["DELETE", weighted("b")],
      ["CREATE", latency("a", "eu-west-1")],
      ["CREATE", latency("b", "us-east-1")],
    );
    expect(outcome.kind).toBe("Applied");
  });

  test("a group of one may change its policy by an UPSERT", () => {
    expect(tried([weighted("a")], ["UPSERT", { ...weighted("a"), policy: { kind: "Latency", region: "eu-west-1" } }]).kind).toBe("Applied");
  });

  test("weighted sets share the TTL that was sent last", () => {
    const outcome = tried([weighted("a"), weighted("b", 30)], ["CREATE", weighted("c", 5)]);
    expect(
      outcome.kind === "Applied" &&
        outcome.sets.flatMap(({ content, name }) => (content.kind === "Values" && name.startsWith("w") ? content.ttl : [])),
    ).toEqual([5, 5, 5]);
  });

  test("a rival that the same set was is none", () => {
    const primary = set("f", values("192.0.2.1"), {
      setIdentifier: "a",
      policy: { kind: "Failover", role: "PRIMARY" },
      healthCheckId: "up",
    });
    expect(refusals(tried([primary], ["UPSERT", { ...primary, content: values("192.0.2.2") }]))).toEqual([]);
    expect(refusals(tried([primary], ["CREATE", { ...primary, setIdentifier: "b" }]))).toHaveLength(1);
    expect(tried([], ["CREATE", { ...primary, healthCheckId: "gone" }])).toEqual({ kind: "NoSuchHealthCheck", id: "gone" });
  });
});

test("lists go by reversed name, then type, then identifier", () => {
  const six = set("www", values("2001:db8::1"), { type: "AAAA" });
  const outcome = tried(
    [],
    ["CREATE", set("\\052")],
    ["CREATE", weighted("b")],
    ["CREATE", six],
    ["CREATE", set("www")],
    ["CREATE", weighted("a")],
    ["CREATE", set("a.www")],
    ["CREATE", set("www-2")],
  );
  const order =
    outcome.kind === "Applied" ? outcome.sets.map(({ name, type, setIdentifier = "" }) => `${name} ${type} ${setIdentifier}`.trim()) : [];
  expect(order).toEqual([
    ...["example.org. NS", "example.org. SOA", "\\052.example.org. A", "w.example.org. A a", "w.example.org. A b"],
    ...["www-2.example.org. A", "www.example.org. A", "www.example.org. AAAA", "a.www.example.org. A"],
  ]);
});

test("IP-based sets name locations of one collection, or the default", () => {
  const at = (location: string, collectionId = "c") =>
    set("ip", values("192.0.2.1"), { setIdentifier: location, policy: { kind: "IpBased", collectionId, location } });
  expect(refusals(tried([], ["CREATE", at("office")], ["CREATE", at("*")]))).toEqual([]);
  expect(refusals(tried([], ["CREATE", at("nowhere")]))).toEqual(["The CIDR collection c has no location nowhere."]);
  expect(refusals(applyBatch(APEX, changes(["CREATE", at("office")]), { ...CONTEXT, isPrivate: true }))).toHaveLength(1);
});
