/** Contract: the same through `KubeApi`, as the product speaks. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeApi, WatchEvent } from "../../../../controller/kube/kube-api.ts";
import { staticConnection } from "../../../../controller/kube/kube-connection.ts";
import type { KubeError } from "../../../../controller/kube/kube-error.ts";
import type { KubeObject, Resource } from "../../../../controller/kube/kube-object.ts";
import { openKubeApi } from "../../../../controller/kube/open-kube-api.ts";
import { systemKubePorts } from "../../../../controller/kube/system-ports.ts";
import type { ContractClient } from "./peer.ts";

const GADGETS: Resource = { group: "contract.example.org", version: "v1", kind: "Gadget", plural: "gadgets", namespaced: true };
const NOTHINGS: Resource = { ...GADGETS, kind: "Nothing", plural: "nothings" };

export function describeKubeClient(client: () => ContractClient): void {
  let api: KubeApi;
  const gadget = (name: string, spec: unknown = { size: 1 }, metadata: object = {}): KubeObject => ({
    apiVersion: "contract.example.org/v1",
    kind: "Gadget",
    metadata: { name, namespace: client().namespace, ...metadata },
    spec,
  });
  const failure = async (work: Promise<unknown>): Promise<Partial<KubeError>> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof Error ? error : {};
  };

  describe("through KubeApi", () => {
    beforeAll(() => {
      const { url, token, ca, serverName } = client().peer;
      const connection = staticConnection(
        url,
        { token, ...(ca === undefined ? {} : { ca }) },
        {
          ...(serverName === undefined ? {} : { serverName }),
          ...(url.startsWith("http:") ? { allowHttp: true } : {}),
        },
      );
      api = openKubeApi(connection, systemKubePorts(), { userAgent: () => "contract/1.0" });
    });
    afterAll(() => api.close());

    test("create, get, replace, delete", async () => {
      const made = await api.create(GADGETS, gadget("api"));
      expect(await api.get(GADGETS, client().namespace, "api")).toMatchObject({ metadata: { uid: made.metadata.uid } });
      const replaced = await api.replace(GADGETS, { ...made, spec: { size: 2 } });
      expect(replaced.metadata.generation).toBe(2);
      expect(await failure(api.replace(GADGETS, { ...made, spec: { size: 3 } }))).toMatchObject({ status: 409, isConflict: true });
      expect(await api.delete(GADGETS, client().namespace, "api")).toBe(true);
      expect(await api.delete(GADGETS, client().namespace, "api")).toBe(false);
      expect(await api.get(GADGETS, client().namespace, "api")).toBeUndefined();
    });

    test("a kind that is not served is 404 for lists", async () => {
      expect(await failure(api.list(NOTHINGS))).toMatchObject({ status: 404, isNotFound: true });
    });

    test("apply to the status, and conflict without force", async () => {
      await api.create(GADGETS, gadget("api-status"));
      const of = (phase: string): KubeObject => ({ ...gadget("api-status"), spec: undefined, status: { phase } });
      const applied = await api.apply(GADGETS, of("A"), { fieldManager: "globalroute", force: true, subresource: "status" });
      expect(applied.status).toEqual({ phase: "A" });
      const other = api.apply(GADGETS, of("B"), { fieldManager: "other", subresource: "status" });
      expect(await failure(other)).toMatchObject({ status: 409, reason: "Conflict" });
    });

    test("delete with a uid that is not that of today is a conflict", async () => {
      await api.create(GADGETS, gadget("api-uid"));
      expect(await failure(api.delete(GADGETS, client().namespace, "api-uid", { uid: "nobody" }))).toMatchObject({ isConflict: true });
    });

    test("pages through everything", async () => {
      for (let index = 0; index < 7; index++)
        await api.create(GADGETS, gadget(`api-page-${index}`, undefined, { labels: { page: "yes" } }));
      const { items } = await api.list(GADGETS, { namespace: client().namespace, labelSelector: "page" });
      expect(items.map(({ metadata }) => metadata.name)).toEqual(Array.from({ length: 7 }, (_, index) => `api-page-${index}`));
    });

    test("watch until the signal ends it, and an old version is gone", async () => {
      const { resourceVersion } = await api.list(GADGETS, { namespace: client().namespace });
      const events: WatchEvent[] = [];
      const ended = new AbortController();
      const options = { namespace: client().namespace, labelSelector: "api-watch", resourceVersion };
      const watching = api.watch(
        GADGETS,
        options,
        (event) => {
          events.push(event);
          if (event.type === "DELETED") ended.abort();
        },
        ended.signal,
      );
      await api.create(GADGETS, gadget("api-watched", undefined, { labels: { "api-watch": "yes" } }));
      await api.delete(GADGETS, client().namespace, "api-watched");
      await watching;
      expect(events.map(({ type }) => type).filter((type) => type !== "BOOKMARK")).toEqual(["ADDED", "DELETED"]);
      const old = api.watch(GADGETS, { ...options, resourceVersion: "1" }, () => undefined, AbortSignal.timeout(10_000));
      expect(await failure(old)).toMatchObject({ isGone: true });
    });
  });
}
