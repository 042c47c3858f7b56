/**
 * One of the DNSEndpoints that hold a zone: as many names as are well kept in one object, whose they are, and in the first one the fence. Pure.
 *
 * ```
 * metadata:
 *   name: globalroute-prod-eu.example.org-0
 *   labels: {globalroute.dev/owner: prod-eu, globalroute.dev/zone: example.org, globalroute.dev/part: "0"}
 *   annotations:
 *     globalroute.dev/writer-epoch: "3"
 *     globalroute.dev/claims: '{"GlobalRoute/web/shop":{"shop.example.org":"A+AAAA"}}'
 *     globalroute.dev/fence: heritage=globalroute,globalroute/epoch=3,globalroute/write=12   # the first one alone
 *     globalroute.dev/parts: "1"                                                             # the first one alone
 * spec: {endpoints: [{dnsName: shop.example.org, recordType: A, recordTTL: 30, targets: [192.0.2.1]}, …]}
 * ```
 * What is ours is told by annotations and not by TXT records: ExternalDNS publishes endpoints alone, and has a registry of its own.
 */
import { z } from "zod";
import type { Change } from "../change.ts";
import { type Ownership, parseOwnership, registeredName } from "../ownership.ts";
import { formatText, parseText, type RecordSet, recordSetKey, sameValue } from "../record-set.ts";
import { fromEndpoint, toEndpoint } from "./endpoint.ts";

/** The object as the API server has it. Fields that are not named here are kept. */
export interface DnsEndpointObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    /** Raised with each change of the spec, and with no other. */
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const DNS_ENDPOINTS = {
  group: "externaldns.k8s.io",
  version: "v1alpha1",
  kind: "DNSEndpoint",
  plural: "dnsendpoints",
  namespaced: true,
} as const;

const OWNER = "globalroute.dev/owner";
const ZONE = "globalroute.dev/zone";
const PART = "globalroute.dev/part";
/** The name that the chart's admission policy knows for it (docs/adr/0011-fence-by-admission.md). */
const EPOCH = "globalroute.dev/writer-epoch";
const CLAIMS = "globalroute.dev/claims";
const FENCE = "globalroute.dev/fence";
const PARTS = "globalroute.dev/parts";
const SETTLED = "globalroute.dev/settled";

export type Claim = Pick<Ownership, "resource" | "types">;

export interface Entry {
  readonly set: RecordSet;
  /** As it is in the object, whoever wrote it. */
  readonly endpoint: unknown;
}

export interface Part {
  readonly index: number;
  /** As it was read; undefined: it is not there. */
  readonly object: DnsEndpointObject | undefined;
  /** Of the term of its last writer. */
  readonly epoch: number;
  /** How often it was written only so that what was under way finds another version. */
  readonly settled: number;
  /** By key of the set. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** By name. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** Of the first part: TXT data of the fence. */
  readonly fence: string | undefined;
  /** Of the first part: how many there are, or are about to be made. */
  readonly parts: number;
}

export const missingPart = (index: number): Part => ({
  ...{ index, object: undefined, epoch: 0, settled: 0, parts: 1 },
  ...{ entries: new Map(), claims: new Map(), fence: undefined },
});

/** Where a part of a zone is. */
export interface PartScope {
  readonly namespace: string;
  /** The zone's apex. */
  readonly domain: string;
  /** Ownership id: one DNS label. */
  readonly owner: string;
  /** Hash of a text: hexadecimal, at least 40 characters. */
  readonly digest: (text: string) => string;
}

/** Of object names, with room for a number behind. */
const MAX_NAME = 240;
/** Of values of labels. */
const MAX_LABEL = 63;

function partName({ domain, owner, digest }: PartScope, index: number): string {
  const base = `globalroute-${owner}.${domain}`;
  return `${base.length <= MAX_NAME ? base : `globalroute-${digest(base).slice(0, 40)}`}-${index}`;
}

const zoneLabel = ({ domain, digest }: Pick<PartScope, "domain" | "digest">): string =>
  domain.length <= MAX_LABEL ? domain : digest(domain).slice(0, 40);

/** Whose part of the zone an object is; undefined when it is none. */
export function partOwner({ metadata }: DnsEndpointObject, scope: Pick<PartScope, "domain" | "digest">): string | undefined {
  const { labels = {} } = metadata;
  return labels[ZONE] === zoneLabel(scope) && /^\d{1,4}$/.test(labels[PART] ?? "") ? labels[OWNER] : undefined;
}

/** Resource → name → types. */
const claimsSchema = z.record(z.string(), z.record(z.string(), z.string()));
const specSchema = z.object({ endpoints: z.array(z.unknown()).default([]) });

/** @param object of a {@link partOwner} @returns undefined when somebody has made its annotations unreadable */
export function readPart(object: DnsEndpointObject): Part | undefined {
  const { labels = {}, annotations = {} } = object.metadata;
  const claims = new Map<string, Claim>();
  const told = claimsSchema.safeParse(parseJson(annotations[CLAIMS] ?? "{}"));
  if (!told.success) return undefined;
  for (const [resource, names] of Object.entries(told.data))
    for (const [name, types] of Object.entries(names))
      claims.set(name, { resource, types: types.split("+").filter((type) => type !== "") });
  const endpoints = specSchema.safeParse(object.spec).data?.endpoints ?? [];
  const entries = endpoints.flatMap((endpoint): readonly (readonly [string, Entry])[] => {
    const set = fromEndpoint(endpoint);
    return set === undefined ? [] : [[recordSetKey(set), { set, endpoint }]];
  });
  const fence = annotations[FENCE];
  return {
    ...{ index: Number(labels[PART]), object, claims },
    entries: new Map(entries),
    epoch: readCount(annotations[EPOCH]),
    settled: readCount(annotations[SETTLED]),
    fence: fence === undefined ? undefined : formatText(fence),
    parts: Math.max(1, readCount(annotations[PARTS])),
  };
}

const readCount = (text: string | undefined): number => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : 0);

/**
 * Whether nothing but the status of an object was written since it was read, as ExternalDNS does after each change: generations and what our
 * annotations count never go back.
 */
export function isUnchanged({ metadata: read }: DnsEndpointObject, { metadata: now }: DnsEndpointObject): boolean {
  return (
    read.uid === now.uid &&
    read.generation === now.generation &&
    sameValue(read.annotations, now.annotations) &&
    sameValue(read.labels, now.labels)
  );
}

/** The object to write. With the version that was read, so that it is refused when it has changed. */
export function formatPart(part: Part, scope: PartScope): DnsEndpointObject {
  const { index, object, epoch, settled, claims, fence, parts } = part;
  const before = object?.metadata;
  const { [FENCE]: _, [PARTS]: __, ...annotations } = before?.annotations ?? {};
  return {
    ...object,
    apiVersion: `${DNS_ENDPOINTS.group}/${DNS_ENDPOINTS.version}`,
    kind: DNS_ENDPOINTS.kind,
    metadata: {
      ...before,
      ...{ name: before?.name ?? partName(scope, index), namespace: scope.namespace },
      labels: { ...before?.labels, [OWNER]: scope.owner, [ZONE]: zoneLabel(scope), [PART]: String(index) },
      annotations: {
        ...annotations,
        [EPOCH]: String(epoch),
        [CLAIMS]: JSON.stringify(claimsOf(claims)),
        ...(settled === 0 ? {} : { [SETTLED]: String(settled) }),
        ...(fence === undefined ? {} : { [FENCE]: parseText(fence) ?? "" }),
        ...(index === 0 ? { [PARTS]: String(parts) } : {}),
      },
    },
    spec: { endpoints: [...part.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { endpoint }]) => endpoint) },
  };
}

function claimsOf(claims: Part["claims"]): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const [name, { resource, types }] of [...claims].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names = found[resource] ?? {};
    names[name] = types.join("+");
    found[resource] = names;
  }
  return found;
}

/** The name that a change is about: of a registry record the name whose ownership it tells. */
export function nameOfChange(change: Change): string {
  const { name, type } = change.action === "Delete" ? change.before : change.after;
  return (type === "TXT" ? registeredName(name) : undefined) ?? name;
}

/** Whether a change is of a registry record, which becomes an annotation. */
export const isClaim = (change: Change): boolean => parseOwnership(change.action === "Delete" ? change.before : change.after) !== undefined;

/** @throws RangeError when a set cannot be told as an endpoint */
export function changePart(part: Part, changes: readonly Change[], hasPolicies: boolean): Part {
  const [entries, claims] = [new Map(part.entries), new Map(part.claims)];
  for (const change of changes) {
    const name = nameOfChange(change);
    if (isClaim(change)) {
      if (change.action === "Delete") claims.delete(name);
      else {
        const { resource, types } = parseOwnership(change.after)!;
        claims.set(name, { resource, types });
      }
    } else if (change.action === "Delete") entries.delete(recordSetKey(change.before));
    else entries.set(recordSetKey(change.after), { set: change.after, endpoint: toEndpoint(change.after, hasPolicies) });
  }
  return { ...part, entries, claims };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
