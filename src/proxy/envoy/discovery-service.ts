/** The aggregated discovery service as gRPC has it: its two methods, what their requests mean to us, and our responses as bytes. */
import type { StreamResponse } from "./ads-state.ts";
import { decode, encode, type MessageName, typeUrl } from "./api/codec.ts";
import type { Node } from "./api/envoy-api.ts";
import type { NameLists } from "./name-lists.ts";
import { type EncodedResource, RESOURCE_TYPES, type ResourceType } from "./resource-set.ts";
import type { StreamRequest } from "./subscription.ts";

/** Who is at the other end of a stream, in its own words; empty where it says nothing. */
export interface EnvoyNode {
  readonly id: string;
  /** Envoy's word for the fleet or service that it is part of. */
  readonly cluster: string;
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  /** `envoy 1.40.0` */
  readonly software: string;
}

/** A request, with what its first one says of the client; of a type that we do not serve there is no request. */
export interface Heard {
  readonly node: EnvoyNode | undefined;
  readonly request: StreamRequest | undefined;
}

const MESSAGES = {
  cluster: "envoy.config.cluster.v3.Cluster",
  loadAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "envoy.config.listener.v3.Listener",
  routes: "envoy.config.route.v3.RouteConfiguration",
} as const satisfies Record<ResourceType, MessageName>;

const URLS = Object.fromEntries(RESOURCE_TYPES.map((type) => [type, typeUrl(MESSAGES[type])])) as Readonly<Record<ResourceType, string>>;
const typeOfUrl = (url: string | undefined): ResourceType | undefined => RESOURCE_TYPES.find((type) => URLS[type] === url);

const PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";

/** The service's methods. What {@link Method.hear} cannot decode it throws at. */
export const DISCOVERY_METHODS: readonly Method[] = [
  { variant: "StateOfTheWorld", path: `${PATH}StreamAggregatedResources`, hear: hearWhole },
  { variant: "Delta", path: `${PATH}DeltaAggregatedResources`, hear: hearDelta },
];

export interface Method {
  readonly variant: StreamRequest["variant"];
  readonly path: string;
  /** @param lists of all streams together */
  readonly hear: (bytes: Uint8Array, lists: NameLists) => Heard;
}

/** Of the names that are asked for, in the requests of both methods. */
const NAMES_FIELD = 3;

function hearWhole(bytes: Uint8Array, lists: NameLists): Heard {
  const taken = lists.take(bytes, NAMES_FIELD);
  const message = decode("envoy.service.discovery.v3.DiscoveryRequest", taken?.rest ?? bytes);
  const { node, typeUrl: url, resourceNames = [], responseNonce = "", errorDetail } = message;
  const type = typeOfUrl(url);
  const request = { names: taken?.names ?? resourceNames, nonce: responseNonce, error: wordsOf(errorDetail) };
  return { node: nodeOf(node), request: type === undefined ? undefined : { variant: "StateOfTheWorld", type, ...request } };
}

function hearDelta(bytes: Uint8Array, lists: NameLists): Heard {
  const taken = lists.take(bytes, NAMES_FIELD);
  const message = decode("envoy.service.discovery.v3.DeltaDiscoveryRequest", taken?.rest ?? bytes);
  const { node, typeUrl: url, responseNonce = "", errorDetail } = message;
  const type = typeOfUrl(url);
  const request = {
    ...{ nonce: responseNonce, error: wordsOf(errorDetail) },
    subscribe: taken?.names ?? message.resourceNamesSubscribe ?? [],
    unsubscribe: message.resourceNamesUnsubscribe ?? [],
    has: message.initialResourceVersions ?? {},
  };
  return { node: nodeOf(node), request: type === undefined ? undefined : { variant: "Delta", type, ...request } };
}

/** Clients' words are kept as long as they are rejected: as much as a person reads. */
const MOST_WORDS = 500;
const wordsOf = (error: { readonly code?: number; readonly message?: string } | undefined): string | undefined =>
  error === undefined ? undefined : (error.message?.trim() || `code ${error.code}`).slice(0, MOST_WORDS);

function nodeOf(node: Node | undefined): EnvoyNode | undefined {
  if (node === undefined) return undefined;
  const { majorNumber = 0, minorNumber = 0, patch = 0 } = node.userAgentBuildVersion?.version ?? {};
  const version = node.userAgentVersion || (node.userAgentBuildVersion === undefined ? "" : `${majorNumber}.${minorNumber}.${patch}`);
  return {
    id: node.id ?? "",
    cluster: node.cluster ?? "",
    region: node.locality?.region ?? "",
    zone: node.locality?.zone ?? "",
    subZone: node.locality?.subZone ?? "",
    software: [node.userAgentName, version].filter(Boolean).join(" "),
  };
}

/** @returns the stream's own part, and the one that all streams have in common, which is encoded once: two encoded messages in a row are their union */
export function encodeResponse(
  variant: StreamRequest["variant"],
  { type, nonce, version, resources, removed }: StreamResponse,
): readonly [own: Uint8Array, common: Uint8Array] {
  const own =
    variant === "Delta"
      ? encode("envoy.service.discovery.v3.DeltaDiscoveryResponse", { nonce, removedResources: removed })
      : encode("envoy.service.discovery.v3.DiscoveryResponse", { nonce });
  return [own, common(variant, type, version, resources)];
}

interface Common {
  readonly type: ResourceType;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** By the list that streams share, and forgotten with it. */
const encodedLists = {
  StateOfTheWorld: new WeakMap<readonly EncodedResource[], Common>(),
  Delta: new WeakMap<readonly EncodedResource[], Common>(),
};

function common(variant: StreamRequest["variant"], type: ResourceType, version: string, list: readonly EncodedResource[]): Uint8Array {
  const known = encodedLists[variant].get(list);
  if (known?.type === type && known.version === version) return known.bytes;
  const url = URLS[type];
  const bytes =
    variant === "Delta"
      ? encode("envoy.service.discovery.v3.DeltaDiscoveryResponse", {
          ...{ systemVersionInfo: version, typeUrl: url },
          resources: list.map((one) => ({ name: one.name, version: one.version, resource: { typeUrl: url, value: one.bytes } })),
        })
      : encode("envoy.service.discovery.v3.DiscoveryResponse", {
          ...{ versionInfo: version, typeUrl: url },
          resources: list.map(({ bytes: value }) => ({ typeUrl: url, value })),
        });
  encodedLists[variant].set(list, { type, version, bytes });
  return bytes;
}
