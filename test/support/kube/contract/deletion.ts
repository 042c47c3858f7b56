/** Contract: deleting, preconditions and finalizers. */
import { describe, expect, test } from "vitest";
import { at, textAt } from "../json.ts";
import { type ContractClient, gadget, generationOf, MERGE, messageOf, reasonOf, versionOf } from "./peer.ts";

export function describeDeletion(client: () => ContractClient): void {
  const create = (name: string, finalizers: readonly string[] = []) =>
    client().call("POST", client().gadgets, gadget(name, { size: 1 }, { metadata: { finalizers } }));
  const remove = (name: string, options?: unknown, query = "") => client().call("DELETE", `${client().gadgets}/${name}${query}`, options);
  const get = (name: string) => client().call("GET", `${client().gadgets}/${name}`);
  const setFinalizers = (name: string, finalizers: readonly string[] | null) =>
    client().call("PATCH", `${client().gadgets}/${name}`, { metadata: { finalizers } }, { contentType: MERGE });

  describe("deletion", () => {
    test("what is deleted is gone, and deleting it again is 404", async () => {
      const made = await create("gone");
      const reply = await remove("gone", { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" });
      expect([reply.status, textAt(reply.body, "status")]).toEqual([200, "Success"]);
      expect(at(reply.body, "details", "uid")).toBe(textAt(made.body, "metadata", "uid"));
      expect((await get("gone")).status).toBe(404);
      expect((await remove("gone")).status).toBe(404);
    });

    test("a precondition on the uid or version that does not hold is a conflict", async () => {
      const made = await create("kept");
      const uid = await remove("kept", { preconditions: { uid: "nobody" } });
      expect([uid.status, reasonOf(uid)]).toEqual([409, "Conflict"]);
      expect(messageOf(uid)).toContain("the UID in the precondition (nobody) does not match the UID in record");
      const version = await remove("kept", { preconditions: { resourceVersion: "1" } });
      expect([version.status, messageOf(version)]).toEqual([
        409,
        expect.stringContaining("the ResourceVersion in the precondition (1) does not match the ResourceVersion in record"),
      ]);
      expect((await remove("kept", { preconditions: { uid: textAt(made.body, "metadata", "uid") } })).status).toBe(200);
    });

    test("a dry run deletes nothing", async () => {
      await create("dry-delete");
      expect((await remove("dry-delete", undefined, "?dryRun=All")).status).toBe(200);
      expect((await get("dry-delete")).status).toBe(200);
    });

    test("a finalizer holds the object, marked and one generation on, until it is taken off", async () => {
      await create("held", ["example.org/hold"]);
      const marked = await remove("held");
      expect([marked.status, generationOf(marked)]).toEqual([200, 2]);
      expect(textAt(marked.body, "metadata", "deletionTimestamp")).toMatch(/^\d{4}-/);
      expect(versionOf(await remove("held"))).toBe(versionOf(marked));
      expect((await setFinalizers("held", null)).status).toBe(200);
      expect((await get("held")).status).toBe(404);
    });

    test("no finalizer can be added to what is being deleted", async () => {
      await create("ending", ["example.org/hold"]);
      await remove("ending");
      const reply = await setFinalizers("ending", ["example.org/hold", "example.org/more"]);
      expect(messageOf(reply)).toBe(
        'Gadget.contract.example.org "ending" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.org/more"}',
      );
      await setFinalizers("ending", null);
    });

    test("the name of what is being deleted is still taken", async () => {
      await create("taken-name", ["example.org/hold"]);
      await remove("taken-name");
      const reply = await create("taken-name");
      expect([reply.status, messageOf(reply)]).toEqual([
        409,
        'object is being deleted: gadgets.contract.example.org "taken-name" already exists',
      ]);
      await setFinalizers("taken-name", null);
    });

    test("foreground deletion leaves a finalizer for the garbage collector", async () => {
      await create("foreground");
      const reply = await remove("foreground", undefined, "?propagationPolicy=Foreground");
      expect(at(reply.body, "metadata", "finalizers")).toEqual(["foregroundDeletion"]);
      await setFinalizers("foreground", null);
    });
  });
}
