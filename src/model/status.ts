/** The statuses of our objects as values: what the controller writes into them, and finds in them again. */
import type { z } from "zod";
import type { Kind, kinds } from "./kinds.ts";

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The status of a kind. Times are RFC 3339 texts. */
export type StatusOf<K extends Kind> = DeepReadonly<z.output<(typeof kinds)[K]["status"]>>;

export type GlobalRouteStatus = StatusOf<"GlobalRoute">;
export type MemberClusterStatus = StatusOf<"MemberCluster">;
export type DNSZoneStatus = StatusOf<"DNSZone">;
export type TrafficOverrideStatus = StatusOf<"TrafficOverride">;
export type ProxyFleetStatus = StatusOf<"ProxyFleet">;

export type Condition = GlobalRouteStatus["conditions"][number];
/** One entry of `status.backends` of a GlobalRoute. */
export type BackendStatus = NonNullable<GlobalRouteStatus["backends"]>[number];
export type RolloutStatus = NonNullable<GlobalRouteStatus["rollout"]>;
