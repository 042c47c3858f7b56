/** DNSEndpoints in memory, with versions and generations as an API server keeps them, and our provider before them. */
import { createHash } from "node:crypto";
import { KubeError } from "../../../controller/kube/kube-error.ts";
import { createDnsEndpointProvider, type DnsEndpointOptions } from "../../../dns-providers/dnsendpoint/dnsendpoint-provider.ts";
import type { ObjectApi } from "../../../dns-providers/dnsendpoint/object-api.ts";
import { DNS_ENDPOINTS, type DnsEndpointObject } from "../../../dns-providers/dnsendpoint/part.ts";
import { readObjects, toRecordSets } from "../../../dns-providers/dnsendpoint/zone-objects.ts";
import type { Provider } from "../../../dns-providers/provider.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createMemoryHub, type MemoryHub } from "../memory-hub.ts";
import type { Scheduler } from "./interleaving.ts";

export const NAMESPACE = "dns";
const DOMAIN = "example.org";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Whose requests are answered at once: what takes time is what a test says. */
export function memoryEndpoints(): MemoryHub {
  const setTimer = (_: number, callback: () => void) => {
    callback();
    return () => {};
  };
  return createMemoryHub({ now: () => 0, setTimer });
}

/** Without the signals of requests: the hub would keep all of them, and nothing here waits for long. */
export const apiOf = ({ api }: MemoryHub): ObjectApi => ({
  get: (kind, namespace, name) => api.get(kind, namespace, name),
  list: (kind) => api.list(kind),
  create: (kind, object, { fieldManager }) => api.create(kind, { ...object }, { fieldManager }),
  replace: (kind, object, { fieldManager }) => api.replace(kind, { ...object }, { fieldManager }),
});

export function dnsEndpointProviderOf(api: ObjectApi, more: Partial<DnsEndpointOptions> = {}): Provider {
  return createDnsEndpointProvider({
    ...{ api, namespace: NAMESPACE, domain: DOMAIN, policies: "Plain", digest },
    ...{ now: () => 0, sleep: () => new Promise(() => {}) },
    ...more,
  });
}

const lost = (): Error => new KubeError("memory: no answer in time.", { status: 0, reason: "Timeout" });

/** Every single request is paused, delivered late, answered late, or given up on. */
export const travellingApi = (api: ObjectApi, scheduler: Scheduler): ObjectApi => ({
  get: (...args) => scheduler.travel(() => api.get(...args), lost),
  list: (...args) => scheduler.travel(() => api.list(...args), lost),
  create: (...args) => scheduler.travel(() => api.create(...args), lost),
  replace: (...args) => scheduler.travel(() => api.replace(...args), lost),
});

/** The zone that all objects make together, with what says whose it is. */
export const setsOf = (objects: readonly DnsEndpointObject[]): readonly RecordSet[] =>
  toRecordSets(readObjects(objects, { domain: DOMAIN, digest }), DOMAIN).sets;

interface WrittenEndpoint {
  readonly dnsName: string;
  readonly recordType: string;
  readonly targets?: readonly string[];
  readonly recordTTL?: number;
}

export const endpointsOf = ({ spec }: DnsEndpointObject): readonly WrittenEndpoint[] =>
  (spec as { readonly endpoints?: readonly WrittenEndpoint[] } | undefined)?.endpoints ?? [];

/**
 * What clients would get of ExternalDNS: of a host from the endpoints as they are written, read without any code of ours. Of the registry's
 * names and the fence what their annotations stand for: nobody is answered with these.
 */
export function lookUpIn(objects: readonly DnsEndpointObject[], name: string, type: string): RecordSet | undefined {
  if (type === "TXT") return setsOf(objects).find((set) => set.name === name && set.type === type);
  const found = objects.flatMap(endpointsOf).filter(({ dnsName, recordType }) => dnsName === name && recordType === type);
  if (found.length > 1) throw new Error(`${name} ${type} is told ${found.length} times`);
  return found.map(({ targets = [], recordTTL = 0 }) => ({
    ...{ name, type, ttl: recordTTL },
    values: type === "CNAME" ? targets.map((target) => `${target}.`) : targets,
  }))[0];
}

/** What somebody else's write would make of the objects: of ours the endpoint changed, or an object of their own. */
export function interferedWith(objects: readonly DnsEndpointObject[], { name, type, ttl, values }: RecordSet): DnsEndpointObject {
  const endpoint: WrittenEndpoint = { dnsName: name, recordType: type, recordTTL: ttl, targets: values };
  const isIt = ({ dnsName, recordType }: WrittenEndpoint): boolean => dnsName === name && recordType === type;
  const holder = objects.find((object) => endpointsOf(object).some(isIt));
  if (holder !== undefined) return { ...holder, spec: { endpoints: endpointsOf(holder).map((one) => (isIt(one) ? endpoint : one)) } };
  return {
    ...{ apiVersion: "externaldns.k8s.io/v1alpha1", kind: DNS_ENDPOINTS.kind },
    metadata: { name: name.replace("*", "any"), namespace: NAMESPACE },
    spec: { endpoints: [endpoint] },
  };
}
