/** Objects that a real API server must refuse by itself, in words that help, and those that it must leave to the controller. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { good, type PostedObject, refusedByController, refusedByServer, refusedChanges } from "../support/kube/invalid-objects.ts";
import { largestObjects } from "../support/kube/largest-objects.ts";
import { installCrds } from "./support/crds.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl");
const GROUP = "/apis/globalroute.dev/v1alpha1";

const collectionOf = ({ kind, metadata: { namespace } }: PostedObject): string =>
  `${GROUP}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${kind.toLowerCase()}s`;

describe.skipIf(!isHere)("what the API server refuses", () => {
  let etcd: Etcd;
  let hub: KubeCluster;

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
    await installCrds(hub);
  });
  afterAll(async () => {
    await hub?.stop();
    await etcd?.stop();
  });

  /** Checked as if it were to be kept; unknown fields are refused too. */
  const post = (object: PostedObject) => hub.api.request("POST", `${collectionOf(object)}?dryRun=All&fieldValidation=Strict`, object);

  test.each(refusedByServer)("$name", async ({ object, field, says }) => {
    const { status, body } = await post(object);
    const text = JSON.stringify(body);
    expect(status, text).toBe(422);
    expect(body).toMatchObject({ message: expect.stringContaining(field) });
    expect(body).toMatchObject({ message: expect.stringContaining(says) });
    expect(text).not.toContain("evaluating rule"); // a rule that breaks tells nobody anything
  });

  test.each(largestObjects)("the rules of the largest $kind are within the server's budget", async (object) => {
    const { status, body } = await post(object);
    expect(status, JSON.stringify(body).slice(0, 2000)).toBe(201);
  });

  test.each(refusedChanges)("the change to $name", async ({ from, to, says }) => {
    expect(await hub.api.request("POST", collectionOf(from), from)).toMatchObject({ status: 201 });
    const path = `${collectionOf(from)}/${from.metadata.name}`;
    const { metadata } = await hub.api.get(path);
    const changed = { ...to, metadata: { ...to.metadata, resourceVersion: metadata.resourceVersion } };
    const { status, body } = await hub.api.request("PUT", path, changed);
    await hub.api.delete(path);
    expect(status).toBe(422);
    expect(body).toMatchObject({ message: expect.stringContaining(says) });
  });

  test.each(
    [...good, ...refusedByController.flatMap(({ objects }) => objects)].map((object) => ({
      name: `${object.kind} ${object.metadata.name}`,
      object,
    })),
  )("left to the controller: $name", async ({ object }) => {
    const { status, body } = await post(object);
    expect(status, JSON.stringify(body)).toBe(201);
  });
});
