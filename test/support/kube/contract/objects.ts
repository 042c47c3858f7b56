/** Contract: creating, reading and replacing, and who is told of a conflict. */
import { describe, expect, test } from "vitest";
import { at, isObject, type JsonObject, textAt, withFields, withMetadata } from "../json.ts";
import { bodyOf, type ContractClient, gadget, generationOf, messageOf, reasonOf, versionOf } from "./peer.ts";

export function describeObjects(client: () => ContractClient): void {
  const create = async (name: string, spec: JsonObject = { size: 1 }, more: JsonObject = {}): Promise<JsonObject> => {
    const { status, body } = await client().call("POST", client().gadgets, gadget(name, spec, more));
    expect({ status, body }).toMatchObject({ status: 201 });
    return isObject(body) ? body : {};
  };
  const put = (object: JsonObject, path = "") =>
    client().call("PUT", `${client().gadgets}/${textAt(object, "metadata", "name")}${path}`, object);

  describe("objects", () => {
    test("a new object gets a uid, a version, generation 1 and the namespace of the URL", async () => {
      const { metadata } = await create("new");
      expect(metadata).toMatchObject({ name: "new", namespace: client().namespace, generation: 1 });
      expect(textAt({ metadata: metadata ?? null }, "metadata", "uid")).toMatch(/^[0-9a-f-]{36}$/);
      expect(textAt({ metadata: metadata ?? null }, "metadata", "creationTimestamp")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    test("a status that comes with a new object is dropped", async () => {
      expect((await create("with-status", { size: 1 }, { status: { phase: "A" } })).status).toBeUndefined();
    });

    test("a name is taken once", async () => {
      await create("twice");
      const again = await client().call("POST", client().gadgets, gadget("twice"));
      expect([again.status, reasonOf(again), messageOf(again)]).toEqual([
        409,
        "AlreadyExists",
        'gadgets.contract.example.org "twice" already exists',
      ]);
    });

    test("generateName makes a name", async () => {
      const body = withMetadata(gadget("x"), { name: undefined, generateName: "made-" });
      const made = await client().call("POST", client().gadgets, body);
      expect(textAt(made.body, "metadata", "name")).toMatch(/^made-[a-z0-9]{5}$/);
    });

    test("what is not there is not found, with its name in the message", async () => {
      const reply = await client().call("GET", `${client().gadgets}/nobody`);
      expect([reply.status, reasonOf(reply), messageOf(reply)]).toEqual([
        404,
        "NotFound",
        'gadgets.contract.example.org "nobody" not found',
      ]);
    });

    test("a kind that is not served is answered 404 in plain text", async () => {
      const reply = await client().call("GET", "/apis/contract.example.org/v1/nothings");
      expect([reply.status, reply.body]).toEqual([404, "404 page not found\n"]);
    });

    test("a namespace must exist to create in it, and need not to list it", async () => {
      const gadgets = "/apis/contract.example.org/v1/namespaces/nowhere/gadgets";
      const reply = await client().call("POST", gadgets, gadget("x"));
      expect([reply.status, messageOf(reply)]).toEqual([404, 'namespaces "nowhere" not found']);
      expect((await client().call("GET", gadgets)).status).toBe(200);
    });

    test.each<[string, JsonObject, string]>([
      ["another kind", { kind: "Widget" }, 'Widget.contract.example.org "odd" is invalid: kind: Invalid value: "Widget": must be Gadget'],
      [
        "another namespace",
        { metadata: { name: "odd", namespace: "elsewhere" } },
        "the namespace of the provided object does not match the namespace sent on the request",
      ],
      [
        "a version of its own",
        { metadata: { name: "odd", resourceVersion: "5" } },
        "resourceVersion should not be set on objects to be created",
      ],
    ])("an object with %s is refused", async (_name, fields, message) => {
      const reply = await client().call("POST", client().gadgets, { ...gadget("odd"), ...fields });
      expect(messageOf(reply)).toBe(message);
    });

    test("a name that is no DNS name is refused", async () => {
      const reply = await client().call("POST", client().gadgets, gadget("Not_DNS"));
      expect(reply.status).toBe(422);
      expect(messageOf(reply)).toContain('metadata.name: Invalid value: "Not_DNS": a lowercase RFC 1123 subdomain must consist of');
    });

    test("a change of the spec raises the generation, one of labels or status does not", async () => {
      const made = await create("counted");
      const spec = await put({ ...made, spec: { size: 2 } });
      expect([spec.status, generationOf(spec)]).toEqual([200, 2]);
      const labels = await put(withMetadata(bodyOf(spec), { labels: { a: "b" } }));
      expect([labels.status, generationOf(labels)]).toEqual([200, 2]);
      const status = await put({ ...bodyOf(labels), status: { phase: "A" } }, "/status");
      expect([status.status, generationOf(status), at(status.body, "status")]).toEqual([200, 2, { phase: "A" }]);
    });

    test("each endpoint changes its own part alone", async () => {
      const made = await create("parted");
      const main = await put({ ...made, status: { phase: "A" } });
      expect(at(main.body, "status")).toBeUndefined();
      const status = await put({ ...bodyOf(main), spec: { size: 9 }, status: { phase: "B" } }, "/status");
      expect([at(status.body, "spec", "size"), at(status.body, "status", "phase")]).toEqual([1, "B"]);
    });

    test("a write that changes nothing makes no new version", async () => {
      const made = await create("same");
      const again = await put(made);
      expect([again.status, versionOf(again)]).toEqual([200, textAt(made, "metadata", "resourceVersion")]);
    });

    test("an old version is refused, and so is none", async () => {
      const made = await create("stale");
      await put({ ...made, spec: { size: 2 } });
      const stale = await put({ ...made, spec: { size: 3 } });
      expect([stale.status, reasonOf(stale), messageOf(stale)]).toEqual([
        409,
        "Conflict",
        'Operation cannot be fulfilled on gadgets.contract.example.org "stale": the object has been modified; please apply your changes to the latest version and try again',
      ]);
      const none = await put(withMetadata(made, { resourceVersion: undefined }));
      expect([none.status, messageOf(none)]).toEqual([
        422,
        'gadgets.contract.example.org "stale" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      ]);
    });

    test("another uid is refused as a conflict", async () => {
      const made = await create("other-uid");
      const reply = await put(withMetadata(made, { uid: "00000000-0000-0000-0000-000000000000" }));
      expect([reply.status, reasonOf(reply)]).toEqual([409, "Conflict"]);
      expect(messageOf(reply)).toContain(
        "Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000, UID in object meta: ",
      );
    });

    test("what is not there is not made by replacing it", async () => {
      expect((await put(gadget("never"))).status).toBe(404);
    });

    test("a dry run checks and keeps nothing", async () => {
      const made = await client().call("POST", `${client().gadgets}?dryRun=All`, gadget("dry"));
      expect([made.status, versionOf(made)]).toEqual([201, ""]);
      expect((await client().call("GET", `${client().gadgets}/dry`)).status).toBe(404);
      const refused = await client().call("POST", `${client().gadgets}?dryRun=All`, gadget("dry", { size: 99 }));
      expect(refused.status).toBe(422);
    });

    test("of two that replace the same version one wins", async () => {
      const made = await create("race");
      const both = await Promise.all([2, 3].map((size) => put(withFields(made, { spec: { size } }))));
      expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    });

    test("more than 3 MiB are refused", async () => {
      const reply = await client().call("POST", client().gadgets, gadget("big", { size: 1, word: "x".repeat(3_200_000) }));
      expect([reply.status, messageOf(reply)]).toEqual([413, "Request entity too large: limit is 3145728"]);
    });
  });
}
