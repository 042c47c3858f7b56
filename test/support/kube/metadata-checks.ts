/** Names and labels, as every kind's metadata must have them. */
import { type JsonObject, objectAt, textAt } from "./json.ts";
import { type Cause, invalidValue, required } from "./status-error.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
  "alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** RBAC names may hold colons and capitals. */
const PATH_NAMED: ReadonlySet<string> = new Set(["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]);

/** What is wrong with `metadata.name`. */
export function nameFaults(object: JsonObject): readonly Cause[] {
  const name = textAt(object, "metadata", "name");
  if (name === "") return [required("metadata.name", "name or generateName is required")];
  if (PATH_NAMED.has(textAt(object, "kind"))) return [];
  if (name.length > 253) return [invalidValue("metadata.name", JSON.stringify(name), "must be no more than 253 bytes")];
  return SUBDOMAIN.test(name) ? [] : [invalidValue("metadata.name", JSON.stringify(name), SUBDOMAIN_RULE)];
}

const LABEL_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_NAME = new RegExp(`^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?${LABEL_PART}$`);
const LABEL_VALUE = new RegExp(`^(${LABEL_PART})?$`);
const LABEL_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. " +
  `'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${LABEL_PART}')`;
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
  "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
  `'(${LABEL_PART})?')`;

/** What is wrong with `metadata.labels` and the keys of `metadata.annotations`. */
export function labelFaults(object: JsonObject): readonly Cause[] {
  const labels = Object.entries(objectAt(object, "metadata", "labels"));
  const keys = [
    ...labels.map(([key]) => ["metadata.labels", key] as const),
    ...Object.keys(objectAt(object, "metadata", "annotations")).map((key) => ["metadata.annotations", key] as const),
  ];
  const badKeys = keys.filter(([, key]) => !LABEL_NAME.test(key) || (key.split("/").at(-1) ?? "").length > 63);
  const badValues = labels.filter(([, value]) => typeof value !== "string" || value.length > 63 || !LABEL_VALUE.test(value));
  return [
    ...badKeys.map(([field, key]) => invalidValue(field, JSON.stringify(key), LABEL_RULE)),
    ...badValues.map(([, value]) => invalidValue("metadata.labels", JSON.stringify(value), VALUE_RULE)),
  ];
}
