/** The CustomResourceDefinition that the contract tests with: one field for each thing that a schema can say. */
import type { JsonObject } from "../json.ts";

export const GADGET_CRD: JsonObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.contract.example.org" },
  spec: {
    group: "contract.example.org",
    scope: "Namespaced",
    names: { kind: "Gadget", listKind: "GadgetList", singular: "gadget", plural: "gadgets" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            required: ["spec"],
            properties: {
              spec: {
                type: "object",
                required: ["size"],
                "x-kubernetes-validations": [
                  { rule: "!has(self.low) || !has(self.high) || self.low < self.high", message: "low must be below high" },
                ],
                properties: {
                  size: { type: "integer", minimum: 1, maximum: 10 },
                  colour: { type: "string", enum: ["Red", "Green"], default: "Red" },
                  word: {
                    type: "string",
                    pattern: "^[a-z]+$",
                    minLength: 2,
                    maxLength: 5,
                    "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is immutable" }],
                  },
                  low: { type: "integer" },
                  high: { type: "integer" },
                  at: { type: "string", format: "date-time" },
                  tags: {
                    type: "array",
                    minItems: 1,
                    maxItems: 3,
                    "x-kubernetes-list-type": "set",
                    items: { type: "string", maxLength: 10 },
                  },
                  ports: {
                    type: "array",
                    maxItems: 5,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    items: {
                      type: "object",
                      required: ["name"],
                      properties: { name: { type: "string" }, number: { type: "integer", default: 80 }, note: { type: "string" } },
                    },
                  },
                  plain: { type: "array", "x-kubernetes-list-type": "atomic", items: { type: "string" } },
                  wait: {
                    type: "string",
                    maxLength: 10,
                    pattern: "^[0-9]+s$",
                    "x-kubernetes-validations": [{ rule: "duration(self) <= duration('1m')", message: "must be at most 1m" }],
                  },
                  nested: { type: "object", default: {}, properties: { a: { type: "string" }, b: { type: "string", default: "bee" } } },
                  labels: { type: "object", maxProperties: 3, additionalProperties: { type: "string" } },
                },
              },
              status: {
                type: "object",
                properties: {
                  phase: { type: "string" },
                  count: { type: "integer" },
                  conditions: {
                    type: "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                    items: {
                      type: "object",
                      required: ["type", "status"],
                      properties: { type: { type: "string" }, status: { type: "string" }, message: { type: "string" } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
