/** Sends requests where DNS would send their clients: the same table, the same slots, and behind the first choice whoever would be next. */
import { probeKey } from "../../model/health.ts";
import { type Probe, type Route, type RouteKey, routeKey } from "../../model/inventory.ts";
import { type Network, parsePrefix } from "../../model/ip.ts";
import { rememberedMap } from "../../model/remembered-map.ts";
import { HTTP_DEFAULTS, httpPolicyOf } from "../../model/to-http.ts";
import { attempts } from "../../routing/attempts.ts";
import { type Choice, choose as chooseBackend, diceOf, newChoice } from "../../routing/choose.ts";
import { findRoute, type HostIndex, indexHosts, placeClient } from "../../routing/decide.ts";
import { ROUTE_OFFERS_A, type RoutingTable, Standing } from "../../routing/table.ts";
import type { Candidates, ChooseEndpoints, Destination, ProxyEndpoint, ProxyRoute, UpstreamTls } from "./forward/endpoints.ts";

export interface RouteChooser {
  readonly choose: ChooseEndpoints;
  /** Another number than before whenever the table or its live state is. */
  readonly version: () => number;
  /** From now on this table counts. @param routes those that it was compiled from, in its order */
  adopt(table: RoutingTable, routes: readonly Route[]): void;
}

/** Address → its endpoint, as a list: all that most requests need. Those that may not be used are absent. */
type RouteEndpoints = ReadonlyMap<string, readonly ProxyEndpoint[]>;

interface ServedRoute {
  readonly endpoints: RouteEndpoints;
  readonly proxied: ProxyRoute;
}

/** What requests are sent by. */
interface Served {
  readonly table: RoutingTable;
  readonly hosts: HostIndex;
  readonly routes: readonly ServedRoute[];
}

/** Before the first table: a host that nobody has read of yet is not one that there is not, so 503 and not 404. */
const NOBODY_YET: Destination = { candidates: { first: [], rest: () => [] }, route: { policy: HTTP_DEFAULTS, load: { requests: 0 } } };

/** Backends that one request may be tried at: beyond it nobody would wait. */
const MOST_BACKENDS = 8;
/** Clients that are remembered: each connection brings many requests of the same. */
const MOST_CLIENTS = 4096;
const NOBODY: readonly ProxyEndpoint[] = [];

/**
 * @param random     [0, 1): whom a client of a route that is not sticky gets, and with which of a backend's addresses its request begins
 * @param mayConnect whether anybody may be sent to an address and port; asked again with each table
 */
export function createRouteChooser(random: () => number, mayConnect: (address: string, port: number) => boolean): RouteChooser {
  let served: Served | undefined;
  /** Requests of a route are counted together, whichever table they were sent by. */
  let loads: ReadonlyMap<RouteKey, ProxyRoute["load"]> = new Map();
  /**
   * By their ids, which are those of probes: what fails is a host at an address, and other hosts there have nothing to do with it. Connections
   * are pooled by endpoint, so equal ones are one object, whichever table they are of.
   */
  let known: ReadonlyMap<string, ProxyEndpoint> = new Map();
  let adopted = 0;
  /** Routes that stay as they are keep theirs: there may be thousands. */
  const endpointsOf = rememberedMap(routeEndpoints);
  const backends = new Uint32Array(MOST_BACKENDS);
  /** Address → the same, parsed. */
  const networks = new Map<string, Network>();

  function networkOf(client: string): Network | undefined {
    const before = networks.get(client);
    if (before !== undefined) return before;
    const network = parsePrefix(client);
    if (networks.size >= MOST_CLIENTS) networks.clear();
    if (network !== undefined) networks.set(client, network);
    return network;
  }

  /** A backend's endpoints of the family, those that stand best; the first one by chance. */
  function endpointsAt({ table, routes }: Served, route: number, backend: number, family: 0 | 1): readonly ProxyEndpoint[] {
    const { hot, state, names } = table;
    const { endpoints } = routes[route]!;
    const first = hot.backendAddresses[2 * backend + family]!;
    const total = hot.backendAddresses[2 * backend + family + 1]! - first;
    if (total === 1) return endpoints.get(names.addresses[first]!) ?? NOBODY; // as most have, for each request
    const offset = total > 1 ? Math.floor(random() * total) : 0;
    let best: number = Standing.Absent;
    for (let i = 0; i < total; i++) best = Math.min(best, state.addressStanding[first + i]!);
    const standing: ProxyEndpoint[] = [];
    for (let i = 0; i < total; i++) {
      const number = first + ((i + offset) % total);
      if (state.addressStanding[number] === best) standing.push(...(endpoints.get(names.addresses[number]!) ?? NOBODY));
    }
    return standing;
  }

  /** @param choice not changed afterwards */
  function candidatesOf(by: Served, route: number, choice: Readonly<Choice>): Candidates {
    const { backend, family } = choice;
    let known: readonly ProxyEndpoint[] | undefined;
    const rest = (): readonly ProxyEndpoint[] => {
      if (known === undefined) {
        const count = attempts(by.table, route, choice, backends);
        known = [...backends.subarray(1, count)].flatMap((next) => endpointsAt(by, route, next, family));
      }
      return known;
    };
    return { first: backend < 0 ? NOBODY : endpointsAt(by, route, backend, family), rest };
  }

  return {
    choose(host, client) {
      if (served === undefined) return NOBODY_YET;
      const { table, hosts, routes } = served;
      const route = findRoute(hosts, host);
      const network = networkOf(client);
      if (route === undefined || network === undefined) return undefined;
      const family = (table.hot.routeFlags[route]! & ROUTE_OFFERS_A) !== 0 ? 0 : 1;
      const choice = newChoice();
      placeClient(table, route, network, choice);
      chooseBackend(table, route, family, diceOf(random()), choice);
      return { candidates: candidatesOf(served, route, choice), route: routes[route]!.proxied };
    },
    version: () => adopted + (served === undefined ? 0 : Atomics.load(served.table.state.sequence, 0)),
    adopt(table, routes) {
      adopted += 2 ** 32; // more than a sequence can hold
      const next = new Map<string, ProxyEndpoint>();
      const allowed = new Map<string, boolean>();
      const isAllowed = (address: string, port: number): boolean => {
        const place = `${address} ${port}`;
        const answer = allowed.get(place) ?? mayConnect(address, port);
        allowed.set(place, answer);
        return answer;
      };
      const endpoints = endpointsOf(routes).map((own): RouteEndpoints => {
        const ofRoute = new Map<string, readonly ProxyEndpoint[]>();
        for (const one of own) {
          if (!isAllowed(one.address, one.port)) continue;
          const endpoint = next.get(one.id) ?? known.get(one.id) ?? one;
          next.set(one.id, endpoint);
          ofRoute.set(one.address, [endpoint]);
        }
        return ofRoute;
      });
      known = next;
      const kept = new Map(routes.map((route) => [routeKey(route), loads.get(routeKey(route)) ?? { requests: 0 }]));
      loads = kept;
      const servedRoutes = routes.map((route, i) => ({
        endpoints: endpoints[i]!,
        proxied: { policy: httpPolicyOf(route), load: kept.get(routeKey(route))! },
      }));
      served = { table, hosts: indexHosts(table), routes: servedRoutes };
    },
  };
}

function routeEndpoints({ backends, health }: Route): readonly ProxyEndpoint[] {
  const { probe } = health;
  const tls = tlsOf(probe);
  const how = probeKey(probe, health);
  const addresses = new Set(backends.flatMap((backend) => backend.addresses));
  return Array.from(addresses, (address) => ({ id: address + how, address, port: probe.port, ...(tls === undefined ? {} : { tls }) }));
}

/** Endpoints are spoken to as they are probed. */
const tlsOf = ({ type, scheme, host, verify }: Probe): UpstreamTls | undefined =>
  scheme === "HTTPS" || type === "TLS" ? { host, verify } : undefined;
