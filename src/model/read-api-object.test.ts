import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { kindNames, kinds } from "./kinds.ts";
import { parseManifests } from "./manifest.ts";
import { readApiObject } from "./read-api-object.ts";
import { unwrapped } from "./schema-walk.ts";

const spec = {
  hosts: ["shop.example.org"],
  ttl: { min: "5s", max: "60s" },
  discovery: "SameNamespace",
  backends: [
    { name: "eu", cluster: "eu-west", addresses: ["192.0.2.1"], weight: 10 },
    { name: "us", cluster: "us-east", sourceRef: { kind: "Ingress", name: "shop" } },
  ],
  routing: {
    order: "Latency",
    tolerance: { latency: "10ms" },
    rules: [
      {
        name: "gdpr",
        clients: { continents: ["EU"], sets: ["eu-gdpr"] },
        to: { selector: { matchLabels: { tier: "gold" } } },
        mode: "Require",
        unknownPlace: "Apply",
      },
    ],
    sticky: "ClientSubnet",
  },
  health: { probe: { type: "HTTP", scheme: "HTTPS", path: "/healthz" }, quorum: { type: "Count", count: 2 } },
  failover: { whenAllUnhealthy: "HoldLast", failback: { mode: "Approval" } },
  rollout: { steps: [{ name: "canary", backend: "us", weight: 10, pause: "10m" }] },
  publish: { dns: [{ zone: "example-org" }] },
};
const raw = (kind: string, more: unknown, metadata: Readonly<Record<string, unknown>> = { name: "shop", namespace: "web" }) => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind,
  metadata: { ...metadata, uid: "1", resourceVersion: "7", managedFields: [{}], creationTimestamp: "2026-11-21T18:00:00Z" },
  spec: more,
  status: { conditions: [] },
});

const samples: Readonly<Record<string, unknown>> = {
  GlobalRoute: spec,
  MemberCluster: {
    location: { cloud: "aws", region: "eu-west-1", continent: "EU" },
    access: { secretRef: { name: "eu" }, sources: ["Ingress", "Service"] },
    addressing: { type: "Status", nat: [{ from: "10.0.0.1", to: "192.0.2.1" }] },
    state: "Draining",
  },
  ProxyFleet: {
    type: "HAProxy",
    places: [{ name: "dublin", location: { cloud: "aws", region: "eu-west-1", continent: "EU" } }],
    haproxy: {
      members: [
        {
          name: "one",
          place: "dublin",
          listen: [{ address: "192.0.2.1", port: 80 }],
          admin: { address: "192.0.2.1", port: 9999 },
          reload: "Manual",
        },
      ],
    },
  },
  DNSZone: {
    domain: "example.org",
    provider: {
      type: "Embedded",
      embedded: {
        nameservers: ["ns.example.net"],
        records: [{ name: "@", type: "TXT", values: ["a"] }],
        dnssec: { keys: [{ name: "a", file: "/a", state: "Active" }], delegation: "Secure" },
        transfer: { keys: [{ name: "k", file: "/k", algorithm: "hmac-sha256" }], allow: [{ key: "k" }] },
      },
    },
    allowedRoutes: [{ namespaceSelector: { matchLabels: { team: "web" } } }],
  },
  TrafficOverride: { targetRef: { kind: "GlobalRoute", name: "shop" }, action: "ApproveFailback", reason: "a test" },
};

test("an object as the API server gives it, with defaults filled in; its place is the object itself", () => {
  const { object, problems, unsupported, rejected } = readApiObject(raw("GlobalRoute", spec));
  expect({ problems, unsupported, rejected }).toEqual({ problems: [] });
  expect(object).toMatchObject({ kind: "GlobalRoute", namespace: "web", name: "shop", labels: {} });
  expect(object?.spec).toMatchObject({
    backends: [{ bias: 0 }, { weight: 100, sourceRef: { kind: "Ingress" } }],
    health: { useReadiness: true },
  });
  expect(object?.locate(["spec", "hosts"])).toEqual({ file: "GlobalRoute web/shop", line: 0, column: 0 });
});

/** Puts a field that this version does not know into each mapping for which `pick` says so. */
function withExtras(schema: z.core.$ZodType, value: unknown, pick: () => boolean): unknown {
  const inner = unwrapped(schema)?.schema;
  if (inner instanceof z.ZodArray && Array.isArray(value)) return value.map((entry) => withExtras(inner.element, entry, pick));
  if (!(inner instanceof z.ZodObject) || typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [
    name,
    inner.shape[name] === undefined ? field : withExtras(inner.shape[name], field, pick),
  ]);
  return { ...Object.fromEntries(fields), ...(pick() ? { fromTheFuture: { mode: "Auto", steps: [1] } } : {}) };
}

test.each(kindNames)("%s: fields of a newer CRD are passed over, wherever they are", (kind) => {
  const plain = readApiObject(raw(kind, samples[kind]));
  expect(plain.problems.filter(({ code }) => code !== "namespace-unused")).toEqual([]);
  fc.assert(
    fc.property(fc.infiniteStream(fc.boolean()), (choices) => {
      const newer = withExtras(kinds[kind].spec, samples[kind], () => choices.next().value === true);
      const read = readApiObject({ ...raw(kind, newer), fromTheFuture: 1 });
      expect(read.object?.spec).toEqual(plain.object?.spec);
    }),
    { numRuns: 50 },
  );
});

/** Every place of a value whose schema is an enumeration. */
function* choices(
  schema: z.core.$ZodType,
  value: unknown,
  path: readonly (string | number)[] = [],
): Generator<readonly (string | number)[]> {
  const inner = unwrapped(schema)?.schema;
  if (inner instanceof z.ZodEnum && typeof value === "string") yield path;
  if (inner instanceof z.ZodArray && Array.isArray(value))
    for (const [i, entry] of value.entries()) yield* choices(inner.element, entry, [...path, i]);
  if (inner instanceof z.ZodObject && typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      const own = inner.shape[name];
      if (own !== undefined) yield* choices(own, field, [...path, name]);
    }
  }
}

function replaced(value: unknown, [step, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((entry, i) => (i === step ? replaced(entry, rest, by) : entry));
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, name === step ? replaced(entry, rest, by) : entry]))
    : value;
}

const enumerations = kindNames.flatMap((kind) =>
  [...choices(kinds[kind].spec, samples[kind])].map((path) => ({ kind, path, name: `${kind} ${path.join(".")}` })),
);

test("the samples hold many enumerations", () => {
  expect(enumerations.length).toBeGreaterThan(20);
});

test.each(enumerations)("a value of a newer CRD makes the object unsupported: $name", ({ kind, path }) => {
  const { object, rejected, unsupported, problems } = readApiObject(raw(kind, replaced(samples[kind], path, "FromTheFuture")));
  expect(object).toBeUndefined();
  expect(rejected).toMatchObject({ kind, name: "shop" });
  expect(problems.map(({ code }) => code)).toContain("field-value");
  expect(unsupported).toMatch(/^spec\..*"FromTheFuture" is not one of .*what was served goes on\. .*newer version/);
});

test("what is wrong otherwise is not called unsupported", () => {
  const { rejected, unsupported, problems } = readApiObject(raw("GlobalRoute", { ...spec, answers: 99 }));
  expect(rejected).toBeDefined();
  expect(unsupported).toBeUndefined();
  expect(problems.map(({ code }) => code)).toEqual(["field-range"]);
});

test.each([
  ["a number out of range", { ...spec, answers: 99 }],
  ["a text that is no duration", { ...spec, ttl: { min: "5" } }],
  ["a host in capitals", { ...spec, hosts: ["Shop.example.org"] }],
  ["a missing field", { ...spec, hosts: undefined }],
  ["an unknown choice", { ...spec, routing: { order: "Neerest" } }],
])("%s: told in the words of `globalroute validate`", (_, wrong) => {
  const { problems } = readApiObject(raw("GlobalRoute", wrong));
  const [object] = [raw("GlobalRoute", wrong)];
  const inFile = parseManifests([{ path: "a.yaml", text: stringify(object) }]).problems;
  const words = (list: typeof problems) => list.map(({ path, message, remedy, code }) => ({ path, message, remedy, code }));
  expect(words(problems)).toEqual(words(inFile));
  expect(problems).toMatchObject([{ file: "GlobalRoute web/shop", line: 0 }]);
});

test.each([
  ["nothing", undefined],
  ["a text", "x"],
  ["an object of another group", { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } }],
  ["an object without spec", { ...raw("GlobalRoute", undefined) }],
  ["a list as spec", raw("GlobalRoute", [])],
])("%s is a problem, never an exception", (_, value) => {
  expect(readApiObject(value).problems).not.toEqual([]);
});
