/** Contract: watches, from where they begin, what they tell, and how they end. */
import { describe, expect, test } from "vitest";
import { at, textAt } from "../json.ts";
import { type ContractClient, gadget, MERGE, type OpenWatch, versionOf, type Watched } from "./peer.ts";

export function describeWatches(client: () => ContractClient): void {
  const now = async (): Promise<string> => versionOf(await client().call("GET", `${client().gadgets}?limit=1`));
  const open = (query: string) => client().watch(client().gadgets, query);
  const create = (name: string, labels = {}) =>
    client().call("POST", client().gadgets, gadget(name, { size: 1 }, { metadata: { labels } }));
  const patch = (name: string, body: unknown) => client().call("PATCH", `${client().gadgets}/${name}`, body, { contentType: MERGE });
  const remove = (name: string) => client().call("DELETE", `${client().gadgets}/${name}`);

  async function read(watch: OpenWatch, count: number): Promise<readonly string[]> {
    const told: string[] = [];
    while (told.length < count) {
      const event = await watch.next();
      if (event === undefined) break;
      told.push(`${event.type} ${textAt(event.object, "metadata", "name")}`);
    }
    watch.close();
    return told;
  }

  describe("watches", () => {
    test("from a version on: what happened since, in order, and what happens then", async () => {
      const since = await now();
      await create("w-a");
      await patch("w-a", { spec: { size: 2 } });
      const watch = await open(`resourceVersion=${since}`);
      const told = read(watch, 4);
      await create("w-b");
      await remove("w-a");
      expect(await told).toEqual(["ADDED w-a", "MODIFIED w-a", "ADDED w-b", "DELETED w-a"]);
    });

    test("the deleted object comes as it was last, under the version of its end", async () => {
      const since = await now();
      await create("w-last");
      await patch("w-last", { spec: { size: 2 } });
      await remove("w-last");
      const watch = await open(`resourceVersion=${since}`);
      const events: (Watched | undefined)[] = [await watch.next(), await watch.next(), await watch.next()];
      watch.close();
      const [, modified, deleted] = events.map((event) => event?.object);
      expect(at(deleted, "spec", "size")).toBe(2);
      expect(Number(textAt(deleted, "metadata", "resourceVersion"))).toBeGreaterThan(
        Number(textAt(modified, "metadata", "resourceVersion")),
      );
    });

    test("a selector turns changes into comings and goings", async () => {
      const since = await now();
      await create("w-in", { sel: "1" });
      await create("w-out", { sel: "2" });
      await patch("w-out", { metadata: { labels: { sel: "1" } } });
      await patch("w-in", { metadata: { labels: { sel: "2" } } });
      const watch = await open(`labelSelector=sel%3D1&resourceVersion=${since}`);
      expect(await read(watch, 3)).toEqual(["ADDED w-in", "ADDED w-out", "DELETED w-in"]);
    });

    test("a field selector watches one object", async () => {
      const since = await now();
      await create("w-one");
      await create("w-other");
      await remove("w-one");
      const watch = await open(`fieldSelector=metadata.name%3Dw-one&resourceVersion=${since}`);
      expect(await read(watch, 2)).toEqual(["ADDED w-one", "DELETED w-one"]);
    });

    test("without a version what stands there comes first", async () => {
      await create("w-standing", { standing: "yes" });
      const watch = await open("labelSelector=standing");
      const told = read(watch, 2);
      await create("w-joining", { standing: "yes" });
      expect(await told).toEqual(["ADDED w-standing", "ADDED w-joining"]);
    });

    test("with initial events a bookmark says where they end", async () => {
      await create("w-initial", { initial: "yes" });
      const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=initial";
      const watch = await open(query);
      expect((await watch.next())?.type).toBe("ADDED");
      const bookmark = await watch.next();
      expect([bookmark?.type, at(bookmark?.object, "metadata", "annotations")]).toEqual([
        "BOOKMARK",
        { "k8s.io/initial-events-end": "true" },
      ]);
      await patch("w-initial", { spec: { size: 2 } });
      expect((await watch.next())?.type).toBe("MODIFIED");
      watch.close();
      const wrong = await client().call("GET", `${client().gadgets}?watch=1&sendInitialEvents=true`);
      expect([wrong.status, textAt(wrong.body, "message")]).toEqual([
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ]);
    });

    test("a version that is too old ends it with 410 as an event", async () => {
      const watch = await open("resourceVersion=1");
      const event = await watch.next();
      expect([event?.type, at(event?.object, "code"), at(event?.object, "reason")]).toEqual(["ERROR", 410, "Expired"]);
      expect(textAt(event?.object, "message")).toMatch(/^too old resource version: 1 \(\d+\)$/);
      expect(await watch.next()).toBeUndefined();
    });

    test("a bookmark comes before the time is up, and then it ends", async () => {
      const since = await now();
      const watch = await open(`allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${since}`);
      await create(`w-bookmarked-${since}`);
      const events: Watched[] = [];
      for (let event = await watch.next(); event !== undefined; event = await watch.next()) events.push(event);
      const [added, bookmark] = events;
      expect(added?.type).toBe("ADDED");
      expect(bookmark).toMatchObject({ type: "BOOKMARK", object: { kind: "Gadget", apiVersion: "contract.example.org/v1" } });
      // One of every minute may come besides. None goes back.
      expect(events.slice(1).every(({ type }) => type === "BOOKMARK")).toBe(true);
      const versions = events.slice(1).map(({ object }) => Number(textAt(object, "metadata", "resourceVersion")));
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(versions[0]).toBeGreaterThanOrEqual(Number(since));
    });

    test("nobody who did not ask gets bookmarks", async () => {
      const watch = await open(`timeoutSeconds=3&resourceVersion=${await now()}`);
      expect(await watch.next()).toBeUndefined();
    });

    test("cut again and again under writes, it loses nothing and tells nothing twice", async () => {
      let since = await now();
      const total = 60;
      const writing = (async () => {
        for (let index = 0; index < total; index++) await create(`w-flow-${String(index).padStart(2, "0")}`, { flow: "yes" });
      })();
      const seen: string[] = [];
      while (seen.length < total) {
        const watch = await open(`labelSelector=flow&resourceVersion=${since}`);
        for (let index = 0; index < 7 && seen.length < total; index++) {
          const event = await watch.next();
          seen.push(textAt(event?.object, "metadata", "name"));
          since = textAt(event?.object, "metadata", "resourceVersion");
        }
        watch.close();
      }
      await writing;
      expect(seen).toEqual(Array.from({ length: total }, (_, index) => `w-flow-${String(index).padStart(2, "0")}`));
    });

    test("a list and a watch from its version are one story", async () => {
      await create("w-story-0", { story: "yes" });
      const list = await client().call("GET", `${client().gadgets}?labelSelector=story`);
      await create("w-story-1", { story: "yes" });
      await patch("w-story-0", { spec: { size: 3 } });
      const watch = await open(`labelSelector=story&resourceVersion=${versionOf(list)}`);
      expect(await read(watch, 2)).toEqual(["ADDED w-story-1", "MODIFIED w-story-0"]);
    });
  });
}
