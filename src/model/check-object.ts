/** One object of the user's, checked by itself: its envelope, its fields, its lists. What needs other objects is buildInventory's. */
import { z } from "zod";
import { describeIssue } from "./describe-issue.ts";
import { type Kind, kinds, type SpecOf } from "./kinds.ts";
import { duplicateCheck } from "./list-duplicates.ts";
import { type Locate, type ManifestObject, type ObjectOf, problemAt, type RejectedObject } from "./manifest-object.ts";
import { identify } from "./object-identity.ts";
import type { Problem } from "./problem.ts";
import { entryName, labels, objectName } from "./schema/parts.ts";

/** Members of metadata that an API server writes; they are in whatever `kubectl get -o yaml` prints. */
const writtenByServer = {
  creationTimestamp: z.unknown().optional(),
  deletionGracePeriodSeconds: z.unknown().optional(),
  deletionTimestamp: z.unknown().optional(),
  finalizers: z.unknown().optional(),
  generateName: z.unknown().optional(),
  generation: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  ownerReferences: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  selfLink: z.unknown().optional(),
  uid: z.unknown().optional(),
};

const metadata = z
  .strictObject({
    name: objectName().describe("The object's name."),
    namespace: entryName().optional().describe("The object's namespace; default when it is not given."),
    labels: labels(256).optional().describe("What selectors select by."),
    annotations: z.record(z.string(), z.string()).optional().describe("Notes of people and tools; nothing here reads them."),
    ...writtenByServer,
  })
  .describe("Name, namespace and labels.");

function envelope<S extends z.ZodType>(spec: S) {
  const schema = z.strictObject({
    apiVersion: z.string().describe("Group and version of the object."),
    kind: z.string().describe("Kind of the object."),
    metadata,
    spec,
    status: z.unknown().optional(),
  });
  return { schema, findDuplicates: duplicateCheck(schema) };
}

const envelopes = {
  GlobalRoute: envelope(kinds.GlobalRoute.spec),
  MemberCluster: envelope(kinds.MemberCluster.spec),
  DNSZone: envelope(kinds.DNSZone.spec),
  TrafficOverride: envelope(kinds.TrafficOverride.spec),
  ProxyFleet: envelope(kinds.ProxyFleet.spec),
} as const;

/** What is left of a document. */
export interface CheckedObject<O = ManifestObject> {
  /** Absent when the object has errors. */
  readonly object?: O;
  /** Present when the object has errors, but says what it is. */
  readonly rejected?: RejectedObject;
  readonly problems: readonly Problem[];
}

/** Reads one document's value. All its problems are reported, not only the first. */
export function checkObject(raw: unknown, locate: Locate): CheckedObject {
  const identity = identify(raw, locate);
  if ("problems" in identity) return identity;
  switch (identity.kind) {
    case "GlobalRoute":
      return check("GlobalRoute", envelopes.GlobalRoute, identity, raw, locate);
    case "MemberCluster":
      return check("MemberCluster", envelopes.MemberCluster, identity, raw, locate);
    case "DNSZone":
      return check("DNSZone", envelopes.DNSZone, identity, raw, locate);
    case "TrafficOverride":
      return check("TrafficOverride", envelopes.TrafficOverride, identity, raw, locate);
    case "ProxyFleet":
      return check("ProxyFleet", envelopes.ProxyFleet, identity, raw, locate);
  }
}

interface Envelope<K extends Kind> {
  readonly schema: z.ZodType<{ readonly metadata: z.output<typeof metadata>; readonly spec: SpecOf<K> }>;
  readonly findDuplicates: ReturnType<typeof duplicateCheck>;
}

function check<K extends Kind>(
  kind: K,
  { schema, findDuplicates }: Envelope<K>,
  identity: RejectedObject,
  raw: unknown,
  locate: Locate,
): CheckedObject<ObjectOf<K>> {
  const parsed = schema.safeParse(raw);
  const at = { ...identity, locate };
  const faults = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, schema, raw))),
    // In decoded values two spellings of one address are equal.
    ...findDuplicates(parsed.success ? parsed.data : raw, []),
  ];
  const problems = faults.map(({ path, part, fault }) => problemAt(at, path, fault, { part }));
  if (!parsed.success || problems.length > 0) return { rejected: identity, problems };
  const { metadata, spec } = parsed.data;
  if (identity.namespace === "" && metadata.namespace !== undefined) {
    const message = `${kind} is cluster-scoped, so its namespace has no meaning`;
    const unused = { code: "namespace-unused", message, remedy: "Remove metadata.namespace." } as const;
    problems.push(problemAt(at, ["metadata", "namespace"], unused, { severity: "warning" }));
  }
  return { object: { kind, namespace: identity.namespace, name: identity.name, labels: metadata.labels ?? {}, spec, locate }, problems };
}
