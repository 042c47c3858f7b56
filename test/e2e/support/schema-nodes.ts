/** Walks the schema of a CustomResourceDefinition. */

export interface SchemaNode {
  /** `spec.backends[].name`, `spec.labels{}`; empty for the whole object. */
  readonly path: string;
  readonly description: string;
}

/** @param schema an `openAPIV3Schema`. @returns every node, outer ones first, but those whose meaning is Kubernetes' own */
export function schemaNodes(schema: unknown, path = ""): readonly SchemaNode[] {
  if (typeof schema !== "object" || schema === null) return [];
  const node: Readonly<Record<string, unknown>> = { ...schema };
  const properties = typeof node.properties === "object" && node.properties !== null ? Object.entries(node.properties) : [];
  return [
    { path, description: typeof node.description === "string" ? node.description : "" },
    ...properties
      .filter(([name]) => path !== "" || !["apiVersion", "kind", "metadata"].includes(name))
      .flatMap(([name, inner]) => schemaNodes(inner, path === "" ? name : `${path}.${name}`)),
    ...schemaNodes(node.items, `${path}[]`),
    ...schemaNodes(node.additionalProperties, `${path}{}`),
  ];
}
