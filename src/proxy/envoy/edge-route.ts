/** What an Envoy fleet is told of a route: by which hosts it is reached, how its backends are spoken to, and who serves at which place. */
import type { HttpPolicy, Route, RouteKey } from "../../model/inventory.ts";
import type { Milliseconds } from "../../model/units.ts";
import type { ClientGroup } from "../client-groups.ts";
import type { EdgePlan } from "../edge-plan.ts";

/** Where Envoys are, as the operator names it; clients of one place are told the same. */
export type PlaceName = string;

export interface EdgeRoute {
  readonly key: RouteKey;
  /** Lower case; the first label may be `*`. */
  readonly hosts: readonly string[];
  readonly settings: EdgeSettings;
  /** Envoys at a place without a plan are told nothing of the route. */
  readonly plans: ReadonlyMap<PlaceName, EdgePlan>;
  /** Present when rules tell clients apart by address: each has its own plan at each of those places, and `plans` are nobody's. Only proxies whose listeners are ours are told. */
  readonly groups?: readonly EdgeGroup[];
}

/** Clients of a route with plans of their own. */
export interface EdgeGroup extends Pick<ClientGroup, "name" | "classes"> {
  readonly plans: ReadonlyMap<PlaceName, EdgePlan>;
}

/** Every client is in one of them; whoever is in no class is in the last one. */
export function groupsOf({ plans, groups }: EdgeRoute): readonly EdgeGroup[] {
  if (groups === undefined) return [{ name: "", classes: undefined, plans }];
  return [...groups.filter(({ classes }) => classes !== undefined), ...groups.filter(({ classes }) => classes === undefined)];
}

/** The cluster of a group in Envoy: `default/shop`, or `default/shop@eu` for those to whom rule `eu` applies. */
export const clusterName = (key: RouteKey, { name }: Pick<EdgeGroup, "name">): string => (name === "" ? key : `${key}@${name}`);

export const routeOfCluster = (name: string): RouteKey => name.replace(/@.*/, "");

export interface EdgeSettings {
  /** Of every endpoint. */
  readonly port: number;
  /** Present when endpoints speak TLS. They must prove the name that the client asked for. */
  readonly tls?: {
    /** On Envoy's machine: PEM certificates of those who may sign the endpoints'. */
    readonly caFile: string;
  };
  /** Until a connection stands, its TLS included. */
  readonly connectTimeout: Milliseconds;
  /** Until the whole response has arrived; 0 = without end, as streams and WebSockets need it. */
  readonly requestTimeout: Milliseconds;
  readonly retry: {
    /** After the first attempt; 0 = none. Each goes to the next tier, as long as there is another one. */
    readonly attempts: number;
    /** Until an attempt's response begins, for methods that may be repeated (RFC 9110 §9.2.2); the next attempt then begins. 0 = without end. */
    readonly attemptTimeout: Milliseconds;
    /** Statuses after which such a request is tried again. */
    readonly codes: readonly number[];
  };
  /** `ClientSubnet`: clients of one network (/24, /48) keep their endpoint as long as it serves. */
  readonly sticky: Route["sticky"];
  /** Connections, and requests, to all endpoints at one time, of each Envoy. */
  readonly mostRequests: number;
  /** What the route itself says of that, and of bodies, which HAProxies alone look at. */
  readonly limits: HttpPolicy["limits"];
  readonly ejection: {
    /** Gateway errors, resets and timeouts in a row that take an endpoint out for a while, without waiting for our judgement; 0 = never. */
    readonly failures: number;
    /** For how long, the first time; then twice as long, and so on. */
    readonly time: Milliseconds;
  };
}
