/** What of the sources is kept in memory: thousands of them in tens of clusters, of which little decides anything. Pure. */
import type { KubeObject, ObjectMeta } from "../kube/kube-object.ts";
import { field } from "../kube/kube-status.ts";
import type { SourceKind } from "./cluster-objects.ts";

/** A whole copy of the object, for kubectl's use. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** @returns the object without what no reader of sources looks at; the same for what it returned */
export function trimSource(kind: SourceKind, object: KubeObject): KubeObject {
  const { metadata, ...rest } = object;
  const lean: KubeObject = { ...rest, metadata: trimMetadata(metadata) };
  switch (kind) {
    case "EndpointSlice":
      return { apiVersion: object.apiVersion, kind: object.kind, metadata: lean.metadata, endpoints: conditionsOnly(object.endpoints) };
    case "HTTPRoute":
    case "GRPCRoute":
    case "TLSRoute":
      return { ...lean, spec: withRules(object.spec) };
    case "Ingress":
    case "Gateway":
    case "Service":
      return lean;
  }
}

function trimMetadata(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _, annotations, ...rest } = metadata;
  if (annotations === undefined) return rest;
  const { [LAST_APPLIED]: __, ...others } = annotations;
  return { ...rest, annotations: others };
}

/** How many are ready is all that is asked. */
const conditionsOnly = (endpoints: unknown): unknown =>
  Array.isArray(endpoints) ? endpoints.map((endpoint) => ({ conditions: field(endpoint, "conditions") ?? {} })) : endpoints;

/** Matches and filters of rules are the larger part of a route; where it leads is what matters. */
function withRules(spec: unknown): unknown {
  const rules = field(spec, "rules");
  if (typeof spec !== "object" || spec === null || !Array.isArray(rules)) return spec;
  return { ...spec, rules: rules.map((rule) => ({ backendRefs: field(rule, "backendRefs") ?? [] })) };
}
