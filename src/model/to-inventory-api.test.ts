/** What the same objects mean when they come from an API server, and what of it files refuse. */
import { expect, test } from "vitest";
import { stringify } from "yaml";
import type { ApiContext } from "./api-context.ts";
import { discoveryOf } from "./api-context.ts";
import { parseManifests } from "./manifest.ts";
import { formatProblem, type Problem } from "./problem.ts";
import { readApiObject } from "./read-api-object.ts";
import type { RegionTable } from "./region-table.ts";
import { buildInventory } from "./to-inventory.ts";

type Spec = Readonly<Record<string, unknown>>;

const regions: RegionTable = {
  find: () => ({ city: "Dublin", country: "IE", continent: "EU", latitude: 53.35, longitude: -6.26 }),
  suggest: () => undefined,
};

const object = (kind: string, name: string, spec: Spec, namespace?: string) => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  spec,
});
const cluster = (name: string, more: Spec = {}) => object("MemberCluster", name, { location: { cloud: "aws", region: "x" }, ...more });
const zone = (allowedRoutes: unknown, domain = "example.org") =>
  object("DNSZone", domain.replaceAll(".", "-"), {
    domain,
    provider: { type: "Embedded", embedded: { nameservers: ["ns.example.net"] } },
    ...(allowedRoutes === undefined ? {} : { allowedRoutes }),
  });
const listed = { name: "eu", cluster: "eu", addresses: ["192.0.2.1"] };
const route = (more: Spec, name = "shop", namespace = "web") =>
  object("GlobalRoute", name, { hosts: ["shop.example.org"], backends: [listed], ...more }, namespace);
const override = (spec: Spec, namespace: string) =>
  object("TrafficOverride", "now", { action: "Drain", until: "2126-01-01T00:00:00Z", reason: "work", ...spec }, namespace);

const addresses: Readonly<Record<string, readonly string[]>> = { "Ingress shop": ["192.0.2.7"], "Gateway shop": ["2001:db8::7"] };
const context: ApiContext = {
  addressesOf: (_, { sourceRef }) => addresses[`${sourceRef?.kind} ${sourceRef?.name}`] ?? [],
  namespaceLabels: (namespace) => (namespace === "web" ? { team: "web" } : {}),
  controllerNamespace: "globalroute-system",
};

function fromApi(...raw: readonly unknown[]) {
  const read = [cluster("eu"), ...raw].map(readApiObject);
  const objects = read.flatMap(({ object: sound }) => (sound === undefined ? [] : [sound]));
  const { inventory, problems } = buildInventory(objects, regions, [], context);
  return { inventory, problems: [...read.flatMap((one) => one.problems), ...problems] };
}
function fromFiles(...raw: readonly unknown[]) {
  const text = [cluster("eu"), ...raw].map((one) => stringify(one)).join("---\n");
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, regions, rejected);
  return { inventory: built.inventory, problems: [...problems, ...built.problems] };
}
const codes = (problems: readonly Problem[]) => problems.map(({ severity, code, path }) => `${severity} ${code} ${path}`);
const open = zone([{}]);

test("addresses of sources take the place of sourceRef; a backend without any is left out", () => {
  const backends = [
    listed,
    { name: "ingress", cluster: "eu", sourceRef: { kind: "Ingress", name: "shop" }, weight: 7 },
    { name: "later", cluster: "eu", sourceRef: { kind: "Service", name: "shop" } },
  ];
  const { inventory, problems } = fromApi(open, route({ backends }));
  expect(problems.map(formatProblem)).toEqual([]);
  expect(inventory.routes[0]?.backends).toEqual([
    { name: "eu", cluster: "eu", addresses: ["192.0.2.1"], weight: 100, priority: 0, bias: 0 },
    { name: "ingress", cluster: "eu", addresses: ["192.0.2.7"], weight: 7, priority: 0, bias: 0 },
  ]);
});

test("no backend with an address: the route is left out, and which of the two it is is told", () => {
  const later = route({ backends: [{ name: "later", cluster: "eu", sourceRef: { kind: "Service", name: "shop" } }] });
  expect(fromApi(open, later).inventory.routes).toEqual([]);
  expect(fromApi(open, later).problems).toMatchObject([{ code: "backend-missing", message: "none of them has an address yet" }]);
  const waiting = fromApi(open, route({ backends: [] }));
  expect(waiting.problems).toMatchObject([{ code: "backend-missing", message: "no annotated source has joined" }]);
  expect(fromApi(open, route({ backends: [], discovery: "None" })).problems).toMatchObject([
    { code: "backend-missing", message: "is empty with discovery None" },
  ]);
});

test("a backend in a cluster that is not there is wrong whether or not its source has an address", () => {
  const lost = route({ backends: [listed, { name: "us", cluster: "us", sourceRef: { kind: "Service", name: "shop" } }] });
  expect(codes(fromApi(open, lost).problems)).toEqual(["error cluster-unknown GlobalRoute web/shop spec.backends[1].cluster"]);
});

test.each([
  [undefined, [], "SameNamespace"],
  [undefined, [listed], "None"],
  ["SameNamespace", [listed], "SameNamespace"],
  ["None", [], "None"],
] as const)("discovery %s with backends %j is %s", (discovery, backends, effective) => {
  const { object: read } = readApiObject(route({ backends, ...(discovery === undefined ? {} : { discovery }) }));
  if (read?.kind !== "GlobalRoute") throw new Error("no route");
  expect(discoveryOf(read.spec)).toBe(effective);
});

test("a host that its zone does not allow is neither published nor claimed; the others are", () => {
  const zones = [zone([{ suffixes: ["shop.example.org"], namespaceSelector: { matchLabels: { team: "web" } } }])];
  const intruder = route({ hosts: ["shop.example.org", "free.example.net"] }, "intruder", "evil");
  const { inventory, problems } = fromApi(...zones, intruder, route({}));
  expect(codes(problems)).toEqual([
    "warning host-not-allowed GlobalRoute evil/intruder spec.hosts[0]",
    "warning host-without-zone GlobalRoute evil/intruder spec.hosts[1]",
  ]);
  expect(problems[0]?.message).toContain("does not let namespace evil use this name");
  expect(inventory.routes.map(({ namespace, hosts }) => [namespace, hosts])).toEqual([
    ["evil", ["free.example.net"]],
    ["web", ["shop.example.org"]],
  ]);
});

test("a route none of whose hosts is allowed is left out", () => {
  for (const allowed of [undefined, [{ suffixes: ["other.example.org"] }], [{ namespaceSelector: { matchLabels: { team: "db" } } }]]) {
    const { inventory, problems } = fromApi(zone(allowed), route({}));
    expect(codes(problems)).toEqual([
      "warning host-not-allowed GlobalRoute web/shop spec.hosts[0]",
      "error host-not-allowed GlobalRoute web/shop spec.hosts",
    ]);
    expect(inventory.routes).toEqual([]);
  }
});

test("the zone itself then allows whatever reached it", () => {
  expect(fromApi(zone([{ suffixes: ["shop.example.org"] }])).inventory.zones[0]?.allowedSuffixes).toEqual([]);
  expect(fromFiles(zone([{ suffixes: ["shop.example.org"] }])).inventory.zones[0]?.allowedSuffixes).toEqual(["shop.example.org"]);
  expect(fromFiles(zone([{ suffixes: ["shop.example.org"] }, {}])).inventory.zones[0]?.allowedSuffixes).toEqual([]);
});

test("the older of two routes keeps a host, in order of the objects", () => {
  const { inventory, problems } = fromApi(open, route({}), route({}, "shop", "other"));
  expect(codes(problems)).toEqual(["error host-overlap GlobalRoute other/shop spec.hosts[0]"]);
  expect(inventory.routes.map(({ namespace }) => namespace)).toEqual(["web"]);
});

test.each([
  ["globalroute-system", []],
  ["web", ["error override-namespace TrafficOverride web/now spec.targetRef.kind"]],
])("an override of a cluster from namespace %s", (namespace, found) => {
  const { inventory, problems } = fromApi(open, override({ targetRef: { kind: "MemberCluster", name: "eu" } }, namespace));
  expect(codes(problems)).toEqual(found);
  expect(inventory.overrides).toHaveLength(found.length === 0 ? 1 : 0);
});

test("an override aims at routes of its own namespace only", () => {
  const target = { targetRef: { kind: "GlobalRoute", name: "shop" } };
  expect(fromApi(open, route({}), override(target, "web")).problems).toEqual([]);
  const elsewhere = fromApi(open, route({}), override(target, "evil"));
  expect(codes(elsewhere.problems)).toEqual(["warning override-target TrafficOverride evil/now spec.targetRef.name"]);
  expect(elsewhere.inventory.overrides[0]?.target).toMatchObject({ namespace: "evil" });
});

const step = { name: "one", backend: "eu", weight: 10 };
const rollout = (...steps: readonly unknown[]) => route({ rollout: { steps } });
test.each([
  ["sound", rollout({ ...step, pause: "10m" }, { ...step, name: "two", approval: true }), []],
  [
    "of another backend",
    rollout({ ...step, backend: "ue", pause: "1m" }),
    ["error rollout-step GlobalRoute web/shop spec.rollout.steps[0].backend"],
  ],
  ["with neither", rollout(step), ["error rollout-step GlobalRoute web/shop spec.rollout.steps[0]"]],
  ["with both", rollout({ ...step, pause: "1m", approval: true }), ["error rollout-step GlobalRoute web/shop spec.rollout.steps[0].pause"]],
])("a rollout step %s", (_, raw, found) => {
  expect(codes(fromApi(open, raw).problems)).toEqual(found);
});

const addressing = (spec: Spec) => cluster("new", { addressing: spec });
const at = (member: string) => `MemberCluster new spec.addressing.${member}`;
test.each([
  [addressing({ type: "Static", addresses: ["192.0.2.1"] }), []],
  [addressing({ type: "HostName", hostName: "eu.example.org" }), []],
  [addressing({ nat: [{ from: "10.0.0.1", to: "2001:DB8::1" }] }), []],
  [addressing({ type: "Static" }), [`error field-missing ${at("addresses")}`]],
  [addressing({ type: "HostName" }), [`error field-missing ${at("hostName")}`]],
  [addressing({ addresses: ["192.0.2.1"] }), [`error field-unused ${at("addresses")}`]],
  [
    addressing({ type: "Static", addresses: ["192.0.2.1"], nat: [{ from: "10.0.0.1", to: "192.0.2.1" }] }),
    [`error field-unused ${at("nat")}`],
  ],
  [addressing({ nat: [{ from: "10.0.0.1/8", to: "192.0.2.1" }] }), [`error address-syntax ${at("nat[0].from")}`]],
  [cluster("new", { access: { secretRef: { name: "new" }, sources: ["Ingress"] } }), []],
])("MemberCluster %j", (raw, found) => {
  expect(codes(fromApi(raw).problems)).toEqual(found);
});

test("keys of a zone have whole paths: an object of an API server lies in no folder", () => {
  const signed = (file: string) => {
    const embedded = {
      nameservers: ["ns.example.net"],
      dnssec: { keys: [{ name: "a", file }] },
      transfer: { keys: [{ name: "k", file }], allow: [{ key: "k" }] },
    };
    return object("DNSZone", "signed", { domain: "example.org", provider: { type: "Embedded", embedded } });
  };
  expect(fromApi(signed("/keys/a.pem")).problems).toEqual([]);
  expect(fromFiles(signed("keys/a.pem")).problems).toEqual([]);
  expect(codes(fromApi(signed("keys/a.pem")).problems)).toEqual([
    "error field-format DNSZone signed spec.provider.embedded.dnssec.keys[0].file",
    "error field-format DNSZone signed spec.provider.embedded.transfer.keys[0].file",
  ]);
});

test.each(["useReadiness", "useRequests"] as const)("without %s only when told so", (member) => {
  expect(fromApi(open, route({})).inventory.routes[0]?.health).not.toHaveProperty(member);
  expect(fromApi(open, route({ health: { [member]: false } })).inventory.routes[0]?.health[member]).toBe(false);
});

const controllerOnly = "works only with a Kubernetes controller";
test.each([
  [
    "a source",
    route({ backends: [{ name: "eu", cluster: "eu", sourceRef: { kind: "Ingress", name: "shop" } }] }),
    "list the addresses under addresses",
  ],
  ["discovery", route({ discovery: "SameNamespace" }), "list the backends"],
  ["a rollout", rollout({ ...step, pause: "10m" }), "write the weights under backends"],
  ["access", cluster("new", { access: { secretRef: { name: "new" } } }), "no cluster's API server is asked"],
  ["addressing", addressing({ type: "Static", addresses: ["192.0.2.1"] }), "as addresses of the backends"],
  ["a selector of namespaces", zone([{ namespaceSelector: { matchLabels: { a: "b" } } }]), "name suffixes"],
  ["a selector of clusters", zone([{ clusterSelector: { matchLabels: { a: "b" } } }]), "name suffixes"],
  ["promotion", override({ action: "PromoteStep", targetRef: { kind: "GlobalRoute", name: "shop" } }, "web"), "Delete it"],
])("in files %s is an error that names what to write", (_, raw, remedy) => {
  const { problems } = fromFiles(raw);
  const found = problems.filter(({ code }) => code === "kubernetes-only");
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    severity: "error",
    message: expect.stringContaining(controllerOnly),
    remedy: expect.stringContaining(remedy),
  });
});

test("in files backends are required, and their addresses", () => {
  expect(fromFiles(open, route({ backends: [] })).problems).toMatchObject([
    { code: "field-missing", remedy: "Add backends. Where the service runs." },
  ]);
  const bare = fromFiles(open, route({ backends: [{ name: "eu", cluster: "eu" }] })).problems;
  expect(bare).toMatchObject([{ code: "field-missing", path: "GlobalRoute web/shop spec.backends[0].addresses" }]);
});
