import { expect, test } from "vitest";
import { judged, served, startHub, told } from "../../test/support/kube/reconcile-world.ts";
import {
  annotated,
  dnsZone,
  endpointSlice,
  globalRoute,
  ingress,
  memberCluster,
  override,
  service,
} from "../../test/support/kube/source-objects.ts";
import { reconciledFrom } from "./reconcile.ts";

const shop = (address: string, more: Readonly<Record<string, string>> = {}, created?: string) =>
  ingress({ annotations: annotated(more), ...(created === undefined ? {} : { created }) }, ["shop.example.org"], [address]);

test("one annotation in each cluster makes one route with a backend for each", () => {
  const result = startHub().pass({ clusters: { eu: [shop("192.0.2.1", { weight: "50" })], us: [shop("192.0.2.2", { priority: "1" })] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1*50 | us 192.0.2.2"]);
  expect(result.inventory.routes[0]?.backends[1]?.priority).toBe(1);
  expect(result.generated.map(({ metadata, spec }) => ({ metadata, spec }))).toEqual([
    {
      metadata: { namespace: "web", name: "shop", labels: { "globalroute.dev/generated": "true" } },
      spec: { hosts: ["shop.example.org"], discovery: "SameNamespace" },
    },
  ]);
  expect(result.reports.find(({ kind }) => kind === "GlobalRoute")).toMatchObject({
    policySource: "eu/web/Ingress/shop",
    accepted: { status: "True" },
    backends: [{ name: "eu", cluster: "eu", source: "Ingress web/shop", reason: "" }, { name: "us" }],
  });
  expect(told(result)).toEqual([]);
});

test("a source that cannot be read is told, keeps what it had, and stops no other", () => {
  const load = (hostname: unknown) =>
    service({ name: "lb", annotations: { ...annotated(), "external-dns.kubernetes.io/hostname": hostname as string } }, ["192.0.2.7"]);
  const hub = startHub();
  const before = ["web/lb lb.example.org: us 192.0.2.7", "web/shop shop.example.org: eu 192.0.2.1"];
  expect(served(hub.pass({ clusters: { eu: [shop("192.0.2.1")], us: [load("lb.example.org")] } }))).toEqual(before);
  const result = hub.pass({ clusters: { eu: [shop("192.0.2.2")], us: [load(5)] } });
  expect(served(result)).toEqual([before[0], "web/shop shop.example.org: eu 192.0.2.2"]);
  expect(told(result)).toEqual(["SourceUnreadable Service web/lb"]);
  expect(result.warnings[0]?.message).toContain("Service web/lb in cluster us: cannot be read: ");
});

test("a source that cannot be read and that a route lists stops no other", () => {
  const odd = service({ name: "lb" }, ["192.0.2.7"]);
  const annotations = null as unknown as Readonly<Record<string, string>>;
  const clusters = { eu: [shop("192.0.2.1")], us: [{ ...odd, metadata: { ...odd.metadata, annotations } }] };
  const backends = [{ name: "a", cluster: "us", sourceRef: { kind: "Service", name: "lb" } }];
  const routes = [globalRoute({ name: "api" }, { hosts: ["api.example.org"], backends })];
  expect(served(startHub().pass({ routes, clusters }))).toContain("web/shop shop.example.org: eu 192.0.2.1");
});

test("generated routes whose sources are gone go, or stay as their statuses have them when that is asked for", () => {
  const generated = (name: string, status: object) => ({
    ...globalRoute(
      { name, labels: { "globalroute.dev/generated": "true" } },
      { hosts: [`${name}.example.org`], discovery: "SameNamespace" },
    ),
    status,
  });
  const routes = [
    generated("shop", {
      policySource: "eu/web/Ingress/shop",
      backends: [{ name: "eu", cluster: "eu", source: "Ingress web/shop", addresses: ["192.0.2.1"], health: "Healthy" }],
    }),
    generated("forged", {}), // nobody but the controller writes statuses
  ];
  const input = { routes, clusters: { eu: [], us: [] } };
  const hub = startHub();
  expect(served(hub.pass(input))).toEqual([]);
  expect(judged(hub.last()!, "GlobalRoute", "web/shop")).toBe("NotGenerated");
  const fresh = startHub();
  expect(served(fresh.pass(input, true))).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(fresh.last()?.generated.map(({ metadata }) => metadata.name)).toEqual(["shop"]);
  expect(served(fresh.pass(input))).toEqual([]);
});

test("a route with sourceRef takes what the source publishes", () => {
  const route = globalRoute(
    {},
    {
      hosts: ["shop.example.org"],
      backends: [
        { name: "a", cluster: "eu", sourceRef: { kind: "Service", name: "lb" } },
        { name: "b", cluster: "us", addresses: ["192.0.2.9"] },
      ],
    },
  );
  const result = startHub().pass({ routes: [route], clusters: { eu: [service({ name: "lb" }, ["192.0.2.1"])], us: [] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: a 192.0.2.1 | b 192.0.2.9"]);
  expect(judged(result, "GlobalRoute", "web/shop")).toBe("Accepted");
  expect(result.generations.get("GlobalRoute/web/shop")).toBe(1);
});

test("annotated sources join a route of people's that lists their host, when its discovery allows", () => {
  const route = (discovery: string) =>
    globalRoute(
      { name: "mine" },
      { hosts: ["shop.example.org"], discovery, backends: [{ name: "eu", cluster: "us", addresses: ["192.0.2.9"] }] },
    );
  const clusters = { eu: [shop("192.0.2.1", { ttl: "30s" })], us: [] };
  const open = startHub().pass({ routes: [route("SameNamespace")], clusters });
  expect(served(open)).toEqual(["web/mine shop.example.org: eu 192.0.2.9 | eu-2 192.0.2.1"]);
  expect(told(open)).toEqual(["PolicyIgnored Ingress web/shop"]);
  expect(open.generated).toEqual([]);
  const closed = startHub().pass({ routes: [route("None")], clusters });
  expect(served(closed)).toEqual(["web/mine shop.example.org: eu 192.0.2.9"]);
  expect(told(closed)).toEqual(["RouteRefused Ingress web/shop"]);
});

test("several sources of one cluster are several backends, those with the same addresses one", () => {
  const clusters = {
    eu: [
      shop("192.0.2.1"),
      ingress({ name: "shop-api", annotations: annotated(), created: "2026-01-02T00:00:00Z" }, ["shop.example.org"], ["192.0.2.1"]),
      ingress({ name: "shop-new", annotations: annotated(), created: "2026-01-03T00:00:00Z" }, ["shop.example.org"], ["192.0.2.3"]),
    ],
  };
  expect(served(startHub().pass({ clusters }))).toEqual(["web/shop shop.example.org: eu 192.0.2.1 | eu-2 192.0.2.3"]);
});

test("a backend keeps its name when an older source of its cluster appears", () => {
  const hub = startHub();
  const young = ingress({ name: "young", annotations: annotated(), created: "2026-01-03T00:00:00Z" }, ["shop.example.org"], ["192.0.2.3"]);
  hub.pass({ clusters: { eu: [young] } });
  expect(served(hub.pass({ clusters: { eu: [shop("192.0.2.1"), young] } }))).toEqual([
    "web/young shop.example.org: eu 192.0.2.3 | eu-2 192.0.2.1",
  ]);
});

test("another source's different hosts make a route with a hash in its name", () => {
  const other = ingress(
    { annotations: annotated(), created: "2026-01-02T00:00:00Z" },
    ["shop.example.org", "api.example.org"],
    ["192.0.2.2"],
  );
  const lines = served(startHub().pass({ clusters: { eu: [shop("192.0.2.1")], us: [other] } }));
  expect(lines).toEqual([
    "web/shop shop.example.org: eu 192.0.2.1 | us 192.0.2.2",
    expect.stringMatching(/^web\/shop-[0-9a-f]{8} api\.example\.org: us 192\.0\.2\.2$/),
  ]);
});

test("the incumbent's policy wins, however old the other is, and the other is told", () => {
  const hub = startHub();
  const eu = shop("192.0.2.1", { ttl: "20s" }, "2026-01-05T00:00:00Z");
  hub.pass({ clusters: { eu: [eu], us: [] } });
  const result = hub.pass({ clusters: { eu: [eu], us: [shop("192.0.2.2", { ttl: "40s" }, "2020-01-01T00:00:00Z")] } });
  expect(result.inventory.routes[0]?.ttl).toEqual({ min: 20, max: 20 });
  expect(told(result)).toEqual(["PolicyConflict Ingress web/shop"]);
  expect(result.warnings[0]).toMatchObject({ cluster: "us", message: expect.stringContaining("eu/web/Ingress/shop") });
  expect(hub.pass({ clusters: { eu: [], us: [shop("192.0.2.2", { ttl: "40s" })] } }).inventory.routes[0]).toMatchObject({
    name: "shop",
    ttl: { min: 40, max: 40 },
  });
});

test("the hub's status says who the incumbent is to a controller that has just started", () => {
  const stored = globalRoute(
    { labels: { "globalroute.dev/generated": "true" }, status: { policySource: "us/web/Ingress/shop" } },
    { hosts: ["shop.example.org"], discovery: "SameNamespace", ttl: { min: "40s", max: "40s" } },
  );
  const clusters = { eu: [shop("192.0.2.1", { ttl: "20s" }, "2020-01-01T00:00:00Z")], us: [shop("192.0.2.2", { ttl: "40s" })] };
  expect(startHub().pass({ routes: [stored], clusters }).inventory.routes[0]?.ttl.max).toBe(40);
});

test("removing the label adopts a generated route: its spec counts, and sources go on joining", () => {
  const adopted = globalRoute(
    { generation: 2 },
    { hosts: ["shop.example.org"], discovery: "SameNamespace", ttl: { min: "7s", max: "7s" } },
  );
  const hub = startHub();
  hub.pass({ clusters: { eu: [shop("192.0.2.1")] } });
  const result = hub.pass({ routes: [adopted], clusters: { eu: [shop("192.0.2.1")] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(result.inventory.routes[0]?.ttl.max).toBe(7);
  expect(result.generated).toEqual([]);
});

test("a status without addresses is pending: a new source waits, one that was served keeps what it had", () => {
  const hub = startHub();
  const fresh = hub.pass({ clusters: { eu: [ingress({ annotations: annotated() }, ["shop.example.org"], [])] } });
  expect(served(fresh)).toEqual([]);
  expect(judged(fresh, "GlobalRoute", "web/shop")).toBe("NoBackends");
  expect(served(hub.pass({ clusters: { eu: [shop("192.0.2.1")] } }))).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  const empty = hub.pass({ clusters: { eu: [ingress({ annotations: annotated() }, ["shop.example.org"], [])] } });
  expect(served(empty)).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(empty.reports[0]?.backends).toMatchObject([{ name: "eu", reason: "Pending" }]);
  expect(served(hub.pass({ clusters: { eu: [shop("192.0.2.5")] } }))).toEqual(["web/shop shop.example.org: eu 192.0.2.5"]);
});

test("a source that a route names and that is gone keeps its addresses, and is told", () => {
  const route = globalRoute(
    {},
    {
      hosts: ["shop.example.org"],
      backends: [
        { name: "a", cluster: "eu", sourceRef: { kind: "Ingress", name: "shop" } },
        { name: "b", cluster: "eu", sourceRef: { kind: "Ingress", name: "never" } },
      ],
    },
  );
  const hub = startHub();
  hub.pass({ routes: [route], clusters: { eu: [ingress({}, [], ["192.0.2.1"])] } });
  const result = hub.pass({ routes: [route], clusters: { eu: [] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: a 192.0.2.1"]);
  expect(result.reports[0]?.backends).toMatchObject([
    { name: "a", reason: "SourceMissing" },
    { name: "b", reason: "SourceMissing" },
  ]);
});

test("an annotated source that is gone from a cluster that can be asked goes; the last one of a generated route takes it along", () => {
  const hub = startHub();
  hub.pass({ clusters: { eu: [shop("192.0.2.1")], us: [shop("192.0.2.2")] } });
  expect(served(hub.pass({ clusters: { eu: [], us: [shop("192.0.2.2")] } }))).toEqual(["web/shop shop.example.org: us 192.0.2.2"]);
  const none = hub.pass({ clusters: { eu: [], us: [] } });
  expect([served(none), none.generated]).toEqual([[], []]);
});

test("the last annotated source of a route of people's leaves it served as it was, and not accepted", () => {
  const route = globalRoute({}, { hosts: ["shop.example.org"] });
  const hub = startHub();
  hub.pass({ routes: [route], clusters: { eu: [shop("192.0.2.1")] } });
  const result = hub.pass({ routes: [route], clusters: { eu: [] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(judged(result, "GlobalRoute", "web/shop")).toBe("NoBackends");
});

const start = { clusters: { eu: [shop("192.0.2.1")], us: [shop("192.0.2.2", { ttl: "9s" }, "2026-01-02T00:00:00Z")] } };
const both = ["web/shop shop.example.org: eu 192.0.2.1 | us 192.0.2.2"];
test("what has not been read again after a restart is served as it was saved (safety rule 2)", () => {
  const saved = startHub().pass(start);
  for (const unread of ["all", ["Ingress"]] as const) {
    const first = startHub(reconciledFrom(saved.inventory)).pass({ ...start, unread: { eu: unread } });
    expect(served(first)).toEqual(both);
    expect(startHub(saved).pass({ ...start, unread: { eu: unread, us: unread } }).inventory).toBe(saved.inventory);
  }
});

test("a controller without any memory takes addresses of clusters that it cannot read from the status on the hub", () => {
  const route = globalRoute(
    {
      status: {
        backends: [
          { name: "eu", cluster: "eu", source: "Ingress web/shop", addresses: ["192.0.2.1", "169.254.169.254"], health: "Healthy" },
        ],
      },
    },
    { hosts: ["shop.example.org"], discovery: "SameNamespace" },
  );
  const result = startHub().pass({ routes: [route], clusters: { eu: [], us: [shop("192.0.2.2")] }, unread: { eu: "all" } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1 | us 192.0.2.2"]);
  expect(served(startHub().pass({ routes: [route], clusters: { eu: [], us: [shop("192.0.2.2")] }, unread: { eu: ["Gateway"] } }))).toEqual([
    "web/shop shop.example.org: us 192.0.2.2",
  ]);
});

test("a cluster that cannot be asked keeps what was seen of it, and has no say in readiness", () => {
  const slice = endpointSlice({ name: "shop-x" }, "shop", [{ ready: false }]);
  const clusters = { eu: [shop("192.0.2.1"), slice], us: [shop("192.0.2.2")] };
  const hub = startHub();
  const before = hub.pass({ clusters });
  expect([...before.readiness]).toEqual([["web/shop/eu", { ready: 0, total: 1 }]]);
  const cut = hub.pass({ clusters, cutOff: ["eu"] });
  expect([...cut.readiness]).toEqual([]);
  expect(cut.inventory).toBe(before.inventory);
});

test("a mistake in one object leaves that object as it was served, and everything else goes on", () => {
  const hub = startHub();
  const route = (generation: number, hosts: readonly string[], cluster: string) =>
    globalRoute({ generation }, { hosts, backends: [{ name: "a", cluster, addresses: [`192.0.2.${generation}`] }] });
  const other = (address: string) =>
    globalRoute(
      { name: "other", generation: Number(address.slice(8)) },
      { hosts: ["other.example.org"], backends: [{ name: "a", cluster: "eu", addresses: [address] }] },
    );
  hub.pass({ routes: [route(1, ["shop.example.org"], "eu"), other("192.0.2.11")], clusters: { eu: [] } });
  for (const [bad, reason] of [
    [route(2, ["shop.example.org"], "nowhere"), "Invalid"],
    [route(2, ["Shop_.example.org"], "eu"), "Invalid"],
    [
      globalRoute(
        { generation: 2 },
        { hosts: ["shop.example.org"], routing: { order: "Cheapest" }, backends: [{ name: "a", cluster: "eu", addresses: ["192.0.2.2"] }] },
      ),
      "UnsupportedValue",
    ],
    [route(2, ["other.example.org"], "eu"), "HostTaken"],
  ] as const) {
    const result = hub.pass({ routes: [bad, other(`192.0.2.${12 + reason.length}`)], clusters: { eu: [] } });
    expect(served(result)).toEqual([
      `web/other other.example.org: a 192.0.2.${12 + reason.length}`,
      "web/shop shop.example.org: a 192.0.2.1",
    ]);
    expect(judged(result, "GlobalRoute", "web/shop")).toBe(reason);
    expect(result.generations.has("GlobalRoute/web/shop")).toBe(false);
  }
  expect(served(hub.pass({ routes: [route(3, ["shop.example.org"], "eu"), other("192.0.2.11")], clusters: { eu: [] } }))[1]).toBe(
    "web/shop shop.example.org: a 192.0.2.3",
  );
});

test("the message is that of globalroute validate", () => {
  const route = globalRoute({}, { hosts: ["shop.example.org"], backends: [{ name: "a", cluster: "eu-wst", addresses: ["192.0.2.1"] }] });
  const result = startHub().pass({ routes: [route], clusters: { "eu-west": [] } });
  expect(result.reports[0]?.accepted.message).toBe(
    "spec.backends[0].cluster: there is no MemberCluster eu-wst. Did you mean eu-west? Correct the name, or add a MemberCluster called so. [cluster-unknown]",
  );
});

test("a MemberCluster with a mistake stays as it was, with the addresses of its sources", () => {
  const hub = startHub();
  const clusters = { eu: [shop("192.0.2.1")] };
  hub.pass({ clusters, memberClusters: [memberCluster("eu", {}, { addressing: { type: "Static", addresses: ["198.51.100.1"] } })] });
  const result = hub.pass({
    clusters: { eu: [shop("192.0.2.7")] },
    memberClusters: [memberCluster("eu", { generation: 2 }, { location: { cloud: "aws", region: "eu-wst-1" } })],
  });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 198.51.100.1"]);
  expect(result.inventory.clusters.map(({ name }) => name)).toEqual(["eu"]);
  expect(judged(result, "MemberCluster", "eu")).toBe("Invalid");
});

test("a DNSZone with a mistake stays as it was, and so do the routes that it allowed", () => {
  const hub = startHub();
  const clusters = { eu: [shop("192.0.2.1")] };
  hub.pass({
    clusters,
    zones: [dnsZone("example.org", [{ namespaceSelector: { matchLabels: { team: "web" } } }])],
    namespaces: { web: { team: "web", "kubernetes.io/metadata.name": "web" } },
  });
  const broken = dnsZone("example.org", [{ namespaceSelector: "web" }], { generation: 2 });
  const result = hub.pass({ clusters, zones: [broken], namespaces: { web: { team: "web", "kubernetes.io/metadata.name": "web" } } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(result.inventory.zones.map(({ domain }) => domain)).toEqual(["example.org"]);
});

test("what is being deleted is drained while something holds it back (safety rule 7)", () => {
  const leaving = ingress({ annotations: annotated(), deleting: true }, ["shop.example.org"], ["192.0.2.1"]);
  const result = startHub().pass({
    clusters: { eu: [leaving], us: [shop("192.0.2.2")] },
    memberClusters: [memberCluster("eu"), memberCluster("us", { deleting: true })],
  });
  expect(result.inventory.overrides).toMatchObject([
    { action: "Drain", target: { kind: "GlobalRoute", namespace: "web", name: "shop", backend: "eu" } },
  ]);
  expect(result.inventory.clusters.map(({ name, state }) => [name, state])).toEqual([
    ["eu", "Active"],
    ["us", "Draining"],
  ]);
});

test("a zone is leaving when its object says so and is held for its records, whatever else is wrong with it", () => {
  const hub = startHub();
  const zone = (spec: Readonly<Record<string, unknown>>, metadata: Readonly<Record<string, unknown>> = {}) => {
    const made = dnsZone("example.org", [{}]);
    const provider = { type: "Route53", route53: {} };
    const whole = { domain: "example.org", owner: "prod", provider, deletionPolicy: "Delete", ...spec };
    return { ...made, metadata: { ...made.metadata, ...metadata }, spec: whole };
  };
  const leaves = (...[spec, metadata]: Parameters<typeof zone>) =>
    hub.pass({ zones: [zone(spec, metadata)] }).inventory.zones[0]?.isLeaving;
  const deletionTimestamp = "2026-11-21T12:00:00Z";
  const finalizers = ["globalroute.dev/records"];
  expect(leaves({}, { finalizers })).toBeUndefined();
  expect(leaves({}, { deletionTimestamp })).toBeUndefined();
  expect(leaves({}, { deletionTimestamp, finalizers })).toBe(true);
  expect(leaves({ owner: 7 }, { deletionTimestamp, finalizers })).toBe(true); // what was served last stands
  expect(leaves({ deletionPolicy: "Orphan" }, { deletionTimestamp, finalizers })).toBeUndefined();
  expect(leaves({ policy: "DryRun" }, { deletionTimestamp, finalizers })).toBeUndefined();
  expect(leaves({ owner: 7 }, { deletionTimestamp })).toBeUndefined();
});

test("overrides pass, and one with a mistake stays as it was", () => {
  const hub = startHub();
  const drain = (generation: number, action: string) =>
    override({ name: "d", generation }, { targetRef: { kind: "GlobalRoute", name: "shop" }, action });
  hub.pass({ clusters: { eu: [shop("192.0.2.1")] }, overrides: [drain(1, "Drain")] });
  const result = hub.pass({ clusters: { eu: [shop("192.0.2.1")] }, overrides: [drain(2, "Explode")] });
  expect(result.inventory.overrides).toMatchObject([{ name: "d", action: "Drain" }]);
  expect(judged(result, "TrafficOverride", "web/d")).toBe("UnsupportedValue");
});

test("a drill that an earlier writer gave up is not begun again, unless it is another one by now", () => {
  const hub = startHub();
  const spec = {
    targetRef: { kind: "GlobalRoute", name: "shop" },
    action: "Drill",
    start: "2026-11-21T12:00:00Z",
    until: "2126-11-21T12:00:00Z",
  };
  const aborted = { reason: "web/shop: us is not in service", at: "2026-11-21T12:00:30Z" };
  const drill = (generation: number) => ({ ...override({ name: "d", generation }, spec), status: { observedGeneration: 1, aborted } });
  const pass = (generation: number) => hub.pass({ clusters: { eu: [shop("192.0.2.1")] }, overrides: [drill(generation)] });
  expect(pass(1).inventory.overrides).toMatchObject([{ aborted: { reason: aborted.reason, at: Date.parse(aborted.at) } }]);
  expect(pass(2).inventory.overrides[0]?.aborted).toBeUndefined();
});

test("a bad annotation changes nothing that is served: neither of a source that is in, nor by one that is not", () => {
  const hub = startHub();
  hub.pass({ clusters: { eu: [shop("192.0.2.1", { weight: "30", ttl: "20s" })], us: [] } });
  const result = hub.pass({
    clusters: { eu: [shop("192.0.2.1", { weight: "heavy", ttl: "20s" })], us: [shop("192.0.2.2", { "health-path": "x y" })] },
  });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1*30"]);
  expect(result.inventory.routes[0]?.ttl.max).toBe(20);
  expect(told(result)).toEqual(["AnnotationInvalid Ingress web/shop", "AnnotationInvalid Ingress web/shop"]);
  expect(result.warnings.map(({ cluster }) => cluster).sort()).toEqual(["eu", "us"]);
});

test("nothing has changed: the very same value comes back; one change leaves all other parts what they were", () => {
  const hub = startHub();
  const first = hub.pass(start);
  expect(hub.pass(start)).toBe(first);
  const other = ingress({ name: "api", annotations: annotated() }, ["api.example.org"], ["192.0.2.4"]);
  const more = hub.pass({ clusters: { ...start.clusters, us: [...start.clusters.us, other] } });
  expect(more.inventory.routes.find(({ name }) => name === "shop")).toBe(first.inventory.routes[0]);
  expect([more.inventory.clusters, more.inventory.zones, more.inventory.overrides]).toEqual([
    first.inventory.clusters,
    first.inventory.zones,
    [],
  ]);
  expect(more.inventory.zones).toBe(first.inventory.zones);
});

test("a status written to the hub changes neither the inventory nor what was worked out", () => {
  const route = (status: unknown) =>
    globalRoute({ status }, { hosts: ["shop.example.org"], backends: [{ name: "a", cluster: "eu", addresses: ["192.0.2.1"] }] });
  const hub = startHub();
  const first = hub.pass({ routes: [route(undefined)], clusters: { eu: [] } });
  const second = hub.pass({
    routes: [route({ backends: [{ name: "a", cluster: "eu", addresses: ["192.0.2.1"], health: "Healthy" }] })],
    clusters: { eu: [] },
  });
  expect(second.inventory).toBe(first.inventory);
  expect(second.generations).toBe(first.generations);
});

test("a source of a namespace that the hub does not have joins nothing, however open the zone is", () => {
  const result = startHub().pass({ clusters: { eu: [shop("192.0.2.1")] }, namespaces: {} });
  expect([served(result), told(result)]).toEqual([[], ["NamespaceMissing Ingress web/shop"]]);
});

test("a source that is missing keeps its place beside others", () => {
  const route = globalRoute(
    {},
    {
      hosts: ["shop.example.org"],
      backends: [
        { name: "a", cluster: "eu", sourceRef: { kind: "Ingress", name: "shop" } },
        { name: "b", cluster: "eu", addresses: ["192.0.2.9"] },
      ],
    },
  );
  const hub = startHub();
  hub.pass({ routes: [route], clusters: { eu: [ingress({}, [], ["192.0.2.1"])] } });
  expect(served(hub.pass({ routes: [route], clusters: { eu: [] } }))).toEqual(["web/shop shop.example.org: a 192.0.2.1 | b 192.0.2.9"]);
});

test("a route of people's that cannot be served takes no host from a generated one", () => {
  const bad = globalRoute(
    { name: "mine" },
    { hosts: ["shop.example.org"], backends: [{ name: "a", cluster: "nowhere", addresses: ["192.0.2.9"] }] },
  );
  const hub = startHub();
  const clusters = { eu: [shop("192.0.2.1")] };
  hub.pass({ clusters });
  expect(served(hub.pass({ routes: [bad], clusters }))).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
});

test("a MemberCluster that is deleted is left by routes that still list it", () => {
  const backend = (name: string) => ({ name, cluster: name, addresses: [name === "eu" ? "192.0.2.1" : "192.0.2.2"] });
  const route = globalRoute({}, { hosts: ["shop.example.org"], backends: [backend("eu"), backend("us")] });
  const hub = startHub();
  hub.pass({ routes: [route], clusters: { eu: [], us: [] } });
  const result = hub.pass({ routes: [route], clusters: { eu: [] } });
  expect(served(result)).toEqual(["web/shop shop.example.org: eu 192.0.2.1"]);
  expect(judged(result, "GlobalRoute", "web/shop")).toBe("Invalid");
});

test("the owner of a zone can take a name back", () => {
  const hub = startHub();
  const clusters = { eu: [shop("192.0.2.1")] };
  const route = globalRoute(
    { name: "mine" },
    { hosts: ["mine.example.org"], backends: [{ name: "a", cluster: "eu", addresses: ["192.0.2.9"] }] },
  );
  hub.pass({ routes: [route], clusters });
  const result = hub.pass({
    routes: [route],
    clusters,
    zones: [dnsZone("example.org", [{ suffixes: ["other.example.org"] }], { generation: 2 })],
  });
  expect(served(result)).toEqual([]);
  expect(judged(result, "GlobalRoute", "web/mine")).toBe("HostNotAllowed");
  expect(told(result)).toEqual(["HostNotAllowed Ingress web/shop"]);
});
