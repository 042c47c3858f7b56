/** The kinds that the fake serves: those of every cluster, and those of CustomResourceDefinitions. */
import { type CompiledRules, checkRules, compileRules } from "./cel-rules.ts";
import { arrayAt, at, isObject, type Json, type JsonObject, objectAt, textAt } from "./json.ts";
import { isSchema, type Schema } from "./schema.ts";
import { type Cause, invalidValue } from "./status-error.ts";
import { validateValue } from "./validate.ts";

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority: number;
}

/** One kind at one version. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Has a status subresource. */
  readonly hasStatus: boolean;
  /** Counts changes of everything but metadata and status. */
  readonly hasGeneration: boolean;
  /** May be replaced without a resourceVersion. */
  readonly allowsUnconditional: boolean;
  /** Fields besides name and namespace that a field selector may name. */
  readonly selectable: readonly string[];
  /** Defined by a CRD: pruned, defaulted and validated by its schema. */
  readonly isCustom: boolean;
  /** Of a built-in kind it tells only how its lists are owned. */
  readonly schema: Schema | undefined;
  readonly rules: CompiledRules;
  readonly columns: readonly PrinterColumn[];
}

export const apiVersionOf = ({ group, version }: Pick<ServedKind, "group" | "version">): string =>
  group === "" ? version : `${group}/${version}`;

/** Where objects of all versions of a kind are kept. */
export const storageOf = ({ group, plural }: Pick<ServedKind, "group" | "plural">): string => `${group}/${plural}`;

interface BuiltIn {
  readonly cluster?: true;
  readonly status?: true;
  readonly generation?: true;
  readonly unconditional?: false;
  readonly short?: readonly string[];
  readonly selectable?: readonly string[];
  readonly schema?: Schema;
}

const NO_RULES: CompiledRules = new Map();

function builtIn(group: string, version: string, kind: string, plural: string, more: BuiltIn = {}): ServedKind {
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: more.short ?? [],
    categories: [],
    namespaced: more.cluster !== true,
    hasStatus: more.status === true,
    hasGeneration: more.generation === true,
    allowsUnconditional: more.unconditional !== false,
    selectable: more.selectable ?? [],
    isCustom: false,
    schema: more.schema,
    rules: NO_RULES,
    columns: [],
  };
}

const keyed = (...keys: readonly string[]): Schema => ({
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
  items: {},
});
const conditions: Schema = { properties: { conditions: keyed("type") } };

/** Kinds that every cluster has, as far as this project meets them. */
export const BUILT_IN_KINDS: readonly ServedKind[] = [
  builtIn("", "v1", "Namespace", "namespaces", { cluster: true, status: true, short: ["ns"], selectable: ["status.phase"] }),
  builtIn("", "v1", "Secret", "secrets", { selectable: ["type"] }),
  builtIn("", "v1", "ConfigMap", "configmaps", { short: ["cm"] }),
  builtIn("", "v1", "ServiceAccount", "serviceaccounts", { short: ["sa"] }),
  builtIn("", "v1", "Service", "services", {
    status: true,
    short: ["svc"],
    schema: { properties: { spec: { properties: { ports: keyed("port", "protocol") } }, status: conditions } },
  }),
  builtIn("", "v1", "Pod", "pods", {
    status: true,
    generation: true,
    short: ["po"],
    schema: { properties: { spec: { properties: { containers: keyed("name") } }, status: conditions } },
  }),
  builtIn("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", {
    generation: true,
    schema: { properties: { endpoints: { "x-kubernetes-list-type": "atomic" } } },
  }),
  builtIn("networking.k8s.io", "v1", "Ingress", "ingresses", { status: true, generation: true, short: ["ing"] }),
  builtIn("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", { generation: true }),
  builtIn("coordination.k8s.io", "v1", "Lease", "leases", { unconditional: false }),
  builtIn("events.k8s.io", "v1", "Event", "events", {
    short: ["ev"],
    selectable: ["reason", "type", "reportingController", "regarding.kind", "regarding.name", "regarding.namespace", "regarding.uid"],
  }),
  builtIn("apps", "v1", "Deployment", "deployments", {
    status: true,
    generation: true,
    short: ["deploy"],
  }),
  builtIn("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", { status: true, generation: true }),
  builtIn("rbac.authorization.k8s.io", "v1", "Role", "roles"),
  builtIn("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
  builtIn("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", { cluster: true }),
  builtIn("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", { cluster: true }),
  builtIn("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", {
    cluster: true,
    status: true,
    generation: true,
  }),
  builtIn("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", { cluster: true }),
  builtIn("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", {
    cluster: true,
    status: true,
    generation: true,
    unconditional: false,
    short: ["crd"],
    schema: { properties: { status: conditions } },
  }),
];

/** The versions that a CustomResourceDefinition serves. */
export function kindsOfCrd(crd: JsonObject): readonly ServedKind[] {
  const names = objectAt(crd, "spec", "names");
  const texts = (list: readonly Json[]): readonly string[] => list.filter((one) => typeof one === "string");
  return arrayAt(crd, "spec", "versions")
    .filter((version) => at(version, "served") === true)
    .map((version) => {
      const found: unknown = at(version, "schema", "openAPIV3Schema");
      const schema = isSchema(found) ? found : {};
      return {
        group: textAt(crd, "spec", "group"),
        version: textAt(version, "name"),
        kind: textAt(names, "kind"),
        plural: textAt(names, "plural"),
        singular: textAt(names, "singular") || textAt(names, "kind").toLowerCase(),
        shortNames: texts(arrayAt(names, "shortNames")),
        categories: texts(arrayAt(names, "categories")),
        namespaced: textAt(crd, "spec", "scope") === "Namespaced",
        hasStatus: isObject(at(version, "subresources", "status")),
        hasGeneration: true,
        allowsUnconditional: false,
        selectable: arrayAt(version, "selectableFields").map((field) => textAt(field, "jsonPath").slice(1)),
        isCustom: true,
        schema,
        rules: compileRules(schema),
        columns: arrayAt(version, "additionalPrinterColumns").map(columnOf),
      };
    });
}

const columnOf = (column: Json): PrinterColumn => {
  const priority = at(column, "priority");
  return {
    name: textAt(column, "name"),
    type: textAt(column, "type"),
    jsonPath: textAt(column, "jsonPath"),
    priority: typeof priority === "number" ? priority : 0,
  };
};

/** A default must itself be valid as it is written, before the defaults inside of it. */
function defaultFaults(schema: Schema, rules: CompiledRules): readonly Cause[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  const own =
    schema.default === undefined ? [] : [...validateValue(schema.default, schema), ...checkRules(schema.default, undefined, schema, rules)];
  return [...own.map((cause) => ({ ...cause, field: `default${cause.field}` })), ...inner.flatMap((part) => defaultFaults(part, rules))];
}

/** What is wrong with a CustomResourceDefinition itself, as far as the fake cares. */
export function crdFaults(crd: JsonObject): readonly Cause[] {
  const causes: Cause[] = [];
  const [name, group, plural] = [textAt(crd, "metadata", "name"), textAt(crd, "spec", "group"), textAt(crd, "spec", "names", "plural")];
  if (name !== `${plural}.${group}`) {
    causes.push(invalidValue("metadata.name", JSON.stringify(name), 'must be spec.names.plural+"."+spec.group'));
  }
  if (arrayAt(crd, "spec", "versions").filter((version) => at(version, "storage") === true).length !== 1) {
    causes.push(invalidValue("spec.versions", "[]", "must have exactly one version marked as storage version"));
  }
  try {
    for (const { schema, rules } of kindsOfCrd(crd)) if (schema !== undefined) causes.push(...defaultFaults(schema, rules));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    causes.push(invalidValue("spec.versions[0].schema.openAPIV3Schema", '"rule"', `compilation failed: ${error.message}`));
  }
  return causes;
}
