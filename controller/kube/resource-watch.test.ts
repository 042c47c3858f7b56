import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "./kube-error.ts";
import type { Resource } from "./kube-object.ts";
import { type ResourceWatchOptions, type WatchChange, watchResource } from "./resource-watch.ts";
import { HTTP_ROUTES, INGRESSES } from "./resources.ts";
import { createMemoryKube, type MemoryKube, unreachable } from "./support/memory-kube.ts";
import { simulatedPorts } from "./support/simulated-ports.ts";

const ingress = (name: string, spec: unknown = {}) => ({ metadata: { namespace: "web", name }, spec });

function start(world: { readonly kube?: MemoryKube } = {}, options: ResourceWatchOptions = {}, resource: Resource = INGRESSES) {
  const clock = createSimulatedClock();
  const kube = world.kube ?? createMemoryKube();
  const changes: WatchChange[] = [];
  const errors: unknown[] = [];
  const ports = simulatedPorts(clock);
  const watch = watchResource(kube.open(), resource, options, ports, {
    onChange: (change) => void changes.push(change),
    onError: (error) => void errors.push(error),
  });
  return { clock, kube, changes, errors, watch, names: () => [...watch.objects().keys()].sort() };
}

test("lists once, then follows: one list, however long the watch holds", async () => {
  const { clock, kube, changes, watch, names } = start();
  await clock.advance(0);
  expect(changes).toEqual([{ changed: [], vanished: [], listed: true }]);
  expect(watch.state()).toEqual({ synced: true, forbidden: false, served: true });
  const shop = kube.put(INGRESSES, ingress("shop"));
  kube.put(INGRESSES, ingress("cart"));
  kube.remove(INGRESSES, "web/cart");
  expect(changes[1]).toEqual({ changed: [shop], vanished: [], listed: false });
  expect(changes[3]?.vanished[0]?.metadata.name).toBe("cart");
  expect(names()).toEqual(["web/shop"]);
  // A server that ends its watches every five minutes for an hour.
  for (let i = 0; i < 12; i++) {
    await clock.advance(300_000);
    kube.bookmark();
    kube.cut();
  }
  await clock.advance(1000);
  expect(kube.counts).toEqual({ lists: 1, watches: 13, open: 1 });
});

test("resumes after a broken connection without a list and without a loss", async () => {
  const { clock, kube, changes, errors, watch, names } = start();
  await clock.advance(60_000);
  kube.fail(unreachable());
  await clock.advance(5_000);
  expect(watch.state().failingSince).toBe(60_000);
  expect(watch.state().error?.reason).toBe("Refused");
  kube.put(INGRESSES, ingress("shop"));
  kube.put(INGRESSES, ingress("shop", { rules: [] }));
  expect(names()).toEqual([]);
  kube.fail(undefined);
  await clock.advance(30_000);
  expect(names()).toEqual(["web/shop"]);
  expect(watch.state()).toEqual({ synced: true, forbidden: false, served: true });
  expect(kube.counts.lists).toBe(1);
  expect(changes.length).toBe(3);
  expect(errors.length).toBeGreaterThan(1);
});

test("keeps what it saw while the server is away, and tries ever more seldom", async () => {
  const { clock, kube, errors, watch, names } = start();
  kube.put(INGRESSES, ingress("shop"));
  await clock.advance(60_000);
  kube.fail(unreachable());
  await clock.advance(3_600_000);
  expect(names()).toEqual(["web/shop"]);
  expect(watch.state().synced).toBe(true);
  // 0.25 s to 15 s with this dice: about four a minute in the end
  expect(errors.length).toBeGreaterThan(230);
  expect(errors.length).toBeLessThan(260);
});

test("410 lists again at once, and tells only what differs", async () => {
  const { clock, kube, changes } = start();
  const stays = kube.put(INGRESSES, ingress("stays"));
  kube.put(INGRESSES, ingress("goes"));
  kube.put(INGRESSES, ingress("changes"));
  await clock.advance(60_000);
  changes.length = 0;
  const listsBefore = kube.counts.lists;
  // Meanwhile the watch is away, and history is forgotten.
  kube.fail(unreachable());
  kube.remove(INGRESSES, "web/goes");
  kube.put(INGRESSES, ingress("changes", { ingressClassName: "x" }));
  kube.put(INGRESSES, ingress("comes"));
  kube.compact();
  kube.fail(undefined);
  await clock.advance(1_000);
  expect(kube.counts.lists).toBe(listsBefore + 1);
  expect(changes).toHaveLength(1);
  expect(changes[0]?.changed.map(({ metadata }) => metadata.name).sort()).toEqual(["changes", "comes"]);
  expect(changes[0]?.vanished.map(({ metadata }) => metadata.name)).toEqual(["goes"]);
  expect(changes[0]?.listed).toBe(true);
  expect(stays).toBeDefined();
});

test("410 again and again does not make a tight loop", async () => {
  const kube = createMemoryKube();
  kube.failKind("ingresses", new KubeError("gone", { status: 410, reason: "Expired" }));
  const { clock } = start({ kube });
  await clock.advance(60_000);
  expect(kube.counts.lists).toBeGreaterThan(5);
  expect(kube.counts.lists).toBeLessThan(20);
});

test("a watch that the server ends at once is not asked for in a tight loop", async () => {
  const { clock, kube } = start();
  await clock.advance(10_000);
  const before = kube.counts.watches;
  for (let i = 0; i < 1000; i++) {
    kube.cut();
    await clock.advance(20);
  }
  expect(kube.counts.watches - before).toBeLessThan(30);
  expect(kube.counts.lists).toBe(1);
});

test("a history that went back is noticed at the next bookmark, and listed again", async () => {
  const { clock, kube } = start();
  await clock.advance(60_000);
  kube.bookmark(50);
  await clock.advance(0);
  expect(kube.counts.lists).toBe(2);
});

test.each([
  { how: "broken connection", cut: (kube: MemoryKube) => kube.fail(unreachable()) },
  { how: "server error", cut: (kube: MemoryKube) => kube.fail(new KubeError("no", { status: 503, reason: "x" })) },
])("a server that was restored to an earlier state is listed anew after a $how", async ({ cut }) => {
  const { clock, kube, names } = start();
  kube.put(INGRESSES, ingress("old"));
  await clock.advance(60_000);
  const restore = kube.backup();
  kube.put(INGRESSES, ingress("new"));
  kube.put(INGRESSES, ingress("newer"));
  expect(names()).toHaveLength(3);
  cut(kube);
  restore();
  await clock.advance(5000);
  kube.fail(undefined);
  await clock.advance(30_000);
  expect(names()).toEqual(["web/old"]);
  kube.put(INGRESSES, ingress("again"));
  expect(names()).toEqual(["web/again", "web/old"]);
});

test("a watch that went silent is listed anew", async () => {
  const { clock, kube, errors } = start();
  await clock.advance(60_000);
  kube.cut(new KubeError("nothing came", { status: 0, reason: "Timeout" }));
  await clock.advance(30_000);
  expect(errors).toHaveLength(1);
  expect(kube.counts.lists).toBe(2);
});

test("what a restored server counts again under the same version is still seen", async () => {
  const kube = createMemoryKube();
  const { clock, watch } = start({ kube });
  const first = kube.put(INGRESSES, ingress("shop", { ingressClassName: "a" }));
  await clock.advance(60_000);
  const other = createMemoryKube();
  while (other.version() < Number(first.metadata.resourceVersion) - 1) other.put(INGRESSES, ingress("filler"));
  other.remove(INGRESSES, "web/filler");
  other.put(INGRESSES, { ...ingress("shop", { ingressClassName: "b" }), metadata: first.metadata });
  watch.use(other.open());
  await clock.advance(0);
  expect(watch.objects().get("web/shop")?.spec).toEqual({ ingressClassName: "b" });
});

test.each([
  { status: 403, says: { forbidden: true, served: true } },
  { status: 404, says: { forbidden: false, served: false } },
])("$status of one kind keeps what was seen, and is noticed to be over", async ({ status, says }) => {
  const { clock, kube, watch, names } = start();
  kube.put(INGRESSES, ingress("shop"));
  await clock.advance(60_000);
  kube.failKind("ingresses", new KubeError("no", { status, reason: "No" }));
  await clock.advance(120_000);
  expect(watch.state()).toMatchObject(says);
  expect(names()).toEqual(["web/shop"]);
  kube.put(INGRESSES, ingress("cart"));
  kube.failKind("ingresses", undefined);
  await clock.advance(30_000);
  expect(watch.state()).toEqual({ synced: true, forbidden: false, served: true });
  expect(names()).toEqual(["web/cart", "web/shop"]);
});

test("a kind that is installed later, at whatever version, is noticed within 30 s", async () => {
  const kube = createMemoryKube();
  const { clock, watch, names } = start({ kube }, { discover: true }, HTTP_ROUTES);
  await clock.advance(600_000);
  expect(watch.state()).toMatchObject({ synced: false, served: false });
  kube.served.set("gateway.networking.k8s.io", new Map([["v1beta1", ["httproutes"]]]));
  kube.put(HTTP_ROUTES, ingress("shop"));
  await clock.advance(30_000);
  expect(watch.state()).toMatchObject({ synced: true, served: true });
  expect(names()).toEqual(["web/shop"]);
});

test("Retry-After is a lower bound", async () => {
  const kube = createMemoryKube();
  kube.fail(new KubeError("busy", { status: 429, reason: "TooManyRequests", retryAfter: 20_000 }));
  const { clock } = start({ kube });
  await clock.advance(19_900);
  expect(kube.counts.lists).toBe(1);
  kube.fail(undefined);
  await clock.advance(200);
  expect(kube.counts.lists).toBe(2);
});

test("another credential lists anew and loses nothing meanwhile", async () => {
  const { clock, kube, changes, watch, names } = start();
  kube.put(INGRESSES, ingress("shop"));
  await clock.advance(60_000);
  changes.length = 0;
  watch.use(kube.open());
  expect(names()).toEqual(["web/shop"]);
  await clock.advance(0);
  expect(changes).toEqual([]);
  expect(kube.counts).toMatchObject({ lists: 2, open: 1 });
});

test("managed fields and what is not to be kept stay out of memory", async () => {
  const kube = createMemoryKube();
  kube.put(INGRESSES, { metadata: { namespace: "web", name: "shop", managedFields: [{ manager: "x" }] }, spec: { big: 1, small: 2 } });
  kube.put(INGRESSES, ingress("ignored"));
  const { clock, watch, names } = start(
    { kube },
    { keep: (object) => (object.metadata.name === "ignored" ? undefined : { ...object, spec: { small: 2 } }) },
  );
  await clock.advance(0);
  const check = (): void => {
    expect(names()).toEqual(["web/shop"]);
    expect(watch.objects().get("web/shop")?.spec).toEqual({ small: 2 });
    expect(watch.objects().get("web/shop")?.metadata.managedFields).toBeUndefined();
  };
  check();
  kube.put(INGRESSES, { metadata: { namespace: "web", name: "shop", managedFields: [{ manager: "y" }] }, spec: { big: 3, small: 2 } });
  kube.put(INGRESSES, ingress("ignored", { x: 1 }));
  check();
});

test("a handler that throws is told, and the watch goes on", async () => {
  const clock = createSimulatedClock();
  const kube = createMemoryKube();
  const errors: unknown[] = [];
  let calls = 0;
  const watch = watchResource(kube.open(), INGRESSES, {}, simulatedPorts(clock), {
    onChange: () => {
      calls++;
      throw new Error("handler");
    },
    onError: (error) => void errors.push(error),
  });
  await clock.advance(0);
  kube.put(INGRESSES, ingress("shop"));
  kube.put(INGRESSES, ingress("cart"));
  expect(calls).toBe(3);
  expect(errors).toHaveLength(3);
  expect(watch.objects().size).toBe(2);
});

test("whoever is told of a change sees the state with it, and of the state with the change", async () => {
  const clock = createSimulatedClock();
  const kube = createMemoryKube();
  kube.put(INGRESSES, ingress("shop"));
  const seen: string[] = [];
  let size = 0;
  const watch = watchResource(kube.open(), INGRESSES, {}, simulatedPorts(clock), {
    onChange: () => {
      size = watch.objects().size;
      seen.push(`change, ${watch.state().synced}`);
    },
    onState: ({ synced }) => void seen.push(`state ${synced}, ${size}`),
  });
  await clock.advance(0);
  expect(seen).toEqual(["change, true", "state true, 1"]);
});

test("close ends the watch and every timer", async () => {
  const { clock, kube, watch, changes } = start();
  await clock.advance(1000);
  watch.close();
  await clock.advance(0);
  expect(kube.counts.open).toBe(0);
  kube.put(INGRESSES, ingress("shop"));
  expect(changes).toHaveLength(1);
  kube.fail(unreachable());
  const failing = start({ kube });
  await failing.clock.advance(5000);
  failing.watch.close();
  await failing.clock.advance(0);
  expect(failing.clock.pending()).toBe(0);
});
