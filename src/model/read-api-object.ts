/**
 * Objects as an API server gives them, read tolerantly. The CRDs there may be newer than this program, while an upgrade is under way or
 * after it was rolled back: a field that is not known is passed over, as the API server passes over fields that its CRD does not have; a
 * value that is not known cannot be, so the object is told to be unsupported and what was served of it goes on.
 */
import { z } from "zod";
import { type CheckedObject, checkObject } from "./check-object.ts";
import { type Kind, kinds } from "./kinds.ts";
import { type Locate, objectTitle } from "./manifest-object.ts";
import { identify } from "./object-identity.ts";
import { unwrapped } from "./schema-walk.ts";

export interface ApiObject extends CheckedObject {
  /** Present when a field has a value that this version does not know: the fact and the remedy, for `Accepted=False`. */
  readonly unsupported?: string;
}

/**
 * Reads one object of ours, in the words of `globalroute validate`. Its problems point to the object as a whole (`GlobalRoute web/shop`),
 * as there is no text to point into.
 */
export function readApiObject(raw: unknown): ApiObject {
  const identity = identify(raw, () => ({ file: "an object of the API server", line: 0, column: 0 }));
  if ("problems" in identity) return identity;
  const file = objectTitle(identity);
  const locate: Locate = () => ({ file, line: 0, column: 0 });
  const checked = checkObject(known(raw, identity.kind), locate);
  const strange = checked.problems.find(({ code }) => code === "field-value");
  if (strange === undefined) return checked;
  const field = strange.path.slice(file.length + 1);
  const unsupported = `${field}: ${strange.message}, so this version cannot tell what is meant, and what was served goes on. ${strange.remedy} If a newer version knows the value, let that one run.`;
  return { ...checked, unsupported };
}

/** What is asked of the object: its identity, its labels, and those fields of its spec that are known. */
function known(raw: unknown, kind: Kind): unknown {
  const { apiVersion, metadata, spec } = membersOf(raw);
  const { name, namespace, labels } = membersOf(metadata);
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }) },
    ...(spec === undefined ? {} : { spec: prunes[kind]?.(spec) ?? spec }),
  };
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => (isMapping(value) ? value : {});
const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Prune = (value: unknown) => unknown;

/**
 * Makes what takes away the fields that the schema does not name. What has another shape than the schema is left as it is, for the decoder
 * to tell. Walking the schema anew for each object would cost more than decoding does.
 *
 * @returns undefined where there is nothing to take away
 */
function pruner(schema: z.core.$ZodType): Prune | undefined {
  const inner = unwrapped(schema)?.schema;
  if (inner instanceof z.ZodArray) {
    const prune = pruner(inner.element);
    return prune && ((value) => (Array.isArray(value) ? value.map(prune) : value));
  }
  if (!(inner instanceof z.ZodObject)) return undefined;
  const fields = Object.entries(inner.shape).map(([name, field]) => ({ name, prune: pruner(field) }));
  return (value) => {
    if (!isMapping(value)) return value;
    const known: Record<string, unknown> = {};
    for (const { name, prune } of fields) {
      if (Object.hasOwn(value, name)) known[name] = prune === undefined ? value[name] : prune(value[name]);
    }
    return known;
  };
}

const prunes: Readonly<Record<Kind, Prune | undefined>> = {
  GlobalRoute: pruner(kinds.GlobalRoute.spec),
  MemberCluster: pruner(kinds.MemberCluster.spec),
  DNSZone: pruner(kinds.DNSZone.spec),
  TrafficOverride: pruner(kinds.TrafficOverride.spec),
  ProxyFleet: pruner(kinds.ProxyFleet.spec),
};
