/** Against the fake API server, which keeps account of who owns which field as a real one does. */
import { afterEach, expect, test } from "vitest";
import { startFakeApiServer } from "../../test/support/kube/fake-api-server.ts";
import { staticConnection } from "../kube/kube-connection.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { openKubeApi } from "../kube/open-kube-api.ts";
import { GLOBAL_ROUTES, NAMESPACES } from "../kube/resources.ts";
import { systemKubePorts } from "../kube/system-ports.ts";
import { createObjectWriter } from "./object-writer.ts";
import { createWriteLane } from "./write-lane.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test("a field that is wanted no longer goes, and what others have noted on the object stays", async () => {
  const server = await startFakeApiServer();
  ends.push(server.close);
  const ports = systemKubePorts();
  const api = openKubeApi(staticConnection(server.url, { token: server.adminToken }, { allowHttp: true }), ports, {
    userAgent: () => "test",
  });
  ends.push(api.close);
  await api.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } });
  const stored = new Map<string, KubeObject>();
  const refused: string[] = [];
  const writer = createObjectWriter({
    api,
    store: { objects: () => stored },
    holdsDeletes: () => false,
    onRefused: (_, error) => refused.push(error.message),
  });
  const term = new AbortController();
  ends.push(() => term.abort());
  const lane = createWriteLane({
    writings: [writer],
    ports,
    onError: (_, error) => {
      throw error;
    },
  });
  void lane.lead({ epoch: 1, deadline: () => Number.POSITIVE_INFINITY, signal: term.signal });
  const route = (hosts: readonly string[], more: object): KubeObject => ({
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "GlobalRoute",
    metadata: { name: "shop", namespace: "web", labels: { "globalroute.dev/generated": "true" } },
    spec: { hosts, discovery: "SameNamespace", ...more },
  });
  /** What the server has once it is of this generation; the store follows. */
  const become = (generation: number) =>
    expect
      .poll(async () => {
        const object = await api.get(GLOBAL_ROUTES, "web", "shop");
        if (object !== undefined) stored.set("web/shop", object);
        return object?.metadata.generation;
      })
      .toBe(generation);

  writer.offer({ routes: [route(["a.example.org", "b.example.org"], { ttl: { min: "7s", max: "7s" } })], clusters: [] });
  await become(1);
  await api.mergePatch(GLOBAL_ROUTES, "web", "shop", { metadata: { annotations: { "example.org/note": "mine" } } });
  await become(1);
  writer.offer({ routes: [route(["b.example.org"], {})], clusters: [] });
  await become(2);
  const { spec, metadata } = stored.get("web/shop")!;
  expect(spec).toMatchObject({ hosts: ["b.example.org"] });
  expect(spec).not.toMatchObject({ ttl: { min: "7s" } });
  expect(metadata.annotations?.["example.org/note"]).toBe("mine");
  expect(refused).toEqual([]);
});
