/** Contract: what a schema fills in, drops and refuses, and what CEL rules say. */
import { describe, expect, test } from "vitest";
import { at, type JsonObject } from "../json.ts";
import { type ContractClient, gadget, MERGE, messageOf, reasonOf } from "./peer.ts";

const UNCHECKED =
  "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

/** A spec, and what is said of it; `+` = and that rules were not checked. */
const REFUSED: readonly (readonly [name: string, spec: JsonObject, message: string])[] = [
  ["a missing field", { colour: "Red" }, "+spec.size: Required value"],
  ["a number that is too big", { size: 99 }, "spec.size: Invalid value: 99: spec.size in body should be less than or equal to 10"],
  ["a number that is too small", { size: 0 }, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"],
  ["a text for a number", { size: "x" }, '+spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ["a fraction for an integer", { size: 1.5 }, '+spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
  ["none of the words", { size: 1, colour: "Blue" }, '+spec.colour: Unsupported value: "Blue": supported values: "Red", "Green"'],
  ["a text of another form", { size: 1, word: "AB" }, "spec.word: Invalid value: \"AB\": spec.word in body should match '^[a-z]+$'"],
  ["a text that is too short", { size: 1, word: "a" }, 'spec.word: Invalid value: "a": spec.word in body should be at least 2 chars long'],
  ["a text that is too long", { size: 1, word: "abcdef" }, "+spec.word: Too long: may not be more than 5 bytes"],
  ["no date", { size: 1, at: "x" }, '+spec.at: Invalid value: "x": spec.at in body must be of type date-time: "x"'],
  ["too few items", { size: 1, tags: [] }, "spec.tags: Invalid value: 0: spec.tags in body should have at least 1 items"],
  ["too many items", { size: 1, tags: ["a", "b", "c", "d"] }, "+spec.tags: Too many: 4: must have at most 3 items"],
  ["an item twice in a set", { size: 1, tags: ["a", "a"] }, 'spec.tags[1]: Duplicate value: "a"'],
  ["a key twice", { size: 1, ports: [{ name: "a" }, { name: "a" }] }, 'spec.ports[1]: Duplicate value: {"name":"a"}'],
  ["an item without its key", { size: 1, ports: [{ number: 1 }] }, "+spec.ports[0].name: Required value"],
  ["too many properties", { size: 1, labels: { a: "1", b: "2", c: "3", d: "4" } }, "+spec.labels: Too many: 4: must have at most 3 items"],
  ["a rule of an object broken", { size: 1, low: 5, high: 2 }, "spec: Invalid value: low must be below high"],
  ["a rule of a text broken", { size: 1, wait: "70s" }, 'spec.wait: Invalid value: "70s": must be at most 1m'],
];

export function describeSchema(client: () => ContractClient): void {
  const post = (name: string, spec: JsonObject, query = "") => client().call("POST", `${client().gadgets}${query}`, gadget(name, spec));

  describe("schemas", () => {
    test("defaults are filled in, those inside of defaults and of list items too", async () => {
      const { body } = await post("filled", { size: 1, ports: [{ name: "a" }] });
      expect(at(body, "spec")).toEqual({ size: 1, colour: "Red", nested: { b: "bee" }, ports: [{ name: "a", number: 80 }] });
    });

    test("a null counts as absent where the schema takes none", async () => {
      const { body } = await post("nulls", { size: 1, word: null, colour: null, nested: null });
      expect(at(body, "spec")).toEqual({ size: 1, colour: "Red", nested: { b: "bee" } });
    });

    test("unknown fields are dropped with a warning, or refused if the client wants so", async () => {
      const spec = { size: 1, zip: 2, ports: [{ name: "a", z: 1 }] };
      const { status, body, warnings } = await post("pruned", spec);
      expect([status, at(body, "spec", "zip"), warnings.join()]).toEqual([
        201,
        undefined,
        expect.stringContaining('unknown field \\"spec.zip\\"'),
      ]);
      const strict = await post("strict", spec, "?fieldValidation=Strict");
      expect([strict.status, messageOf(strict)]).toEqual([
        400,
        'Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "spec.ports[0].z", unknown field "spec.zip"',
      ]);
    });

    test.each(REFUSED)("%s is refused", async (_name, spec, message) => {
      const reply = await post("refused", spec);
      expect([reply.status, reasonOf(reply)]).toEqual([422, "Invalid"]);
      const said = message.startsWith("+") ? `[${message.slice(1)}, ${UNCHECKED}]` : message;
      expect(messageOf(reply)).toBe(`Gadget.contract.example.org "refused" is invalid: ${said}`);
    });

    test("a refusal names field and reason for programs", async () => {
      const { body } = await post("causes", { size: 99 });
      expect(at(body, "details")).toEqual({
        name: "causes",
        group: "contract.example.org",
        kind: "Gadget",
        causes: [
          {
            reason: "FieldValueInvalid",
            message: "Invalid value: 99: spec.size in body should be less than or equal to 10",
            field: "spec.size",
          },
        ],
      });
    });

    test("a rule about the old value holds for changes, not for setting it first", async () => {
      await post("old-self", { size: 1 });
      const patch = (word: string | null) =>
        client().call("PATCH", `${client().gadgets}/old-self`, { spec: { word } }, { contentType: MERGE });
      expect((await patch("abc")).status).toBe(200);
      const changed = await patch("abd");
      expect(messageOf(changed)).toBe('Gadget.contract.example.org "old-self" is invalid: spec.word: Invalid value: "abd": is immutable');
      expect((await patch(null)).status).toBe(200);
    });

    test("a CRD with a rule that cannot be read, or under another name, is refused", async () => {
      const reply = await client().call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "wrong.contract.example.org" },
        spec: {
          group: "contract.example.org",
          scope: "Namespaced",
          names: { kind: "Wrong", plural: "wrongs" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: "object", "x-kubernetes-validations": [{ rule: "self.(" }] } },
            },
          ],
        },
      });
      expect(reply.status).toBe(422);
      expect(messageOf(reply)).toContain(
        'metadata.name: Invalid value: "wrong.contract.example.org": must be spec.names.plural+"."+spec.group',
      );
      expect(messageOf(reply)).toContain("compilation failed");
    });
  });
}
