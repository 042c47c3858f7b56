/** Decisions for callers off the hot path: the embedded proxy, `explain`, tests. The same look-ups as a DNS answer, with names. */
import { formatIp, type Ip, maskNetwork, type Network } from "../model/ip.ts";
import { type Choice, choiceTtl, choose, chooseAddresses, diceOf, Mode, newChoice, placeClientV4, placeClientV6 } from "./choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable } from "./table.ts";

export interface Decision {
  readonly choice: Readonly<Choice>;
  /** Cluster names; empty when nothing may be answered. */
  readonly clusters: readonly string[];
  readonly addresses: readonly string[];
  /** Of those addresses, as in `HotTable.addressBytes`. */
  readonly numbers: readonly number[];
  /** ECS scope prefix-length for this client. */
  readonly scope: number;
  /** Seconds. */
  readonly ttl: number;
  readonly mode: ModeName;
}

/** `NotOffered`: the route, or what rules leave of it for this client, has no answers of this family (NODATA). */
export type ModeName =
  | "Usable"
  | "Pending"
  | "FailOpenUnknown"
  | "FailOpenUnhealthy"
  | "FailOpenDraining"
  | "Held"
  | "Nothing"
  | "NotOffered";

const MODE_NAMES: readonly ModeName[] = [
  "Usable",
  "Pending",
  "FailOpenUnknown",
  "FailOpenUnhealthy",
  "FailOpenDraining",
  "Held",
  "Nothing",
  "NotOffered",
];

export const modeName = (mode: number): ModeName => MODE_NAMES[mode] ?? "Nothing";

/** host → route. Exact names win over wildcards; the longest wildcard wins. */
export type HostIndex = ReadonlyMap<string, number>;

export function indexHosts(table: RoutingTable): HostIndex {
  return new Map(table.names.routes.flatMap((route, i) => route.hosts.map((host) => [host, i] as const)));
}

/** @param host lower case, without the trailing dot */
export function findRoute(index: HostIndex, host: string): number | undefined {
  const exact = index.get(host);
  if (exact !== undefined) return exact;
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const wild = index.get(`*${host.slice(dot)}`);
    if (wild !== undefined) return wild;
  }
  return undefined;
}

/** Places a client on a route; fills `out`. */
export function placeClient(table: RoutingTable, route: number, client: Network, out: Choice): void {
  const bytes = client.length === 8 * client.bytes.length ? client.bytes : maskNetwork(client, client.length).bytes;
  if (client.family === 4) placeClientV4(table, route, ipNumber(bytes), client.length, out);
  else placeClientV6(table, route, bytes, 0, client.length, out);
}

export const ipNumber = (bytes: Uint8Array): number => ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;

/**
 * @param random [0, 1), used unless the route is sticky
 * @param now    milliseconds since the epoch
 */
export function decide(table: RoutingTable, route: number, client: Network, family: 0 | 1, random: number, now: number): Decision {
  const choice = newChoice();
  placeClient(table, route, client, choice);
  if (!offers(table, route, family)) return { choice, clusters: [], addresses: [], numbers: [], scope: 0, ttl: 0, mode: "NotOffered" };
  choose(table, route, family, diceOf(random), choice);
  const into = answerBuffer(table, route);
  const numbers = [...into.subarray(0, chooseAddresses(table, route, family, choice, into))];
  return {
    choice,
    clusters: [...new Set(numbers.map((number) => clusterOfAddress(table, number)))],
    addresses: numbers.map((number) => formatIp(addressOf(table, number))),
    numbers,
    scope: choice.mode === Mode.NotOffered ? 0 : choice.scope, // negative answers hold for everybody (RFC 7871 §7.4)
    ttl: choice.backend < 0 ? 0 : choiceTtl(table, route, choice, now),
    mode: modeName(choice.mode),
  };
}

/** Whether the route answers this family at all. */
const offers = (table: RoutingTable, route: number, family: 0 | 1): boolean =>
  (table.hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) !== 0;

const answerBuffer = ({ hot }: RoutingTable, route: number): Uint32Array =>
  new Uint32Array(hot.routeAnswers[route]! * hot.routeSpread[route]!);

/** @param number address number, as in `HotTable.addressBytes` */
function addressOf(table: RoutingTable, number: number): Ip {
  const family = backendFamilyOf(table, number) % 2 === 0 ? 4 : 6;
  return { family, bytes: table.hot.addressBytes.slice(16 * number, 16 * number + (family === 4 ? 4 : 16)) };
}

function clusterOfAddress(table: RoutingTable, number: number): string {
  const backend = table.names.backends[backendFamilyOf(table, number) >> 1]!;
  return table.names.clusters[backend.cluster]!;
}

/** The (backend × 2 + family) row that holds an address, by binary search. */
function backendFamilyOf(table: RoutingTable, number: number): number {
  const starts = table.hot.backendAddresses;
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= number) low = middle;
    else high = middle;
  }
  return low;
}

/** What a placed client of a route that is not sticky gets, over all its queries. */
export interface AnswerShares {
  /** Cluster → share of the client's answers, 0..1; an answer that names several counts for each in proportion to its addresses. */
  readonly clusters: ReadonlyMap<string, number>;
  /** Numbers of all addresses that some answer names. */
  readonly numbers: ReadonlySet<number>;
}

/** Goes through every slot. @param placed filled by {@link placeClient} */
export function answerShares(table: RoutingTable, route: number, family: 0 | 1, placed: Readonly<Choice>): AnswerShares {
  const clusters = new Map<string, number>();
  const numbers = new Set<number>();
  if (!offers(table, route, family)) return { clusters, numbers };
  const slots = 1 << slotBits(table, placed.plan);
  const choice = { ...placed };
  const into = answerBuffer(table, route);
  for (let slot = 0; slot < slots; slot++) {
    choose(table, route, family, diceOf((slot + 0.5) / slots), choice);
    const count = chooseAddresses(table, route, family, choice, into);
    for (const number of into.subarray(0, count)) {
      const cluster = clusterOfAddress(table, number);
      clusters.set(cluster, (clusters.get(cluster) ?? 0) + 1 / (count * slots));
      numbers.add(number);
    }
  }
  return { clusters, numbers };
}

/** Enough bits to tell all slots of a plan's tiers apart, 12 or 16. */
function slotBits({ hot }: RoutingTable, plan: number): number {
  let bits = 12;
  for (let t = hot.planTiers[plan]!; t < hot.planTiers[plan + 1]!; t++) bits = Math.max(bits, hot.tierSlotBits[hot.planTierIds[t]!]!);
  return bits;
}
