import fc from "fast-check";
import { expect, test } from "vitest";
import { clustersOf, hubOf, oneRegion, type WorldInput } from "../../test/support/kube/reconcile-world.ts";
import { annotated, dnsZone, globalRoute, ingress, memberCluster, service } from "../../test/support/kube/source-objects.ts";
import { SOURCE_KINDS } from "../clusters/cluster-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { createReconciler, type ReconcileInput } from "./reconcile.ts";
import type { Reconciled } from "./reconciled.ts";

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const created = oneOf("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z");
const namespace = oneOf("web", "pay", "ops");
const hosts = fc.uniqueArray(oneOf("a.example.org", "b.example.org", "*.example.org", "c.example.net"), { minLength: 0, maxLength: 2 });
const addresses = fc.uniqueArray(oneOf("192.0.2.1", "192.0.2.2", "2001:db8::1", "lb.example.net", "127.0.0.1"), { maxLength: 2 });
const annotations = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  oneOf<Record<string, string>>(
    { weight: "20" },
    { weight: "x" },
    { ttl: "9s" },
    { ttl: "30s" },
    { route: "false" },
    { route: "maybe" },
    { residency: "eu" },
    { order: "Weighted", priority: "2" },
  ),
);

const source: fc.Arbitrary<KubeObject> = fc
  .record({
    namespace,
    name: oneOf("shop", "api"),
    hosts,
    addresses,
    annotations,
    created,
    deleting: fc.boolean(),
    isService: fc.boolean(),
  })
  .map(({ isService, hosts: names, addresses: given, annotations: more, ...meta }) =>
    isService
      ? service({ ...meta, annotations: { ...annotated(more), "external-dns.kubernetes.io/hostname": names.join() } }, given)
      : ingress({ ...meta, annotations: annotated(more) }, names, given),
  );

const backend = fc
  .record({ name: oneOf("x", "y", "eu"), cluster: oneOf("eu", "us", "gone") })
  .chain(({ name, cluster }) =>
    oneOf<unknown>(
      { name, cluster, addresses: ["198.51.100.1"] },
      { name, cluster, sourceRef: { kind: "Ingress", name: "shop" } },
      { name, cluster, sourceRef: { kind: "Service", name: "api" } },
    ),
  );
const route: fc.Arbitrary<KubeObject> = fc
  .record({
    namespace,
    name: oneOf("shop", "mine"),
    created,
    hosts: fc.uniqueArray(oneOf("a.example.org", "b.example.org", "BAD"), { minLength: 1, maxLength: 2 }),
    backends: fc.array(backend, { maxLength: 2 }),
    discovery: oneOf(undefined, "SameNamespace", "None"),
    isLabelled: fc.boolean(),
  })
  .map(({ hosts: names, backends, discovery, isLabelled, ...meta }) =>
    globalRoute(
      { ...meta, ...(isLabelled ? { labels: { "globalroute.dev/generated": "true" } } : {}) },
      { hosts: names, backends, ...(discovery === undefined ? {} : { discovery }) },
    ),
  );

const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.namespace}/${metadata.name}`;
const distinct = (arbitrary: fc.Arbitrary<KubeObject>, maxLength: number) => fc.uniqueArray(arbitrary, { maxLength, selector: key });

const world: fc.Arbitrary<WorldInput> = fc.record({
  routes: distinct(route, 3),
  clusters: fc.record({ eu: distinct(source, 4), us: distinct(source, 4) }),
  memberClusters: fc.constant([memberCluster("eu", { labels: { "residency.globalroute.dev/region": "eu" } }), memberCluster("us")]),
  zones: oneOf<readonly KubeObject[]>(
    [dnsZone("example.org", [{}])],
    [dnsZone("example.org", [{ namespaceSelector: { matchLabels: { team: "web" } } }])],
  ),
  namespaces: fc.constant({ web: { team: "web" }, pay: {}, ops: {} }),
  unread: oneOf<NonNullable<WorldInput["unread"]>>({}, { eu: "all" }, { us: ["Ingress"] }, { eu: ["Gateway"] }),
  cutOff: fc.subarray(["eu", "us"]),
});
const worlds = fc.array(world, { minLength: 1, maxLength: 4 });

const inputOf = (one: WorldInput, previous: Reconciled | undefined): ReconcileInput => ({
  hub: hubOf(one),
  clusters: clustersOf(one),
  previous,
});
const fresh = () => createReconciler({ regions: oneRegion, allow: [] });

/** The last two states of a history, and the input that led from one to the other. */
function live(history: readonly WorldInput[]) {
  const reconciler = fresh();
  let previous: Reconciled | undefined;
  let last: Reconciled | undefined;
  for (const one of history) {
    previous = last;
    last = reconciler.reconcile(inputOf(one, previous));
  }
  const now = history.at(-1);
  if (last === undefined || now === undefined) throw new Error("an empty history");
  return { last, previous, now };
}

const reversed = ({ hub, clusters, previous }: ReconcileInput): ReconcileInput => ({
  previous,
  hub: {
    ...hub,
    routes: [...hub.routes].reverse(),
    clusters: [...hub.clusters].reverse(),
    zones: [...hub.zones].reverse(),
    namespaces: new Map([...hub.namespaces].reverse()),
  },
  clusters: [...clusters].reverse().map(({ objects, ...cluster }) => ({
    ...cluster,
    objects: Object.fromEntries(
      SOURCE_KINDS.flatMap((kind) => (objects[kind] === undefined ? [] : [[kind, [...objects[kind]].reverse()]])),
    ),
  })),
});

/** `a.example.org 192.0.2.1,192.0.2.2`, sorted. */
const answers = ({ inventory }: Reconciled): readonly string[] =>
  inventory.routes
    .flatMap(({ hosts: names, backends }) => names.map((host) => `${host} ${backends.flatMap((one) => one.addresses).sort()}`))
    .sort();

const RUNS = { numRuns: 150 };

test("the order of objects makes no difference", () => {
  fc.assert(
    fc.property(worlds, (history) => {
      const { last, previous, now } = live(history);
      expect(fresh().reconcile(reversed(inputOf(now, previous)))).toEqual(last);
    }),
    RUNS,
  );
});

test("what is remembered saves work and changes nothing: one that has just started comes to the same", () => {
  fc.assert(
    fc.property(worlds, (history) => {
      const { last, previous, now } = live(history);
      expect(fresh().reconcile(inputOf(now, previous))).toEqual(last);
    }),
    RUNS,
  );
});

/** What may happen to one world: most of it stays the very same objects. */
type Step = (one: WorldInput, last: Reconciled) => WorldInput;

const inCluster =
  (cluster: string, change: (objects: readonly KubeObject[]) => readonly KubeObject[]): Step =>
  (one) => ({
    ...one,
    clusters: { ...one.clusters, [cluster]: change(one.clusters?.[cluster] ?? []) },
  });
const cluster = oneOf("eu", "us");
const at = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  // A policy that counts, or does not, or cannot be read.
  fc
    .tuple(cluster, at, annotations)
    .map(([where, index, more]) =>
      inCluster(where, (objects) =>
        objects.map((object, i) =>
          i === index
            ? { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotated(more) } } }
            : object,
        ),
      ),
    ),
  fc.tuple(cluster, at).map(([where, index]) => inCluster(where, (objects) => objects.filter((_, i) => i !== index))),
  fc
    .tuple(cluster, source)
    .map(([where, added]) => inCluster(where, (objects) => [...objects.filter((one) => key(one) !== key(added)), added])),
  // Generated routes get to the hub, as they are to be.
  fc.constant<Step>((one, { generated }) => ({
    ...one,
    routes: [
      ...(one.routes ?? []).filter((own) => generated.every((made) => key(made) !== key(own))),
      ...generated.map((made) => ({
        ...made,
        metadata: {
          ...made.metadata,
          uid: `uid-${made.metadata.name}`,
          resourceVersion: "7",
          generation: 1,
          creationTimestamp: "2026-01-04T00:00:00Z",
        },
      })),
    ],
  })),
  // Statuses get there: from now on others go by them.
  fc.constant<Step>((one, { reports }) => ({
    ...one,
    routes: (one.routes ?? []).map((own) => {
      const report = reports.find(({ namespace, name }) => `GlobalRoute/${namespace}/${name}` === key(own));
      if (report === undefined) return own;
      const condition = { type: "Accepted", observedGeneration: own.metadata.generation, status: report.accepted.status };
      return { ...own, status: { conditions: [condition] } };
    }),
  })),
  fc.constant<Step>((one) => one),
  oneOf<readonly KubeObject[]>(
    [dnsZone("example.org", [{}])],
    [dnsZone("example.org", [{ namespaceSelector: { matchLabels: { team: "web" } } }])],
    [],
  ).map(
    (zones): Step =>
      (one) => ({ ...one, zones }),
  ),
  oneOf<NonNullable<WorldInput["namespaces"]>>({ web: { team: "web" }, pay: {}, ops: {} }, { web: {}, pay: { team: "web" } }).map(
    (namespaces): Step =>
      (one) => ({ ...one, namespaces }),
  ),
  oneOf([memberCluster("eu"), memberCluster("us")], [memberCluster("eu", { deleting: true })]).map(
    (memberClusters): Step =>
      (one) => ({ ...one, memberClusters }),
  ),
  fc.tuple(route).map(
    ([added]): Step =>
      (one) => ({ ...one, routes: [...(one.routes ?? []).filter((own) => key(own) !== key(added)), added] }),
  ),
  at.map(
    (index): Step =>
      (one) => ({ ...one, routes: (one.routes ?? []).filter((_, i) => i !== index) }),
  ),
  fc.subarray(["eu", "us"]).map(
    (cutOff): Step =>
      (one) => ({ ...one, cutOff }),
  ),
  oneOf<NonNullable<WorldInput["unread"]>>({}, { eu: "all" }, { us: ["Ingress"] }).map(
    (unread): Step =>
      (one) => ({ ...one, unread }),
  ),
);

test("after small changes too, one that has just started comes to what one comes to that remembers", () => {
  fc.assert(
    fc.property(world, fc.array(step, { minLength: 1, maxLength: 12 }), (first, steps) => {
      const reconciler = fresh();
      let one = first;
      let last = reconciler.reconcile(inputOf(one, undefined));
      for (const next of steps) {
        one = next(one, last);
        const input = inputOf(one, last);
        const expected = fresh().reconcile(input);
        last = reconciler.reconcile(input);
        expect(last).toEqual(expected);
      }
    }),
    { numRuns: 600 },
  );
});

test("nothing changes any more when nothing changes", () => {
  fc.assert(
    fc.property(worlds, (history) => {
      const { last, now } = live(history);
      // Reports may still speak of what went, and names of generated routes settle when the hub's copies have been seen.
      const again = fresh().reconcile(inputOf(now, last));
      expect(answers(again)).toEqual(answers(last));
      expect(fresh().reconcile(inputOf(now, again))).toBe(again);
    }),
    RUNS,
  );
});

test("no host has two routes, no backend is empty, nobody is sent to a cluster that is not there", () => {
  fc.assert(
    fc.property(worlds, (history) => {
      const { inventory } = live(history).last;
      const taken = inventory.routes.flatMap((one) => one.hosts);
      expect(new Set(taken).size).toBe(taken.length);
      const backends = inventory.routes.flatMap((one) => one.backends);
      expect(inventory.routes.every((one) => one.backends.length > 0 && one.hosts.length > 0)).toBe(true);
      expect(backends.every((one) => one.addresses.length > 0 && ["eu", "us"].includes(one.cluster))).toBe(true);
      expect(backends.flatMap((one) => one.addresses)).not.toContain("127.0.0.1");
    }),
    RUNS,
  );
});

test("while clusters have only become silent, nothing that was served goes", () => {
  fc.assert(
    fc.property(world, fc.subarray(["eu", "us"]), (one, silent) => {
      const hub = { ...one, unread: {}, cutOff: [] };
      const reconciler = fresh();
      const before = reconciler.reconcile(inputOf(hub, undefined));
      const unread = Object.fromEntries(silent.map((cluster) => [cluster, "all" as const]));
      const after = fresh().reconcile(inputOf({ ...hub, unread }, before));
      const names = (all: Reconciled) =>
        all.inventory.routes
          .flatMap((route_) => route_.backends.map((each) => `${route_.namespace}/${route_.name} ${each.name} ${each.addresses}`))
          .sort();
      expect(names(after)).toEqual(names(before));
    }),
    RUNS,
  );
});
