/** Contract: merge patches, JSON patches, and what is no patch. */
import { describe, expect, test } from "vitest";
import { at, textAt } from "../json.ts";
import { type ContractClient, gadget, generationOf, JSON_PATCH, MERGE, messageOf, versionOf } from "./peer.ts";

export function describePatches(client: () => ContractClient): void {
  const create = (name: string) =>
    client().call("POST", client().gadgets, gadget(name, { size: 1, word: "abc", labels: { a: "1", b: "2" } }));
  const patch = (name: string, body: unknown, contentType: string, query = "") =>
    client().call("PATCH", `${client().gadgets}/${name}${query}`, body, { contentType });

  describe("patches", () => {
    test("a merge patch sets and removes fields, and leaves the others", async () => {
      await create("merged");
      const reply = await patch("merged", { spec: { size: 2, word: null, labels: { a: null, c: "3" } } }, MERGE);
      expect([reply.status, generationOf(reply)]).toEqual([200, 2]);
      expect(at(reply.body, "spec")).toMatchObject({ size: 2, labels: { b: "2", c: "3" } });
      expect(at(reply.body, "spec", "word")).toBeUndefined();
    });

    test("a merge patch with the version or uid of another object is refused", async () => {
      const made = await create("guarded");
      const stale = await patch("guarded", { metadata: { resourceVersion: "1" }, spec: { size: 2 } }, MERGE);
      expect(stale.status).toBe(409);
      const other = await patch("guarded", { metadata: { uid: "nobody" }, spec: { size: 2 } }, MERGE);
      expect([other.status, messageOf(other)]).toEqual([
        422,
        'Gadget.contract.example.org "guarded" is invalid: metadata.uid: Invalid value: "nobody": field is immutable',
      ]);
      const right = { uid: textAt(made.body, "metadata", "uid"), resourceVersion: versionOf(made) };
      expect((await patch("guarded", { metadata: right, spec: { size: 2 } }, MERGE)).status).toBe(200);
    });

    test("a merge patch of the status leaves the spec, and makes no status for nobody", async () => {
      await create("status-merge");
      const reply = await patch("status-merge", { spec: { size: 9 }, status: { phase: "A" } }, MERGE, "/status");
      expect([at(reply.body, "spec", "size"), at(reply.body, "status")]).toEqual([1, { phase: "A" }]);
      expect((await patch("nobody", { status: { phase: "A" } }, MERGE, "/status")).status).toBe(404);
    });

    test("a JSON patch does its operations in order", async () => {
      await create("operated");
      const operations = [
        { op: "test", path: "/spec/size", value: 1 },
        { op: "replace", path: "/spec/size", value: 7 },
        { op: "add", path: "/spec/tags", value: ["x"] },
        { op: "add", path: "/spec/tags/-", value: "y" },
        { op: "remove", path: "/spec/tags/0" },
      ];
      const reply = await patch("operated", operations, JSON_PATCH);
      expect([reply.status, at(reply.body, "spec", "size"), at(reply.body, "spec", "tags")]).toEqual([200, 7, ["y"]]);
    });

    test.each([
      ["a test that fails", [{ op: "test", path: "/spec/size", value: 77 }]],
      ["a path that is not there", [{ op: "remove", path: "/spec/nothing" }]],
      ["an unknown operation", [{ op: "bend", path: "/spec/size" }]],
    ])("a JSON patch with %s is refused whole", async (name, operations) => {
      const object = `refused-${name.split(" ").at(-1)}`;
      await create(object);
      const reply = await patch(object, [{ op: "replace", path: "/spec/size", value: 2 }, ...operations], JSON_PATCH);
      expect([reply.status, messageOf(reply)]).toEqual([422, "the server rejected our request due to an error in our request"]);
      expect(at((await client().call("GET", `${client().gadgets}/${object}`)).body, "spec", "size")).toBe(1);
    });

    test("custom resources take no strategic merge patch", async () => {
      await create("strategic");
      const reply = await patch("strategic", { spec: { size: 2 } }, "application/strategic-merge-patch+json");
      expect([reply.status, messageOf(reply)]).toEqual([
        415,
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
      ]);
    });

    test("a patch cannot force", async () => {
      const reply = await patch("whoever", { spec: { size: 2 } }, MERGE, "?force=true");
      expect([reply.status, messageOf(reply)]).toEqual([
        422,
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      ]);
    });
  });
}
