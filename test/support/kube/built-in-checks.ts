/** What a cluster makes of its own kinds when they are written: what it fills in, and what it refuses. */
import { arrayAt, at, isObject, type Json, type JsonObject, objectAt, textAt, withFields, withMetadata } from "./json.ts";
import { crdFaults, type ServedKind } from "./kinds.ts";
import { badRequest, type Cause, invalidValue, required } from "./status-error.ts";

const MICRO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(Z|[+-]\d{2}:\d{2})$/;

const MICRO_TIMES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Lease: [
    ["spec", "acquireTime"],
    ["spec", "renewTime"],
  ],
  Event: [["eventTime"], ["series", "lastObservedTime"]],
};

/** @throws StatusError 400 for what cannot be decoded */
export function decodeBuiltIn(kind: ServedKind, object: JsonObject): JsonObject {
  for (const path of MICRO_TIMES[kind.kind] ?? []) {
    const time = at(object, ...path);
    if (typeof time === "string" && !MICRO_TIME.test(time)) throw undecodable(kind, microTimeFault(time));
  }
  switch (kind.kind) {
    case "Secret":
      return decodeSecret(kind, object);
    case "Namespace": {
      const name = textAt(object, "metadata", "name");
      const labels = { ...objectAt(object, "metadata", "labels"), "kubernetes.io/metadata.name": name };
      const status = isObject(object.status) ? object.status : { phase: "Active" };
      return withMetadata({ ...object, spec: { finalizers: ["kubernetes"] }, status }, { labels });
    }
    case "Service":
    case "Ingress":
      return isObject(object.status) ? object : { ...object, status: { loadBalancer: {} } };
    case "CustomResourceDefinition":
      return established(object);
    default:
      return object;
  }
}

const undecodable = (kind: ServedKind, why: string): Error =>
  badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);

const microTimeFault = (time: string): string => {
  const rest = time.replace(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/, "");
  return `parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${JSON.stringify(rest)} as ".000000"`;
};

function decodeSecret(kind: ServedKind, object: JsonObject): JsonObject {
  for (const value of Object.values(objectAt(object, "data"))) {
    if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
      throw undecodable(kind, "illegal base64 data at input byte 0");
    }
  }
  const plain = Object.entries(objectAt(object, "stringData"));
  const encoded = plain.map(([name, value]): [string, Json] => [name, Buffer.from(String(value)).toString("base64")]);
  const data = { ...objectAt(object, "data"), ...Object.fromEntries(encoded) };
  return withFields(object, {
    stringData: undefined,
    ...(Object.keys(data).length === 0 ? {} : { data }),
    type: object.type ?? "Opaque",
  });
}

function established(crd: JsonObject): JsonObject {
  const names = objectAt(crd, "spec", "names");
  const singular = textAt(names, "singular") || textAt(names, "kind").toLowerCase();
  const filled = { ...names, singular, listKind: textAt(names, "listKind") || `${textAt(names, "kind")}List` };
  const stored = arrayAt(crd, "spec", "versions").filter((version) => at(version, "storage") === true);
  const condition = (type: string, reason: string): JsonObject => ({ type, status: "True", reason, message: "" });
  return {
    ...crd,
    spec: { conversion: { strategy: "None" }, ...objectAt(crd, "spec"), names: filled },
    status: {
      conditions: [condition("NamesAccepted", "NoConflicts"), condition("Established", "InitialNamesAccepted")],
      acceptedNames: filled,
      storedVersions: stored.map((version) => textAt(version, "name")),
    },
  };
}

/** A refusal that is told of another group than the object's: events.k8s.io speaks of core Events. */
export const groupInMessages = ({ kind, group }: ServedKind): string => (kind === "Event" ? "" : group);

/** Why an object of a built-in kind is refused. */
export function builtInFaults(kind: ServedKind, object: JsonObject, old: JsonObject | undefined): readonly Cause[] {
  switch (kind.kind) {
    case "Lease":
      return leaseFaults(object);
    case "Event":
      return old === undefined ? eventFaults(object) : eventChanges(object, old);
    case "CustomResourceDefinition":
      return crdFaults(object);
    default:
      return [];
  }
}

function leaseFaults(lease: JsonObject): readonly Cause[] {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = objectAt(lease, "spec");
  const causes: Cause[] = [];
  if (typeof seconds === "number" && seconds <= 0) {
    causes.push(invalidValue("spec.leaseDurationSeconds", `${seconds}`, "must be greater than 0"));
  }
  if (typeof transitions === "number" && transitions < 0) {
    causes.push(invalidValue("spec.leaseTransitions", `${transitions}`, "must be greater than or equal to 0"));
  }
  return causes;
}

function eventFaults(event: JsonObject): readonly Cause[] {
  const missing = ["eventTime", "reportingController", "reportingInstance", "action", "reason"].filter(
    (field) => textAt(event, field) === "",
  );
  const causes = missing.map((field) => required(field));
  const type = textAt(event, "type");
  if (type !== "Normal" && type !== "Warning") causes.push(invalidValue("type", '""', `has invalid value: ${type}`));
  if (textAt(event, "note").length > 1024) causes.push(invalidValue("message", '""', "can have at most 1024 characters"));
  return causes;
}

/** Field → as it is called in messages. */
const FIXED_EVENT_FIELDS: Readonly<Record<string, string>> = {
  regarding: "involvedObject",
  reason: "reason",
  note: "message",
  type: "type",
  eventTime: "eventTime",
  action: "action",
  reportingController: "reportingController",
  reportingInstance: "reportingInstance",
};

const eventChanges = (event: JsonObject, old: JsonObject): readonly Cause[] =>
  Object.entries(FIXED_EVENT_FIELDS)
    .filter(([field]) => JSON.stringify(event[field]) !== JSON.stringify(old[field]))
    .map(([field, name]) => invalidValue(name, JSON.stringify(event[field]), "field is immutable"));
