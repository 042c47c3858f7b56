/** The candidates of an explanation: every backend of the route, address by address, and why it was or was not taken. */
import type { Place } from "../geo/geo-table.ts";
import type { Health } from "../model/health.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { Mode } from "./choose.ts";
import type { AnswerShares, Decision } from "./decide.ts";
import type { Candidate } from "./explanation.ts";
import type { Measures } from "./measure.ts";
import { biased, type Plan } from "./plan.ts";
import type { Policy, PolicyMember } from "./policy.ts";
import { type RoutingTable, Standing } from "./table.ts";

export interface ExplainWorld {
  readonly inventory: Inventory;
  readonly table: RoutingTable;
  readonly measures: Measures;
  /** What is known of an address of a backend: its health, and why it stands where it stands, in a few words. */
  readonly fact: (route: Route, backend: string, address: string) => { readonly health: Health; readonly why: string };
  /** Fields of a client that no loaded database carries (`subdivision`, `asn`), for a note at rules that ask for them. */
  readonly missingFields: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface CandidatesInput {
  readonly world: ExplainWorld;
  readonly spec: Route;
  readonly route: number;
  readonly family: 0 | 1;
  readonly place: Place;
  readonly policy: Policy;
  readonly plan: Plan;
  /** One possible decision, the only one of a sticky route. */
  readonly decision: Decision;
  /** Of a route that is not sticky. */
  readonly shares: AnswerShares | undefined;
}

/** @returns in the order in which they would serve: by tier, those that a rule excludes last; one row without address (`-`) where a backend has none */
export function explainCandidates(input: CandidatesInput): Candidate[] {
  const { world, spec, route, family, place, policy, plan } = input;
  const { table, measures, inventory } = world;
  const { backendAddresses, routeBackends } = table.hot;
  const rows = spec.backends.flatMap((backend, position) => {
    const row = (routeBackends[route]! + position) * 2 + family;
    const tierIndex = plan.tiers.findIndex((tier) => tier.includes(position));
    const { cluster } = policy.members[position]!;
    const km = measures.distance(place, cluster);
    const estimate = measures.estimate(place, cluster);
    const numbers = range(backendAddresses[row]!, backendAddresses[row + 1]!);
    return (numbers.length > 0 ? numbers : [undefined]).map((number): Candidate => {
      const address = number === undefined ? "-" : table.names.addresses[number]!;
      const fact = number === undefined ? { health: "Unknown" as const, why: "" } : world.fact(spec, backend.name, address);
      const taken = number !== undefined && (input.shares?.numbers.has(number) ?? input.decision.numbers.includes(number));
      return {
        cluster: backend.cluster,
        backend: backend.name,
        address,
        health: healthOf(table.state.standing[row]!, fact.health),
        distanceKm: km === undefined ? null : Math.round(km),
        latencyMs: estimate === undefined ? null : Math.round(estimate.ms * 10) / 10,
        latencySource: estimate?.source ?? null,
        weight: (backend.weight * inventory.clusters[cluster]!.weight) / 100,
        tier: tierIndex < 0 ? null : tierIndex + 1,
        taken,
        reason: reasonFor(input, { position, row, number, tierIndex, taken, why: fact.why }),
      };
    });
  });
  return rows.sort((a, b) => (a.tier ?? Number.MAX_SAFE_INTEGER) - (b.tier ?? Number.MAX_SAFE_INTEGER));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function healthOf(standing: number, health: Health): Candidate["health"] {
  return standing === Standing.Draining ? "Draining" : standing === Standing.Excluded ? "Cordoned" : health;
}

/** One address of one backend. */
interface Row {
  readonly position: number;
  /** backend × 2 + family. */
  readonly row: number;
  /** Address number; undefined when the backend has none of this family. */
  readonly number: number | undefined;
  readonly tierIndex: number;
  readonly taken: boolean;
  readonly why: string;
}

function reasonFor(input: CandidatesInput, row: Row): string {
  const { plan, policy, spec, world } = input;
  const cluster = spec.backends[row.position]!.cluster;
  if (row.tierIndex < 0) {
    const { cluster: index } = policy.members[row.position]!;
    const forbidding = plan.applied.find(({ rule }) => rule.mode === "Require" && !rule.to.includes(index));
    return `Require rule ${forbidding?.rule.name ?? "?"} does not allow ${cluster}`;
  }
  if (row.number === undefined) return "no address of this family";
  if (input.decision.mode === "NotOffered") return "the route does not offer this family";
  if (row.taken) return takenReason(input, row);
  switch (world.table.state.standing[row.row]) {
    case Standing.Excluded:
      return `cordoned${suffix(row.why)}`;
    case Standing.Draining:
      return `draining${suffix(row.why)}`;
    case Standing.Unhealthy:
      return `unhealthy${suffix(row.why)}`;
    case Standing.Unknown:
      return "not probed yet";
    case Standing.Pending:
      return `healthy again, failback pending${suffix(row.why)}`;
    default:
      return usableReason(input, row, row.number);
  }
}

/** Why a usable backend's address is not in the answer. */
function usableReason({ policy, spec, decision, shares, world }: CandidatesInput, row: Row, number: number): string {
  const { choice } = decision;
  const member = policy.members[row.position]!;
  const standing = world.table.state.addressStanding[number]!;
  if (standing !== Standing.Usable)
    return `${standing === Standing.Unknown ? "not probed yet" : `unhealthy${suffix(row.why)}`}; other addresses of the backend are usable`;
  if (choice.backend === row.row >> 1) return "usable; this answer names others of the backend's addresses";
  if (row.tierIndex < choice.tier) return "usable, but gives this client away (slow start, load or trickle)";
  if (row.tierIndex === choice.tier) {
    return shares === undefined
      ? "usable; the client's slot belongs to another member of the tier"
      : "usable, but gives its clients away (slow start or load)";
  }
  if (member.weight === 0) return `warm standby: serves when no weighted backend of tiers before ${row.tierIndex + 1} can`;
  return `usable, but ${orderWord(spec)}: tier ${row.tierIndex + 1} serves when those before it cannot`;
}

function takenReason(input: CandidatesInput, row: Row): string {
  const { choice } = input.decision;
  switch (choice.mode) {
    case Mode.Held:
      return "held: nothing is usable, so the last answer that the rules allow goes on";
    case Mode.Unknown:
    case Mode.Unhealthy:
    case Mode.Draining:
      return `fail-open: nothing allowed is healthy${suffix(row.why)}`;
    case Mode.Pending:
      return "used although its failback is pending: nothing else is usable";
    default:
      return `${beforeReason(input, row.tierIndex)}${ownReason(input, row)}`;
  }
}

/** Why tiers before this one do not serve (alone). */
function beforeReason({ world, plan, route, family }: CandidatesInput, tierIndex: number): string {
  if (tierIndex === 0) return "";
  const usable = (position: number) => standingOf(world.table, route, position, family) === Standing.Usable;
  if (plan.tiers.slice(0, tierIndex).some((tier) => tier.some(usable)))
    return "takes what tiers before it give away (slow start, load or trickle); ";
  return `first usable tier after ${tierIndex} without a usable backend; `;
}

const standingOf = ({ hot, state }: RoutingTable, route: number, position: number, family: 0 | 1): number =>
  state.standing[(hot.routeBackends[route]! + position) * 2 + family]!;

function ownReason({ spec, policy, plan, place, world, shares }: CandidatesInput, row: Row): string {
  const member = policy.members[row.position]!;
  const share = shares?.clusters.get(spec.backends[row.position]!.cluster);
  const part = share !== undefined && share < 0.9999 ? ` (${Math.round(share * 1000) / 10} % of this client's answers)` : "";
  if (plan.tiers[row.tierIndex]!.length > 1) {
    return shares === undefined
      ? `${spec.spread > 1 ? "among the first in" : "first in"} the order of the client's slot`
      : `shares its tier by weight${part}`;
  }
  if (policy.order === "Priority") return `first in the listed order${part}`;
  const measured = nearness(policy, member, place, world);
  return `${measured ?? "alone in its tier"}${part}`;
}

function nearness(policy: Policy, member: PolicyMember, place: Place, { measures }: ExplainWorld): string | undefined {
  if (policy.order !== "Nearest" && policy.order !== "Latency") return undefined;
  const isLatency = policy.order === "Latency";
  const value = (isLatency ? measures.latency : measures.distance)(place, member.cluster);
  if (value === undefined) return undefined;
  const withBias = member.bias === 0 ? "" : `, ${Math.round(biased(value, member.bias))} with bias ${member.bias}`;
  return `${isLatency ? "lowest latency" : "nearest"} (${Math.round(value)} ${isLatency ? "ms" : "km"}${withBias})`;
}

const orderWord = ({ order }: Route): string =>
  order === "Latency" ? "slower" : order === "Nearest" ? "farther" : order === "Priority" ? "later in the list" : "of lower standing";

const suffix = (why: string): string => (why === "" ? "" : `: ${why}`);
