import { expect, test } from "vitest";
import { parse } from "yaml";
import { crdFileName, crdYaml } from "./crd.ts";
import { type StructuralSchema, specSchema, statusSchema } from "./json-schema.ts";
import { kindNames, kinds } from "./kinds.ts";

interface Node {
  readonly path: string;
  readonly schema: StructuralSchema;
}

function* walk(path: string, schema: StructuralSchema): Generator<Node> {
  yield { path, schema };
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* walk(`${path}.${name}`, property);
  if (schema.items !== undefined) yield* walk(`${path}[]`, schema.items);
  if (schema.additionalProperties !== undefined) yield* walk(`${path}.*`, schema.additionalProperties);
}

const nodes = kindNames.flatMap((kind) => [...walk(`${kind}.spec`, specSchema(kind)), ...walk(`${kind}.status`, statusSchema(kind))]);
const paths = (wrong: (schema: StructuralSchema, path: string) => boolean) =>
  nodes.filter(({ schema, path }) => wrong(schema, path)).map(({ path }) => path);

test("every field is described, in whole sentences", () => {
  const fields = nodes.filter(({ path }) => !path.endsWith("[]") && !path.endsWith(".*"));
  expect(fields.length).toBeGreaterThan(200);
  expect(fields.filter(({ schema }) => !/^[A-Z`].*\.$/s.test(schema.description ?? "")).map(({ path }) => path)).toEqual([]);
});

test("every list, map, text and number is bounded, so that the cost of rules is too", () => {
  expect(paths((schema) => schema.type === "array" && schema.maxItems === undefined)).toEqual([]);
  expect(paths((schema) => schema.additionalProperties !== undefined && schema.maxProperties === undefined)).toEqual([]);
  expect(paths((schema) => schema.type === "string" && schema.maxLength === undefined && schema.enum === undefined)).toEqual([]);
  expect(paths((schema) => schema.type === "integer" && (schema.minimum === undefined || schema.maximum === undefined))).toEqual([]);
});

test("lists say what they are: sets of texts or numbers, maps by required keys, or neither", () => {
  expect(paths((schema) => schema.type === "array" && schema["x-kubernetes-list-type"] === undefined)).toEqual([]);
  expect(paths((schema) => schema["x-kubernetes-list-type"] === "set" && schema.items?.type === "object")).toEqual([]);
  const wrongKeys = ({ items, ...schema }: StructuralSchema) =>
    (schema["x-kubernetes-list-map-keys"] ?? []).some(
      (key) => items?.required?.includes(key) !== true || items.properties?.[key]?.type === "object",
    );
  expect(paths(wrongKeys)).toEqual([]);
});

test("patterns are within RE2: no look-around, no back-references", () => {
  expect(paths((schema) => /\(\?|\\[1-9]/.test(schema.pattern ?? ""))).toEqual([]);
});

test("rules name only fields that are there, and each tells what to do", () => {
  const wrong = nodes.flatMap(({ path, schema }) =>
    (schema["x-kubernetes-validations"] ?? []).flatMap(({ rule, message }) => {
      const named = [...rule.matchAll(/self((?:\.[a-zA-Z0-9]+)+)(\()?/g)].map(([, steps = "", call]) =>
        steps
          .slice(1)
          .split(".")
          .slice(0, call ? -1 : undefined),
      );
      const missing = named.filter((steps) => {
        let at: StructuralSchema | undefined = schema;
        for (const step of steps) at = at?.properties?.[step];
        return at === undefined;
      });
      return missing.length === 0 && message !== "" ? [] : [`${path}: ${rule}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test("nothing is left of zod that a structural schema must not have", () => {
  const text = kindNames.map((kind) => crdYaml(kind)).join("");
  for (const word of ["anyOf", "oneOf", "$ref", "additionalProperties: false", "whenAbsent", "remedy", "nullable", "&a1"])
    expect(text).not.toContain(word);
});

test.each(kindNames)("%s: names, scope and columns", (kind) => {
  const crd = parse(crdYaml(kind));
  const { plural, scope } = kinds[kind];
  expect(crd).toMatchObject({
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { name: `${plural}.globalroute.dev` },
    spec: { group: "globalroute.dev", scope, names: { kind, plural, categories: ["gtm"] } },
  });
  expect(crdFileName(kind)).toBe(`globalroute.dev_${plural}.yaml`);
  const version = crd.spec.versions[0];
  expect(version.subresources).toEqual({ status: {} });
  const columns: readonly { readonly name: string; readonly jsonPath: string }[] = version.additionalPrinterColumns;
  expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(["Age"]));
  for (const { jsonPath } of columns) {
    const [, root = "", ...steps] = jsonPath.replace(/\[.*?\]/, "[]").split(".");
    if (root === "metadata") continue;
    let at: StructuralSchema | undefined = version.schema.openAPIV3Schema.properties[root];
    for (const step of steps) {
      at = at?.properties?.[step.replace("[]", "")];
      if (step.endsWith("[]")) at = at?.items;
    }
    // A column shows one value: of a list it would show the first entry, or JSON.
    expect(at?.type, jsonPath).toMatch(/^(string|integer)$/);
  }
});

const described = (schema: StructuralSchema, path: string): readonly string[] => [
  ...(schema.description === undefined || schema.description === "" ? [path] : []),
  ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => described(property, `${path}.${name}`)),
  ...(schema.items === undefined ? [] : described(schema.items, `${path}[]`)),
  ...(schema.additionalProperties === undefined ? [] : described(schema.additionalProperties, `${path}.*`)),
];

test.each(kindNames)("%s: every node has a description, but metadata, whose the API server brings itself; and all is small", (kind) => {
  const text = crdYaml(kind);
  const schema: StructuralSchema = parse(text).spec.versions[0].schema.openAPIV3Schema;
  expect(described(schema, kind)).toEqual([`${kind}.metadata`]);
  expect(schema.description).toContain("Kubernetes 1.31");
  expect(text.length).toBeLessThan(200 * 1024);
});

test.each(kindNames)("%s: a fresh object waits for the controller in every condition, Ready too", (kind) => {
  const { status } = parse(crdYaml(kind)).spec.versions[0].schema.openAPIV3Schema.properties;
  const { conditions } = status.default;
  expect(status.properties.conditions).toMatchObject({ default: conditions, "x-kubernetes-list-map-keys": ["type"] });
  expect(conditions.map(({ type }: { type: string }) => type)).toEqual(expect.arrayContaining(["Accepted", "Ready"]));
  for (const condition of conditions)
    expect(condition).toMatchObject({ status: "Unknown", reason: "Pending", lastTransitionTime: "1970-01-01T00:00:00Z" });
});

test("a default is whole: the API server checks it against the rules before it fills anything in", () => {
  const { spec } = parse(crdYaml("GlobalRoute")).spec.versions[0].schema.openAPIV3Schema.properties;
  const { health } = spec.properties;
  expect(health.default).toEqual({
    interval: "5s",
    rise: 2,
    fall: 3,
    useReadiness: true,
    useRequests: true,
    quorum: { type: "Majority" },
    probe: { type: "HTTP", insecureSkipVerify: false },
  });
  expect(health.properties.quorum.default).toEqual({ type: "Majority" });
});

test("a form in words takes the place of its pattern, and other rules hold only for what has that form", () => {
  const { interval } = parse(crdYaml("GlobalRoute")).spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.health.properties;
  expect(interval.pattern).toBeUndefined();
  const [form, range] = interval["x-kubernetes-validations"];
  expect(form.message).toContain("as in 5s");
  expect(range.rule).toBe(`!${form.rule} || (duration(self) >= duration('100ms') && duration(self) <= duration('1h'))`);
});

test("defaults and bounds reach the API server", () => {
  const spec = parse(crdYaml("GlobalRoute")).spec.versions[0].schema.openAPIV3Schema.properties.spec;
  expect(spec.required).toEqual(["hosts"]);
  expect(spec.properties.hosts).toMatchObject({ minItems: 1, maxItems: 64, "x-kubernetes-list-type": "set" });
  expect(spec.properties.backends).toMatchObject({ maxItems: 128, "x-kubernetes-list-map-keys": ["name"] });
  expect(spec.properties.routing.properties.rules).toMatchObject({ maxItems: 64 });
  expect(spec.properties.routing.properties.rules.items.properties.clients.properties.countries.maxItems).toBe(250);
  expect(spec.properties.routing.properties.rules.items.properties.clients.properties.subnets.maxItems).toBe(256);
  expect(spec.properties.health.properties.interval.default).toBe("5s");
  expect(spec.properties.failover.properties.failback.properties.after.default).toBe("5m");
  expect(spec.properties.failover.properties.maxWithdrawalPercent).toMatchObject({ default: 34, format: "int32" });
  expect(spec.properties.routing.properties.rules.items.properties.clients.properties.asns.items.format).toBe("int64");
});
