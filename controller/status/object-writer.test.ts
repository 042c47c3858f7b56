import { afterEach, expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { GLOBAL_ROUTES, MEMBER_CLUSTERS } from "../kube/resources.ts";
import { EPOCH_ANNOTATION } from "../kube/writer-fence.ts";
import { createObjectWriter } from "./object-writer.ts";
import { createWriteLane } from "./write-lane.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

const route = (name: string, order = "Nearest"): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name, namespace: "web", labels: { "globalroute.dev/generated": "true" } },
  spec: { hosts: [`${name}.example.org`], routing: { order } },
});

function world() {
  const clock = createSimulatedClock();
  const ports: KubePorts = { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) };
  const hub = createMemoryHub(ports);
  let isHeld = false;
  const refused: string[] = [];
  const objects = createObjectWriter({ api: hub.api, store: hub.store, holdsDeletes: () => isHeld, onRefused: (key) => refused.push(key) });
  let epoch = 0;
  function lead() {
    const term = new AbortController();
    ended.push(() => term.abort());
    const lane = createWriteLane({
      writings: [objects],
      ports,
      onError: (_, error) => {
        throw error;
      },
    });
    hub.epoch = ++epoch;
    const over = lane.lead({ epoch, deadline: () => Number.POSITIVE_INFINITY, signal: term.signal });
    return async () => {
      term.abort();
      await over;
    };
  }
  return {
    clock,
    hub,
    objects,
    lead,
    refused,
    setHeld: (next: boolean) => {
      isHeld = next;
    },
    names: () => hub.all(GLOBAL_ROUTES).map(({ metadata }) => metadata.name),
    verbs: () => hub.writes.map(({ verb, key, answer }) => `${verb} ${key} ${answer}`),
  };
}

test("what is wanted is made, kept and removed; each write carries the epoch, and a new writer writes nothing", async () => {
  const { clock, hub, objects, lead, names, verbs } = world();
  objects.offer({ routes: [route("shop"), route("blog")], clusters: [] });
  const stop = lead();
  await clock.advance(1000);
  expect(names()).toEqual(["shop", "blog"]);
  expect(hub.get(GLOBAL_ROUTES, "web/shop")?.metadata.annotations?.[EPOCH_ANNOTATION]).toBe("1");
  await stop();
  lead();
  await clock.advance(10_000);
  expect(verbs()).toEqual(["create web/shop ok", "create web/blog ok"]);
  objects.offer({ routes: [route("shop", "Latency")], clusters: [] });
  await clock.advance(5000);
  expect(names()).toEqual(["shop"]);
  expect(hub.get(GLOBAL_ROUTES, "web/shop")).toMatchObject({
    spec: { routing: { order: "Latency" } },
    metadata: { annotations: { [EPOCH_ANNOTATION]: "2" } },
  });
  expect(verbs().slice(2).sort()).toEqual(["delete web/blog ok", "patch web/blog ok", "patch web/shop ok"]);
});

test("defaults of the server are no difference, somebody's change of the spec is", async () => {
  const { clock, hub, objects, lead } = world();
  objects.offer({ routes: [route("shop")], clusters: [] });
  lead();
  await clock.advance(1000);
  const made = hub.get(GLOBAL_ROUTES, "web/shop")!;
  hub.put(GLOBAL_ROUTES, { ...made, spec: { ...(made.spec as object), ttl: { min: "5s" } } });
  objects.offer({ routes: [route("shop")], clusters: [] });
  await clock.advance(1000);
  expect(hub.writes).toHaveLength(1);
  hub.put(GLOBAL_ROUTES, { ...made, spec: { hosts: ["evil.example.org"] } });
  objects.offer({ routes: [route("shop")], clusters: [] });
  await clock.advance(1000);
  expect(hub.get(GLOBAL_ROUTES, "web/shop")).toMatchObject({ spec: { hosts: ["shop.example.org"] } });
});

test("without the label nothing is written or deleted, also when it vanishes in between", async () => {
  const { clock, hub, objects, lead } = world();
  const { labels: _, ...plain } = route("mine").metadata;
  hub.put(GLOBAL_ROUTES, { ...route("mine"), metadata: plain, spec: { hosts: ["mine.example.org"] } });
  objects.offer({ routes: [route("mine"), route("shop")], clusters: [] });
  lead();
  await clock.advance(1000);
  expect(hub.writes.map(({ key }) => key)).toEqual(["web/shop"]);

  const release = hub.holdWatch(); // this process still sees the label
  const { labels: __, ...adopted } = hub.get(GLOBAL_ROUTES, "web/shop")!.metadata;
  hub.put(GLOBAL_ROUTES, { ...hub.get(GLOBAL_ROUTES, "web/shop")!, metadata: adopted });
  objects.offer({ routes: [], clusters: [] });
  await clock.advance(5000);
  expect(hub.writes.slice(1).every(({ answer }) => answer === 409)).toBe(true);
  release();
  await clock.advance(60_000);
  expect(hub.get(GLOBAL_ROUTES, "web/shop")).toBeDefined();
});

test("while too much vanished at once nothing is deleted", async () => {
  const { clock, objects, lead, names, setHeld } = world();
  objects.offer({ routes: [route("shop")], clusters: [] });
  lead();
  await clock.advance(1000);
  setHeld(true);
  objects.offer({ routes: [], clusters: [] });
  await clock.advance(60_000);
  expect(names()).toEqual(["shop"]);
  setHeld(false);
  objects.deletesReleased();
  await clock.advance(5000);
  expect(names()).toEqual([]);
});

test("a writer that was shut out between marking and deleting deletes nothing", async () => {
  const { clock, hub, objects, lead, names } = world();
  objects.offer({ routes: [route("shop")], clusters: [] });
  lead();
  await clock.advance(1000);
  hub.latency = 100;
  hub.epoch = 1;
  objects.offer({ routes: [], clusters: [] });
  await clock.advance(50); // the delete is under way: the object has this term's mark already
  hub.epoch = 2;
  await clock.advance(60_000);
  expect(names()).toEqual(["shop"]);
});

test("clusters that were found are made once, and left alone after that", async () => {
  const { clock, hub, objects, lead } = world();
  const cluster: KubeObject = {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "MemberCluster",
    metadata: { name: "eu" },
    spec: { access: { secretRef: { name: "eu", key: "kubeconfig" } } },
  };
  objects.offer({ routes: [], clusters: [cluster] });
  lead();
  await clock.advance(1000);
  expect(hub.get(MEMBER_CLUSTERS, "eu")?.metadata.labels).toEqual({ "globalroute.dev/generated": "true" });
  hub.put(MEMBER_CLUSTERS, { ...hub.get(MEMBER_CLUSTERS, "eu")!, spec: { weight: 50 } });
  objects.offer({ routes: [], clusters: [cluster] });
  objects.offer({ routes: [], clusters: [] });
  await clock.advance(60_000);
  expect(hub.writes).toHaveLength(1);
});
