/**
 * What an outage does to clients (docs/simulate.md), client by client: place, plan, slot, sentence by sentence. Imports nothing of what it
 * judges. A sticky client is asked once; for any other every slot is tried.
 */
import type { Inventory, Route, Rule } from "../../../src/model/inventory.ts";
import { type OracleAsk, type OracleBackend, type OracleStanding, oracleDecide, oracleSlotHash, oracleSpread } from "./decide.ts";
import { type OracleAddress, type OraclePlace, type OracleWorld, oracleKm, oraclePlace } from "./geo.ts";
import { type OraclePlan, oracleMatches, oraclePlan } from "./plan.ts";
import { oracleHash, oracleSlots } from "./slots.ts";

export interface OracleClient {
  readonly address: OracleAddress;
  readonly weight: number;
  /** Where it is if the data know no more than its country. */
  readonly home?: { readonly latitude: number; readonly longitude: number };
}

export interface OracleOutage {
  readonly down: readonly string[];
  readonly drain: readonly string[];
}

export interface OracleSimulation {
  readonly family: 4 | 6;
  /** Cluster → weight served. */
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
  /** `country from>to` → weight; clusters of an answer joined by `+`. */
  readonly moves: ReadonlyMap<string, number>;
  readonly km: { readonly before: OracleSpread; readonly after: OracleSpread };
  /** Weight that is answered what a Require rule forbids. */
  readonly violations: number;
  /** Mode → weight, afterwards. */
  readonly modes: ReadonlyMap<string, number>;
}

export interface OracleSpread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** Cluster → share of the answer's addresses. */
interface OracleAnswer {
  readonly mode: string;
  readonly shares: ReadonlyMap<string, number>;
}

const NOTHING: OracleAnswer = { mode: "Nothing", shares: new Map() };

export function oracleSimulate(
  inventory: Inventory,
  route: Route,
  clients: Iterable<OracleClient>,
  world: OracleWorld,
  subnets: readonly string[],
  outage: OracleOutage,
): OracleSimulation {
  const family = offers(inventory, route, 4) ? 4 : 6;
  const isOffered = offers(inventory, route, family);
  const [before, after, moves, modes] = [1, 2, 3, 4].map(() => new Map<string, number>()) as [Tally, Tally, Tally, Tally];
  const km: { before: Sample[]; after: Sample[] } = { before: [], after: [] };
  let violations = 0;
  const plans = new Map<string, Both>();
  for (const { address, weight, home } of clients) {
    const place = oraclePlace(world, address);
    const plan = oraclePlan(inventory, route, place, subnets);
    const key = JSON.stringify([plan.tiers, plan.weights]);
    const both = plans.get(key) ?? bothSides(route, plan, family, outage);
    plans.set(key, both);
    const at = whereabouts(world, place, home);
    const add = (from: OracleAnswer, to: OracleAnswer, share: number): void => {
      for (const [cluster, part] of from.shares) sum(before, cluster, weight * share * part);
      for (const [cluster, part] of to.shares) sum(after, cluster, weight * share * part);
      sum(modes, to.mode, weight * share);
      const [a, b] = [from, to].map(({ shares }) => [...shares.keys()].toSorted().join("+"));
      if (a !== b) sum(moves, `${place.country ?? "?"} ${a}>${b}`, weight * share);
      const forbidden = requiredRules(route, place, subnets).some((rule) => [...to.shares.keys()].some((one) => !rule.to.includes(one)));
      if (forbidden) violations += weight * share;
      if (at === undefined) return;
      for (const [side, { shares }] of [
        ["before", from],
        ["after", to],
      ] as const) {
        for (const [cluster, part] of shares) {
          const { location } = inventory.clusters.find(({ name }) => name === cluster)!;
          const value = oracleKm(at.latitude, at.longitude, location.latitude, location.longitude);
          km[side].push({ value, weight: weight * share * part });
        }
      }
    };
    if (!isOffered) add(NOTHING, NOTHING, 1);
    else if (route.sticky === "ClientSubnet") {
      const slotHash = oracleSlotHash(stickyNetwork(address), `${route.namespace}/${route.name}`);
      add(both.before(slotHash), both.after(slotHash), 1);
    } else for (const [from, to, share] of both.overSlots()) add(from, to, share);
  }
  return { family, before, after, moves, modes, violations, km: { before: spread(km.before), after: spread(km.after) } };
}

type Tally = Map<string, number>;
const sum = (into: Tally, key: string, value: number): void => void into.set(key, (into.get(key) ?? 0) + value);

/** Of Common, a family is offered when every backend with a weight has it; when none is common, as of Each: when any has. */
function offers(inventory: Inventory, { backends, families }: Route, family: 4 | 6): boolean {
  const has = (one: Route["backends"][number], wanted: 4 | 6): boolean => addressesOf(one, wanted).length > 0;
  const clusterWeight = (name: string): number => inventory.clusters.find((cluster) => cluster.name === name)!.weight;
  const weighted = backends.filter(({ weight, cluster }) => weight * clusterWeight(cluster) > 0);
  const counted = weighted.length > 0 ? weighted : backends;
  const isCommon = (wanted: 4 | 6): boolean => counted.every((one) => has(one, wanted));
  if (families === "Common" && (isCommon(4) || isCommon(6))) return isCommon(family);
  return backends.some((one) => has(one, family));
}

const addressesOf = ({ addresses }: Route["backends"][number], family: 4 | 6): readonly string[] =>
  addresses.filter((address) => address.includes(":") === (family === 6));

interface Both {
  readonly before: (slotHash: number) => OracleAnswer;
  readonly after: (slotHash: number) => OracleAnswer;
  /** Pairs of answers with their shares of all slots. */
  readonly overSlots: () => readonly (readonly [OracleAnswer, OracleAnswer, number])[];
}

function bothSides(route: Route, plan: OraclePlan, family: 4 | 6, outage: OracleOutage): Both {
  const asked = (hit: OracleOutage): Omit<OracleAsk, "slotHash"> => ({
    tiers: plan.tiers.map((tier) => tier.map((position) => backendAt(route, plan, family, position, hit))),
    trickle: Math.round((route.failover.tricklePercent / 100) * 65_535),
    holdLast: route.failover.whenAllUnhealthy === "HoldLast",
  });
  const tiers = plan.tiers.filter((tier) => tier.length > 1);
  const members = asked({ down: [], drain: [] }).tiers;
  const bits = members.some((tier) => tier.length > 1 && oracleSlots(tier).bits === 16) ? 16 : 12;
  const before = remembered((slotHash) => answerOf(route, family, { ...asked({ down: [], drain: [] }), slotHash }));
  const after = remembered((slotHash) => answerOf(route, family, { ...asked(outage), slotHash }));
  const isOfOneSlot = tiers.length === 0 && route.failover.tricklePercent === 0;
  let slots: readonly (readonly [OracleAnswer, OracleAnswer, number])[] | undefined;
  return {
    before,
    after,
    overSlots() {
      slots ??= isOfOneSlot
        ? [[before(0), after(0), 1]]
        : Array.from({ length: 2 ** bits }, (_, slot) => {
            const slotHash = (slot + 0.5) * 2 ** (32 - bits);
            return [before(slotHash), after(slotHash), 2 ** -bits] as const;
          });
      return slots;
    },
  };

  /** The first sixteen bits tell all slots apart. */
  function remembered(of: (slotHash: number) => OracleAnswer): (slotHash: number) => OracleAnswer {
    const known = new Map<number, OracleAnswer>();
    return (slotHash) => {
      const key = route.spread > 1 ? slotHash : slotHash >>> 16;
      const answer = known.get(key) ?? of(slotHash);
      known.set(key, answer);
      return answer;
    };
  }
}

function backendAt(route: Route, plan: OraclePlan, family: 4 | 6, position: number, { down, drain }: OracleOutage): OracleBackend {
  const backend = route.backends[position]!;
  const { cluster } = backend;
  const nth = route.backends.slice(0, position).filter((other) => other.cluster === cluster).length;
  const isOut = down.includes(cluster) || drain.includes(cluster);
  const standing: OracleStanding =
    addressesOf(backend, family).length === 0
      ? "Absent"
      : drain.includes(cluster)
        ? "Draining"
        : down.includes(cluster)
          ? "Unhealthy"
          : "Usable";
  return {
    position,
    weight: plan.weights[position]!,
    hash: oracleHash(`${cluster}#${nth}`),
    standing,
    keep: 65_535,
    lastUsable: isOut && standing !== "Absent" ? 1 : 0,
  };
}

function answerOf(route: Route, family: 4 | 6, ask: OracleAsk): OracleAnswer {
  const decision = oracleDecide(ask);
  if (decision === undefined) return NOTHING;
  const shares = new Map<string, number>();
  const named = oracleSpread(ask, decision, route.spread).map(({ position }) => {
    const backend = route.backends[position]!;
    return { cluster: backend.cluster, addresses: Math.min(route.answers, addressesOf(backend, family).length) };
  });
  const total = named.reduce((all, { addresses }) => all + addresses, 0);
  for (const { cluster, addresses } of named) shares.set(cluster, (shares.get(cluster) ?? 0) + addresses / total);
  return { mode: decision.mode, shares };
}

const stickyNetwork = ({ family, value }: OracleAddress): readonly number[] =>
  family === 4 ? [Number((value >> 8n) << 8n)] : [Number(value >> 96n), Number((value >> 80n) & 0xffffn)];

/** Its place's own coordinates; where they are only the centre of a country, its home. */
function whereabouts({ centroids }: OracleWorld, { country, latitude, longitude }: OraclePlace, home: OracleClient["home"]) {
  const centre = country === undefined ? undefined : centroids.get(country);
  const isCentre = latitude === undefined || (latitude === centre?.latitude && longitude === centre?.longitude);
  if (isCentre && home !== undefined) return home;
  return latitude === undefined || longitude === undefined ? centre : { latitude, longitude };
}

const requiredRules = ({ rules }: Route, place: OraclePlace, subnets: readonly string[]): readonly Rule[] =>
  rules.filter((rule) => rule.mode === "Require" && oracleMatches(rule, place, subnets));

interface Sample {
  readonly value: number;
  readonly weight: number;
}

function spread(samples: readonly Sample[]): OracleSpread {
  const total = samples.reduce((all, { weight }) => all + weight, 0);
  const sorted = samples.toSorted((a, b) => a.value - b.value);
  const at = (share: number): number => {
    let seen = 0;
    for (const { value, weight } of sorted) {
      seen += weight;
      if (seen >= share * total * (1 - 1e-9)) return value;
    }
    return 0;
  };
  const mean = total === 0 ? 0 : samples.reduce((all, { value, weight }) => all + value * weight, 0) / total;
  return { mean, p50: at(0.5), p95: at(0.95) };
}
