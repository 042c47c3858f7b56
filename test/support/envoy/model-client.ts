/** A client of the discovery service in the simplest way that the protocol allows, as an oracle: it takes what it is told, and looks whether it could serve. */
import type { StreamResponse } from "../../../src/proxy/envoy/ads-state.ts";
import type { ResourceType } from "../../../src/proxy/envoy/resource-set.ts";
import { isToldWhole, type StreamRequest } from "../../../src/proxy/envoy/subscription.ts";

export interface ModelClient {
  /** What it sends first. */
  start(): readonly StreamRequest[];
  /** Takes a response. @returns the requests that follow of it, its answer included */
  take(response: StreamResponse, isAccepted: boolean): readonly StreamRequest[];
  /** Name → version. */
  readonly has: Readonly<Record<ResourceType, ReadonlyMap<string, string>>>;
  /** Clusters that are new or another version, and have not been told their endpoints since: the ones of before serve meanwhile. */
  readonly warming: ReadonlySet<string>;
}

/** Like Envoy: asks for all clusters and listeners, for the endpoints of each cluster, and for one route configuration. */
export function createModelClient(variant: StreamRequest["variant"], from?: ModelClient["has"]): ModelClient {
  const copy = (type: ResourceType) => new Map(from?.[type]);
  const has = { cluster: copy("cluster"), loadAssignment: copy("loadAssignment"), listener: copy("listener"), routes: copy("routes") };
  const asked = new Map<ResourceType, ReadonlySet<string>>();
  const warming = new Set<string>();
  const nonces = new Map<ResourceType, string>();

  const request = (type: ResourceType, names: ReadonlySet<string>, answers: boolean, error?: string): StreamRequest => {
    const before = asked.get(type);
    asked.set(type, names);
    const nonce = nonces.get(type) ?? "";
    if (variant === "StateOfTheWorld") return { variant, type, names: [...names], nonce, error };
    return {
      ...{ variant, type, error },
      nonce: answers ? nonce : "",
      subscribe: [...names].filter((name) => !before?.has(name)),
      unsubscribe: [...(before ?? [])].filter((name) => !names.has(name)),
      has: before === undefined ? Object.fromEntries(has[type]) : {},
    };
  };
  const clusterNames = () => new Set(has.cluster.keys());

  return {
    ...{ has, warming },
    start: () => [
      request("cluster", new Set(), false),
      request("listener", new Set(), false),
      request("routes", new Set(["globalroute"]), false),
      ...(has.cluster.size === 0 ? [] : [request("loadAssignment", clusterNames(), false)]),
    ],
    take({ type, nonce, resources, removed }, isAccepted) {
      nonces.set(type, nonce);
      if (isAccepted) {
        const before = new Map(has.cluster);
        if (variant === "StateOfTheWorld" && isToldWhole(type)) has[type].clear();
        // What was given up meanwhile is of no interest any more.
        const wanted = resources.filter(({ name }) => isToldWhole(type) || asked.get(type)?.has(name));
        for (const { name, version } of wanted) has[type].set(name, version);
        for (const name of removed) has[type].delete(name);
        if (type === "cluster") for (const { name, version } of wanted) if (before.get(name) !== version) warming.add(name);
        if (type === "loadAssignment") for (const { name } of wanted) warming.delete(name);
        for (const name of warming) if (!has.cluster.has(name)) warming.delete(name);
      }
      const names = clusterNames();
      const before = asked.get("loadAssignment");
      const isNew =
        type === "cluster" && (before === undefined || names.size !== before.size || [...names].some((name) => !before.has(name)));
      if (isNew) for (const name of [...has.loadAssignment.keys()]) if (!names.has(name)) has.loadAssignment.delete(name);
      return [
        ...(isNew ? [request("loadAssignment", names, false)] : []),
        request(type, type === "loadAssignment" ? (before ?? names) : (asked.get(type) ?? new Set()), true, isAccepted ? undefined : "no"),
      ];
    },
  };
}
