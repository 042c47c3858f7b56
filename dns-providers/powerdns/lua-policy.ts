/**
 * What a zone of PowerDNS should have where its own scripts choose by client: LUA records, in which our plans stand as tables by country.
 *
 * Not `pickclosest`: it takes an address to be where the mmdb file says that it is, so anycast and private addresses lie wrong, and it knows no
 * rules, tiers or bias. Not `ifportup`: a check by each server alone has no quorum, takes what it has not looked at for down, and is bound by no
 * safety rule; we write who serves now, so a failover is one PATCH. Pure.
 */
import { type Route, routeKey } from "../../src/model/inventory.ts";
import type { LostPolicy } from "../../src/model/lost-part.ts";
import { losesSpread, luaPolicy } from "../../src/model/lua-policy.ts";
import { clustersForAll, plainPolicy } from "../../src/model/plain-policy.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, RouteRow, type RoutingTable } from "../../src/routing/table.ts";
import type { DesiredSet } from "../change.ts";
import { type PlainZoneInput, plainZone } from "../desired-sets.ts";
import { recordSetKey } from "../record-set.ts";
import { createRouteMemory } from "../route-memory.ts";
import { type ClientCut, cutClients } from "./client-cut.ts";
import { type ClientScript, MAX_STEPS, writeClient, writeScript } from "./lua-script.ts";
import { formatLua, list } from "./lua-text.ts";
import { bestAddresses, poolOf, poolsKey } from "./serving-pools.ts";

export interface LuaZoneInput extends PlainZoneInput {
  readonly table: RoutingTable;
}

export interface LuaZone {
  /** One set of type LUA at each host, a record in it for each family. */
  readonly sets: readonly DesiredSet[];
  /** Route key → what of its policy is not followed, geo data and size considered. Routes of which nothing is lost are not in it. */
  readonly lost: ReadonlyMap<string, LostPolicy>;
}

/** Longest script, characters: the database of every backend takes it, and reading it costs a query less than a millisecond. */
export const MAX_SCRIPT = 32_000;

const FAMILIES = [
  [0, "A", ROUTE_OFFERS_A],
  [1, "AAAA", ROUTE_OFFERS_AAAA],
] as const;

/** Writes zones of one table after the other; how clients are told apart is worked out once for each table. */
export function createLuaZone(): (input: LuaZoneInput) => LuaZone {
  /** By policy, for the way in which a table cuts places: tables that differ in addresses alone share it. */
  const cuts = new WeakMap<RoutingTable["partitions"], Map<number, ClientCut>>();
  const memory = createRouteMemory<Drawn>(({ isWhole }) => isWhole);
  return (input) => {
    const { table, routes, isInZone } = input;
    const known = cuts.get(table.partitions) ?? new Map<number, ClientCut>();
    cuts.set(table.partitions, known);
    const clients = new Map<string, ClientScript>();
    const lost = new Map<string, LostPolicy>();
    const sets = routes.flatMap((route, i) => {
      const drawn = memory.recall(table, i, route, [isInZone], () => draw(input, route, i, known, clients));
      if (drawn.lost !== undefined) lost.set(routeKey(route), drawn.lost);
      return drawn.sets;
    });
    return { sets, lost };
  };
}

interface Drawn {
  readonly sets: readonly DesiredSet[];
  /** None of them is from before. */
  readonly isWhole: boolean;
  readonly lost?: LostPolicy;
}

function draw(
  { table, routes, isInZone, before }: LuaZoneInput,
  route: Route,
  i: number,
  known: Map<number, ClientCut>,
  clients: Map<string, ClientScript>,
): Drawn {
  const hosts = route.hosts.filter((host) => isInZone(route, host));
  if (hosts.length === 0) return { sets: [], isWhole: true };
  const policy = table.hot.routePolicy[i]!;
  const cut = known.get(policy) ?? cutClients(table, i, route.rules);
  known.set(policy, cut);
  const records = recordsOf(table, i, route, cut, clients);
  const lost = records === "TooLarge" ? tooLarge(route) : joinLost(luaPolicy(route), cut.isBlurred ? BLURRED : undefined);
  const values = records === "TooLarge" ? plainRecords(table, routes, i) : records;
  const sets = hosts.flatMap((name) => {
    const wanted = { name, type: "LUA", ttl: table.hot.routeTtlMin[i]!, values, resource: `GlobalRoute/${routeKey(route)}` };
    const set = values.length > 0 ? wanted : before(recordSetKey(wanted));
    return set === undefined ? [] : [set];
  });
  return { sets, isWhole: values.length > 0, ...(lost === undefined ? {} : { lost }) };
}

/** @param clients scripts of routes that were written before @returns none when nobody may be answered anything now */
function recordsOf(table: RoutingTable, i: number, route: Route, cut: ClientCut, clients: Map<string, ClientScript>) {
  const { hot } = table;
  const firstPlan = hot.policyPlans[hot.routePolicy[i]!]!;
  const values: string[] = [];
  let hasAnswers = false;
  for (const [family, type, flag] of FAMILIES) {
    if ((hot.routeFlags[i]! & flag) === 0) continue;
    const key = poolsKey(table, i, family);
    const client = clients.get(key) ?? writeClient(cut, (cls) => poolOf(table, i, family, firstPlan + cls));
    clients.set(key, client);
    hasAnswers ||= client.pools.some(({ kind }) => kind === "Answers");
    const { tokens, steps } = writeScript({
      ...{ client, answers: route.answers, spread: losesSpread(route) ? 1 : route.spread },
      ...{ isSticky: route.sticky === "ClientSubnet", seed: hot.routeRows[i * RouteRow.Length + RouteRow.Seed]! },
      addressesOf: (position) => bestAddresses(table, i, family, position),
    });
    const value = formatLua(type, tokens);
    if (steps > MAX_STEPS || value.length > MAX_SCRIPT) return "TooLarge";
    values.push(value);
  }
  return hasAnswers ? values : [];
}

/** What everyone may get, as scripts that do not look at the client: a name keeps its one type. */
function plainRecords(table: RoutingTable, routes: readonly Route[], i: number): readonly string[] {
  const [host] = routes[i]!.hosts;
  const isInZone: PlainZoneInput["isInZone"] = (route, name) => route === routes[i] && name === host;
  const sets = plainZone({ table, routes, isInZone, before: () => undefined });
  return sets.map(({ type, values }) => formatLua(type as "A" | "AAAA", ["return ", ...list(values)]));
}

const BLURRED: LostPolicy = {
  lost: ["places within a country"],
  instead: "all clients of such a country get what most of its addresses get, or what a Require rule leaves of it for some of them",
};

function joinLost(...parts: readonly (LostPolicy | undefined)[]): LostPolicy | undefined {
  const told = parts.filter((part) => part !== undefined);
  if (told.length === 0) return undefined;
  return { lost: told.flatMap(({ lost }) => lost), instead: told.map(({ instead }) => instead).join("; ") };
}

function tooLarge(route: Route): LostPolicy {
  const { lost, instead } = plainPolicy(route, true) ?? {
    lost: [],
    instead: `every client gets what ${clustersForAll(route).join(", ")} have`,
  };
  return { lost: ["a policy as large as this", ...lost], instead };
}
