import fc from "fast-check";
import { expect, test } from "vitest";
import { annotationNames, annotationUse, parseAnnotations, policySpec, RESIDENCY_LABEL, type SourcePolicy } from "./annotations.ts";
import { readApiObject } from "./read-api-object.ts";
import { ms, seconds } from "./units.ts";

const prefixed = (annotations: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`globalroute.dev/${name}`, value]));
const parse = (annotations: Readonly<Record<string, string>>) => parseAnnotations(prefixed({ route: "true", ...annotations }));

test("one annotation is enough, and none is no wish", () => {
  expect(parse({})).toEqual({ values: { joins: true, policy: {} }, faults: [], isBlocked: false });
  expect(parse({ route: "false" }).values.joins).toBe(false);
  expect(parseAnnotations(undefined)).toEqual({ values: { joins: false, policy: {} }, faults: [], isBlocked: false });
  expect(parseAnnotations({ "nginx.ingress.kubernetes.io/weight": "x", "globalroute.dev/writer-epoch": "4" }).faults).toEqual([]);
});

test("all of them", () => {
  const { values, faults } = parse({
    order: "Latency",
    weight: "50",
    priority: "1",
    ttl: "5s-1m",
    "health-path": "/healthz?full=1",
    failback: "Approval",
    residency: "eu",
    zone: "example-org",
  });
  expect(faults).toEqual([]);
  expect(values).toEqual({
    joins: true,
    weight: 50,
    priority: 1,
    policy: {
      order: "Latency",
      ttl: { min: 5, max: 60 },
      healthPath: "/healthz?full=1",
      failback: { mode: "Approval" },
      residency: "eu",
      zone: "example-org",
    },
  });
  expect(parse({ ttl: "30s", failback: "10m" }).values.policy).toEqual({
    ttl: { min: 30, max: 30 },
    failback: { mode: "Automatic", after: 600_000 },
  });
});

const wrong: readonly (readonly [name: string, value: string, says: string])[] = [
  ["route", "yes", '"yes" is not one of true, false'],
  ["order", "nearest", "Did you mean Nearest?"],
  ["weight", "-1", "Write a number from 0 to 10000."],
  ["weight", "10001", '"10001" is more than 10000'],
  ["weight", "1e3", "is not a whole number"],
  ["weight", "", "is empty"],
  ["priority", "1001", "Write a number from 0 to 1000."],
  ["ttl", "30", "as in 30s or 5s-60s"],
  ["ttl", "1500ms", "is not of whole seconds"],
  ["ttl", "0s", "is outside 1s to 24h"],
  ["ttl", "60s-5s", "Write 5s-1m."],
  ["ttl", "1s-2s-3s", "is not a TTL"],
  ["ttl", "25h", "is outside 1s to 24h"],
  ["health-path", "healthz", "with a slash first"],
  ["health-path", "/a b", "without spaces"],
  ["failback", "approval", "Write Approval, or after how long"],
  ["failback", "48h", "is neither Approval nor a duration up to 24h"],
  ["residency", "eu west", "the label residency.globalroute.dev/region"],
  ["zone", "Example.org", "lower-case letters"],
  ["wieght", "5", "Did you mean weight?"],
  ["frobnicate", "5", `Remove it; known are ${annotationNames.join(", ")}.`],
];

test.each(wrong)("globalroute.dev/%s: %j is told, and passed over", (name, value, says) => {
  const { values, faults } = parse({ [name]: value });
  expect(faults).toHaveLength(1);
  const [{ annotation, fault }] = [faults[0]!];
  expect(annotation).toBe(`globalroute.dev/${name}`);
  expect(`${fault.message}. ${fault.remedy}`).toContain(says);
  expect(fault.remedy).toMatch(/^[A-Z].*[.?]$/s);
  expect(values).toEqual({ joins: name !== "route", policy: {} });
});

test("the examples of the reference page are sound", () => {
  const all = Object.fromEntries(Object.entries(annotationUse).map(([name, { example }]) => [name, example]));
  expect(Object.keys(all)).toEqual(annotationNames);
  expect(parse(all).faults).toEqual([]);
});

test("one bad annotation hides none of the others", () => {
  const { values, faults } = parse({ order: "Random", weight: "7" });
  expect(values).toEqual({ joins: true, weight: 7, policy: {} });
  expect(faults).toHaveLength(1);
});

test("a source that narrows in a way that nobody can read must not join; other faults do not keep it out", () => {
  const blocking = [{ residency: "" }, { residency: "a b" }, { zone: "A" }, { residencey: "eu" }, { zones: "example-org" }];
  expect(blocking.map((annotations) => parse(annotations).isBlocked)).toEqual(blocking.map(() => true));
  const harmless = [{ weight: "x" }, { order: "x" }, { frobnicate: "1" }, { ttl: "1" }, { residency: "eu" }];
  expect(harmless.map((annotations) => parse(annotations).isBlocked)).toEqual(harmless.map(() => false));
});

test("annotations that do nothing for want of the first one are told once", () => {
  const { faults, values, isBlocked } = parseAnnotations(prefixed({ weight: "5", residency: "eu" }));
  expect(values.joins).toBe(false);
  expect(isBlocked).toBe(false);
  expect(faults).toMatchObject([{ annotation: "globalroute.dev/weight", fault: { code: "field-unused" } }]);
  // Nobody asked for anything that could be too wide.
  expect(parseAnnotations(prefixed({ residency: "eu" }))).toMatchObject({
    faults: [{ fault: { code: "field-unused" } }],
    isBlocked: false,
  });
});

const arbitraryPolicy: fc.Arbitrary<SourcePolicy> = fc.record(
  {
    order: fc.constantFrom("Nearest", "Latency", "Weighted", "Priority"),
    ttl: fc.tuple(fc.integer({ min: 1, max: 86_400 }), fc.integer({ min: 1, max: 86_400 })).map(([a, b]) => ({
      min: seconds(Math.min(a, b)),
      max: seconds(Math.max(a, b)),
    })),
    healthPath: fc.constantFrom("/", "/healthz", "/a?b=c"),
    failback: fc.oneof(
      fc.constant({ mode: "Approval" } as const),
      fc.integer({ min: 0, max: 86_400_000 }).map((after) => ({ mode: "Automatic", after: ms(after) }) as const),
    ),
    residency: fc.constantFrom("eu", "us-gov"),
    zone: fc.constantFrom("example-org", "a"),
  },
  { requiredKeys: [] },
);

test("a policy becomes a spec that reads as just that policy", () => {
  fc.assert(
    fc.property(arbitraryPolicy, (policy) => {
      const { object, problems } = readApiObject({
        apiVersion: "globalroute.dev/v1alpha1",
        kind: "GlobalRoute",
        metadata: { name: "shop", namespace: "web" },
        spec: { hosts: ["shop.example.org"], ...policySpec(policy) },
      });
      expect(problems).toEqual([]);
      if (object?.kind !== "GlobalRoute") throw new Error("no route");
      const { spec } = object;
      expect(spec.routing.order).toBe(policy.order ?? "Nearest");
      expect(spec.ttl).toEqual(policy.ttl ?? {});
      expect(spec.health.probe.path).toBe(policy.healthPath);
      expect(spec.failover.failback).toMatchObject(policy.failback ?? { mode: "Automatic", after: 300_000 });
      expect(spec.publish.dns).toEqual(policy.zone === undefined ? undefined : [{ zone: policy.zone }]);
      expect(spec.routing.rules.map(({ to, mode, unknownPlace }) => ({ to, mode, unknownPlace }))).toEqual(
        policy.residency === undefined
          ? []
          : [{ to: { selector: { matchLabels: { [RESIDENCY_LABEL]: policy.residency } } }, mode: "Require", unknownPlace: "Apply" }],
      );
    }),
  );
});

test("any annotations at all: no exception, and what is read is within its bounds", () => {
  const name = fc.oneof(fc.constantFrom(...annotationNames), fc.string());
  fc.assert(
    fc.property(fc.dictionary(name, fc.oneof(fc.string(), fc.constantFrom("true", "5", "5s", "eu"))), (annotations) => {
      const { values } = parseAnnotations(prefixed(annotations));
      expect(values.weight ?? 0).toBeLessThanOrEqual(10_000);
      expect((values.policy.ttl?.min ?? 1) >= 1).toBe(true);
    }),
  );
});
