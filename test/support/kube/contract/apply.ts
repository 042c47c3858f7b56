/** Contract: server-side apply, its ownership and its conflicts. */
import { describe, expect, test } from "vitest";
import { at, type JsonObject, textAt } from "../json.ts";
import { APPLY, type ContractClient, gadget, MERGE, messageOf, ownersOf, reasonOf, versionOf } from "./peer.ts";

export function describeApply(client: () => ContractClient): void {
  const apply = (manager: string, object: JsonObject, more = "") => {
    const name = textAt(object, "metadata", "name");
    const [subresource = "", query = ""] = more.split("?");
    return client().call("PATCH", `${client().gadgets}/${name}${subresource}?fieldManager=${manager}${query}`, object, {
      contentType: APPLY,
    });
  };
  const forced = "?&force=true";

  describe("server-side apply", () => {
    test("makes what is not there, and owns just what it names", async () => {
      const object = gadget(
        "owned",
        { size: 1, tags: ["x"], ports: [{ name: "p", number: 1 }], labels: { k: "1" } },
        { metadata: { labels: { l: "1" } } },
      );
      const reply = await apply("alice", object);
      expect(reply.status).toBe(201);
      expect(at(reply.body, "spec", "colour")).toBe("Red");
      expect(ownersOf(reply)).toEqual({
        "alice Apply": {
          "f:metadata": { "f:labels": { "f:l": {} } },
          "f:spec": {
            "f:labels": { "f:k": {} },
            "f:ports": { 'k:{"name":"p"}': { ".": {}, "f:name": {}, "f:number": {} } },
            "f:size": {},
            "f:tags": { 'v:"x"': {} },
          },
        },
      });
    });

    test("the same again makes no new version", async () => {
      const first = await apply("alice", gadget("again"));
      const second = await apply("alice", gadget("again"));
      expect([second.status, versionOf(second)]).toEqual([200, versionOf(first)]);
    });

    test("needs a field manager", async () => {
      const reply = await client().call("PATCH", `${client().gadgets}/nobody`, gadget("nobody"), { contentType: APPLY });
      expect([reply.status, messageOf(reply)]).toEqual([
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      ]);
    });

    test("a value of another manager is a conflict that names field and owner", async () => {
      await apply("alice", gadget("clash", { size: 1, labels: { k: "1" }, ports: [{ name: "p", number: 1 }] }));
      const one = await apply("bob", gadget("clash", { size: 2 }));
      expect([one.status, reasonOf(one), messageOf(one)]).toEqual([
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "alice": .spec.size',
      ]);
      expect(at(one.body, "details", "causes")).toEqual([
        { reason: "FieldManagerConflict", message: 'conflict with "alice"', field: ".spec.size" },
      ]);
      const three = await apply("bob", gadget("clash", { size: 2, labels: { k: "2" }, ports: [{ name: "p", number: 2 }] }));
      expect(messageOf(three)).toBe(
        'Apply failed with 3 conflicts: conflicts with "alice":\n- .spec.size\n- .spec.labels.k\n- .spec.ports[name="p"].number',
      );
    });

    test("the same value is shared, and stays until the last owner lets go", async () => {
      await apply("alice", gadget("shared", { size: 1, labels: { k: "1" } }));
      const both = await apply("bob", gadget("shared", { size: 1, labels: { k: "1" } }));
      expect(Object.keys(ownersOf(both)).sort()).toEqual(["alice Apply", "bob Apply"]);
      expect(at((await apply("alice", gadget("shared", { size: 1 }))).body, "spec", "labels")).toEqual({ k: "1" });
      expect(at((await apply("bob", gadget("shared", { size: 1 }))).body, "spec", "labels")).toBeUndefined();
    });

    test("force takes fields over", async () => {
      await apply("alice", gadget("taken", { size: 1, labels: { k: "1" } }));
      const reply = await apply("bob", gadget("taken", { size: 2 }), forced);
      expect([reply.status, at(reply.body, "spec", "size")]).toEqual([200, 2]);
      expect(ownersOf(reply)).toEqual({
        "alice Apply": { "f:spec": { "f:labels": { "f:k": {} } } },
        "bob Apply": { "f:spec": { "f:size": {} } },
      });
    });

    test("what is no longer applied goes, other managers' items of the same lists stay", async () => {
      await apply("alice", gadget("lists", { size: 1, tags: ["x"], ports: [{ name: "p" }] }));
      await apply("bob", gadget("lists", { tags: ["y"], ports: [{ name: "q", note: "b" }] }));
      const reply = await apply("alice", gadget("lists", { size: 1 }));
      expect(at(reply.body, "spec", "tags")).toEqual(["y"]);
      expect(at(reply.body, "spec", "ports")).toEqual([{ name: "q", note: "b", number: 80 }]);
    });

    test("an item goes with its owner, although somebody else has updated a field of it", async () => {
      await apply("alice", gadget("part-owned", { size: 1, ports: [{ name: "p", number: 1 }, { name: "q" }] }));
      const ports = [{ name: "p", number: 1, note: "mine" }, { name: "q" }];
      await client().call("PATCH", `${client().gadgets}/part-owned?fieldManager=carol`, { spec: { ports } }, { contentType: MERGE });
      const reply = await apply("alice", gadget("part-owned", { size: 1 }));
      expect(at(reply.body, "spec", "ports")).toBeUndefined();
    });

    test("a map that was applied empty stays for those who have fields of it", async () => {
      await apply("alice", gadget("empty-map", { size: 1, labels: {} }));
      await client().call(
        "PATCH",
        `${client().gadgets}/empty-map?fieldManager=carol`,
        { spec: { labels: { k: "1" } } },
        { contentType: MERGE },
      );
      const reply = await apply("alice", gadget("empty-map", { size: 1 }));
      expect(at(reply.body, "spec", "labels")).toEqual({ k: "1" });
    });

    test("a default comes back when its field is let go", async () => {
      await apply("alice", gadget("defaulted", { size: 1, nested: { a: "1", b: "2" }, colour: "Green" }));
      const reply = await apply("alice", gadget("defaulted", { size: 1 }));
      expect(at(reply.body, "spec")).toEqual({ size: 1, colour: "Red", nested: { b: "bee" } });
    });

    test("an atomic list is one field", async () => {
      await apply("alice", gadget("atomic", { size: 1, plain: ["a"] }));
      const reply = await apply("bob", gadget("atomic", { plain: ["a", "b"] }));
      expect(messageOf(reply)).toBe('Apply failed with 1 conflict: conflict with "alice": .spec.plain');
    });

    test("a set keeps the items of others in their places", async () => {
      await apply("alice", gadget("ordered", { size: 1, tags: ["b", "a"] }));
      const reply = await apply("bob", gadget("ordered", { tags: ["c", "a"] }));
      expect(at(reply.body, "spec", "tags")).toEqual(["b", "c", "a"]);
    });

    test("who updates a field takes it from those who applied it", async () => {
      await apply("alice", gadget("updated", { size: 1 }));
      await client().call("PATCH", `${client().gadgets}/updated?fieldManager=carol`, { spec: { size: 4 } }, { contentType: MERGE });
      const reply = await apply("alice", gadget("updated", { size: 3 }));
      expect(messageOf(reply)).toBe('Apply failed with 1 conflict: conflict with "carol" using contract.example.org/v1: .spec.size');
    });

    test("a manager without a name is the first part of the user agent", async () => {
      const reply = await client().call("POST", client().gadgets, gadget("agent"), { userAgent: "robot/2.0 (x)" });
      expect(Object.keys(ownersOf(reply))).toEqual(["robot Update"]);
    });

    test("statuses are owned apart, condition by condition", async () => {
      await apply("alice", gadget("status"));
      const ready = { type: "Ready", status: "True" };
      const of = (...conditions: readonly JsonObject[]): JsonObject => gadget("status", {}, { status: { phase: "A", conditions } });
      expect((await apply("writer", of(ready, { type: "Old", status: "True" }), "/status?&force=true")).status).toBe(200);
      const other = gadget("status", {}, { status: { conditions: [{ type: "Other", status: "True" }] } });
      expect((await apply("guest", other, "/status?")).status).toBe(200);
      const reply = await apply("writer", of(ready), "/status?&force=true");
      expect(at(reply.body, "status")).toEqual({ phase: "A", conditions: [ready, { type: "Other", status: "True" }] });
      expect(ownersOf(reply)["writer Apply status"]).toEqual({
        "f:status": { "f:phase": {}, "f:conditions": { 'k:{"type":"Ready"}': { ".": {}, "f:type": {}, "f:status": {} } } },
      });
      const clash = await apply("guest", gadget("status", {}, { status: { phase: "B" } }), "/status?");
      expect(messageOf(clash)).toBe('Apply failed with 1 conflict: conflict with "writer" with subresource "status": .status.phase');
    });

    test("a status is not made for nobody", async () => {
      expect((await apply("writer", gadget("nobody", {}, { status: { phase: "A" } }), "/status?")).status).toBe(404);
    });

    test("a status goes with its last field, but one that was applied empty cannot be emptied again", async () => {
      const conditions = [{ type: "Ready", status: "True" }];
      const of = (name: string, status?: JsonObject) =>
        apply("writer", gadget(name, {}, status === undefined ? {} : { status }), "/status?");
      await apply("alice", gadget("last-field"));
      await of("last-field", { conditions });
      const gone = await of("last-field");
      expect([gone.status, at(gone.body, "status")]).toEqual([200, undefined]);
      await of("last-field", { conditions });
      const emptied = await of("last-field", {});
      expect([emptied.status, messageOf(emptied)]).toEqual([422, expect.stringContaining('status: Invalid value: "null":')]);
    });

    test("a list of conditions that is applied empty is owned by nobody", async () => {
      await apply("alice", gadget("empty-list"));
      const reply = await apply("writer", gadget("empty-list", {}, { status: { phase: "A", conditions: [] } }), "/status?");
      expect(ownersOf(reply)["writer Apply status"]).toEqual({ "f:status": { "f:phase": {} } });
    });

    test("finalizers and annotations are owned one by one", async () => {
      await client().call("POST", client().gadgets, gadget("meta", { size: 1 }, { metadata: { annotations: { other: "1" } } }));
      const held = gadget(
        "meta",
        {},
        { metadata: { finalizers: ["example.org/hold"], annotations: { "globalroute.dev/writer-epoch": "3" } } },
      );
      const reply = await apply("holder", held);
      expect(at(reply.body, "metadata", "annotations")).toEqual({ other: "1", "globalroute.dev/writer-epoch": "3" });
      expect(at((await apply("holder", gadget("meta", {}))).body, "metadata", "finalizers")).toBeUndefined();
    });

    test("an old version is a conflict; another uid of an object that stands there is invalid, and of one that does not a conflict", async () => {
      await apply("alice", gadget("guarded-apply"));
      const version = gadget("guarded-apply", { size: 2 }, { metadata: { resourceVersion: "1" } });
      expect((await apply("alice", version, forced)).status).toBe(409);
      const uid = "11111111-1111-1111-1111-111111111111";
      const other = await apply("alice", gadget("guarded-apply", { size: 2 }, { metadata: { uid } }), forced);
      expect([other.status, messageOf(other)]).toEqual([
        422,
        expect.stringContaining(`metadata.uid: Invalid value: "${uid}": field is immutable`),
      ]);
      const gone = await apply("alice", gadget("never-applied", { size: 2 }, { metadata: { uid } }), forced);
      expect([gone.status, messageOf(gone)]).toEqual([
        409,
        expect.stringContaining(`uid mismatch: the provided object specified uid ${uid}`),
      ]);
    });

    test("a version without a uid does not keep an object from being made anew", async () => {
      const reply = await apply("alice", gadget("reborn", { size: 2 }, { metadata: { resourceVersion: "1" } }), forced);
      expect(reply.status).toBe(201);
    });

    test.each<[string, JsonObject, string]>([
      ["an unknown field", { bogus: 1 }, ".spec.bogus: field not declared in schema"],
      ["a value of another type", { size: "x" }, ".spec.size: expected numeric (int or float), got string"],
      ["a key twice", { ports: [{ name: "a" }, { name: "a" }] }, '.spec.ports: duplicate entries for key [name="a"]'],
      ["an item twice", { tags: ["a", "a"] }, '.spec.tags: duplicate entries for key [="a"]'],
    ])("with %s fails with 500", async (_name, spec, message) => {
      const reply = await apply("alice", gadget("untyped", spec), forced);
      expect([reply.status, messageOf(reply)]).toEqual([
        500,
        `failed to create typed patch object (/untyped; contract.example.org/v1, Kind=Gadget): ${message}`,
      ]);
    });

    test("a dry run tells what would be and keeps nothing", async () => {
      expect((await apply("alice", gadget("dry-apply"), "?&dryRun=All")).status).toBe(201);
      expect((await client().call("GET", `${client().gadgets}/dry-apply`)).status).toBe(404);
    });

    test("may be written in YAML", async () => {
      const text = "apiVersion: contract.example.org/v1\nkind: Gadget\nmetadata:\n  name: yaml\nspec:\n  size: 3\n";
      const reply = await client().call("PATCH", `${client().gadgets}/yaml?fieldManager=alice`, text, { contentType: APPLY });
      expect([reply.status, at(reply.body, "spec", "size")]).toEqual([201, 3]);
    });
  });
}
