/**
 * What Route 53 answers from a zone, as its documentation tells: a record set is chosen by the routing policy, then its health is looked at, then
 * another is chosen among the rest. Pure; the dice are given.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy.html
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-complex-configs.html
 */
import { isIPv4 } from "node:net";
import { holds, parseBlock } from "./cidr.ts";
import { isWithin, normaliseName } from "./names.ts";
import type { GeoproximityPlace, RecordSet, RecordType } from "./record-set.ts";

/** Degrees. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Who asks, as Route 53 would know it. What is absent is unknown. */
export interface Client {
  readonly address: string;
  /** Bits of the address that are known, as EDNS Client Subnet has them; absent = all. */
  readonly prefixLength?: number;
  readonly continent?: string;
  readonly country?: string;
  readonly subdivision?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  /** Milliseconds to each AWS region. */
  readonly latencyMs?: Readonly<Record<string, number>>;
}

export interface AnswerWorld {
  readonly zoneId: string;
  readonly zoneName: string;
  readonly sets: readonly RecordSet[];
  /** Ids of health checks. */
  readonly unhealthy: ReadonlySet<string>;
  /** Names of load balancers and the like that are unhealthy, for aliases that evaluate them. */
  readonly unhealthyServices?: ReadonlySet<string>;
  /** Blocks of a location of a CIDR collection. */
  readonly blocksOf?: (collectionId: string, location: string) => readonly string[];
  /** Where a region of AWS is, or a group of local zones. */
  readonly placeOf?: (name: string) => Coordinates | undefined;
  /** [0, 1) */
  readonly random: () => number;
}

export type Answer =
  | {
      readonly kind: "Records";
      /** That of the question, or CNAME. */
      readonly type: RecordType;
      /** Seconds. */
      readonly ttl: number;
      readonly values: readonly string[];
      /** What the values are of. */
      readonly sets: readonly RecordSet[];
    }
  /** An alias to a service of AWS: what it would answer is not ours to say. */
  | { readonly kind: "Service"; readonly target: string }
  | { readonly kind: "NoData" }
  /** NXDOMAIN. */
  | { readonly kind: "NameError" };

const MAX_MULTIVALUE_ANSWERS = 8;
const MAX_ALIASES = 20;
const EARTH_RADIUS_KM = 6371;

/** @param question with a name of any spelling. A name outside of the zone is a NameError, as of a zone that is not there */
export function answer(world: AnswerWorld, question: { readonly name: string; readonly type: RecordType }, client: Client): Answer {
  const zone = normaliseName(world.zoneName)!;
  const name = normaliseName(question.name);
  if (name === undefined || !isWithin(name, zone)) return { kind: "NameError" };
  const owner = findOwner(world.sets, zone, name);
  if (owner === undefined) return { kind: "NameError" };
  const own = groupOf(world, owner, question.type);
  const group = own.length > 0 ? own : groupOf(world, owner, "CNAME");
  return answerFrom(world, group, client, 0);
}

/** The name whose sets answer: itself, or the wildcard at its closest encloser. Names that only have others below them exist and are empty. */
function findOwner(sets: readonly RecordSet[], zone: string, name: string): string | undefined {
  const owners = new Set(sets.map((set) => set.name));
  const exists = (one: string): boolean => owners.has(one) || [...owners].some((owner) => isWithin(owner, one));
  if (exists(name)) return name;
  for (let encloser = parent(name); isWithin(encloser, zone); encloser = parent(encloser)) {
    if (!exists(encloser)) continue;
    return owners.has(`\\052.${encloser}`) ? `\\052.${encloser}` : undefined;
  }
  return undefined;
}

const parent = (name: string): string => name.slice(name.indexOf(".") + 1);
const groupOf = ({ sets }: AnswerWorld, name: string, type: RecordType): readonly RecordSet[] =>
  sets.filter((set) => set.name === name && set.type === type);

function answerFrom(world: AnswerWorld, group: readonly RecordSet[], client: Client, depth: number): Answer {
  const chosen = choose(world, group, client, depth);
  const first = chosen[0];
  if (first === undefined || depth > MAX_ALIASES) return { kind: "NoData" };
  if (first.content.kind === "Alias") {
    const { zoneId, target } = first.content;
    return zoneId === world.zoneId ? answerFrom(world, groupOf(world, target, first.type), client, depth + 1) : { kind: "Service", target };
  }
  const values = chosen.flatMap(({ content }) => (content.kind === "Values" ? content.values : []));
  return { kind: "Records", type: first.type, ttl: first.content.ttl, values, sets: chosen };
}

/** @returns one set, or several of a multivalue answer; none when no set is for this client */
function choose(world: AnswerWorld, group: readonly RecordSet[], client: Client, depth: number): readonly RecordSet[] {
  const isHealthy = (set: RecordSet): boolean => isSetHealthy(world, set, depth);
  if (group[0]?.policy.kind === "MultivalueAnswer") {
    const healthy = group.filter(isHealthy);
    return shuffled(healthy.length > 0 ? healthy : group, world.random).slice(0, MAX_MULTIVALUE_ANSWERS);
  }
  let rest = group;
  for (;;) {
    const picked = pick(world, rest, client);
    if (picked === undefined) break;
    if (isHealthy(picked)) return [picked];
    rest = rest.filter((set) => set !== picked);
  }
  // «If no record is healthy, all records are healthy.»
  const picked = pick(world, group, client);
  return picked === undefined ? [] : [picked];
}

/**
 * Without a health check a set is healthy. An alias that evaluates its target is healthy when at least one set there is; one that does not, is.
 */
function isSetHealthy(world: AnswerWorld, set: RecordSet, depth: number): boolean {
  if (set.healthCheckId !== undefined && world.unhealthy.has(set.healthCheckId)) return false;
  const { content } = set;
  if (content.kind === "Values" || !content.evaluateTargetHealth || depth > MAX_ALIASES) return true;
  if (content.zoneId !== world.zoneId) return !(world.unhealthyServices?.has(content.target) ?? false);
  const targets = groupOf(world, content.target, set.type);
  return targets.length === 0 || targets.some((target) => isSetHealthy(world, target, depth + 1));
}

/** One of these by their policy alone; undefined when none is for this client. */
function pick(world: AnswerWorld, sets: readonly RecordSet[], client: Client): RecordSet | undefined {
  switch (sets[0]?.policy.kind) {
    case undefined:
      return undefined;
    case "Simple":
    case "MultivalueAnswer":
      return sets[0];
    case "Weighted":
      return pickByWeight(sets, world.random);
    case "Failover":
      return sets.find(({ policy }) => policy.kind === "Failover" && policy.role === "PRIMARY") ?? sets[0];
    case "Latency":
      return least(sets, ({ policy }) => (policy.kind === "Latency" ? (client.latencyMs?.[policy.region] ?? Number.MAX_VALUE) : undefined));
    case "Geolocation":
      return least(sets, (set) => geolocationRank(set, client));
    case "Geoproximity":
      return least(sets, (set) => biasedDistance(world, set, client));
    case "IpBased":
      return least(sets, (set) => cidrRank(world, set, client));
  }
}

/** The first with the smallest rank; those without are for others. */
function least(sets: readonly RecordSet[], rankOf: (set: RecordSet) => number | undefined): RecordSet | undefined {
  let best: RecordSet | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const set of sets) {
    const rank = rankOf(set);
    if (rank !== undefined && rank < bestRank) {
      best = set;
      bestRank = rank;
    }
  }
  return best;
}

/**
 * By weight; sets of weight 0 come into question when no other is left, and then with equal chances.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-weighted.html
 */
function pickByWeight(sets: readonly RecordSet[], random: () => number): RecordSet | undefined {
  const weights = sets.map(({ policy }) => (policy.kind === "Weighted" ? policy.weight : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return sets[Math.floor(random() * sets.length)];
  let left = random() * total;
  for (const [at, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return sets[at];
  }
  return sets.at(-1);
}

/** The smaller the place, the smaller the rank. @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-geo.html */
function geolocationRank({ policy }: RecordSet, { continent, country, subdivision }: Client): number | undefined {
  if (policy.kind !== "Geolocation") return undefined;
  if (policy.country === "*") return 3;
  if (policy.continent !== undefined) return policy.continent === continent ? 2 : undefined;
  if (policy.country !== country) return undefined;
  if (policy.subdivision === undefined) return 1;
  return policy.subdivision === subdivision ? 0 : undefined;
}

/**
 * Kilometres, shortened or stretched by the bias. A client or a place that nobody knows is infinitely far: the first set is taken then.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-geoproximity.html
 */
function biasedDistance(world: AnswerWorld, { policy }: RecordSet, client: Client): number | undefined {
  if (policy.kind !== "Geoproximity") return undefined;
  const place = locate(world, policy.place);
  const { latitude, longitude } = client;
  if (place === undefined || latitude === undefined || longitude === undefined) return Number.MAX_VALUE;
  const bias = (policy.bias ?? 0) / 100;
  const distance = kilometres(place, { latitude, longitude });
  return bias >= 0 ? distance * (1 - bias) : distance / (1 + bias);
}

function locate({ placeOf }: AnswerWorld, place: GeoproximityPlace): Coordinates | undefined {
  switch (place.kind) {
    case "Region":
      return placeOf?.(place.region);
    case "LocalZoneGroup":
      return placeOf?.(place.group);
    case "Coordinates":
      return { latitude: Number(place.latitude), longitude: Number(place.longitude) };
  }
}

/** Along the great circle, by the haversine formula. */
function kilometres(a: Coordinates, b: Coordinates): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (from: number, to: number): number => Math.sin(radians(to - from) / 2) ** 2;
  const chord =
    half(a.latitude, b.latitude) + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(a.longitude, b.longitude);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** The longer the prefix, the smaller the rank; `*` is last. @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-ipbased.html */
function cidrRank({ blocksOf }: AnswerWorld, { policy }: RecordSet, { address, prefixLength }: Client): number | undefined {
  if (policy.kind !== "IpBased") return undefined;
  if (policy.location === "*") return 0;
  const client = { address, length: prefixLength ?? (isIPv4(address) ? 32 : 128) };
  const blocks = (blocksOf?.(policy.collectionId, policy.location) ?? []).flatMap((text) => parseBlock(text) ?? []);
  const lengths = blocks.filter((block) => holds(block, client)).map(({ length }) => length);
  return lengths.length === 0 ? undefined : -Math.max(...lengths);
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
