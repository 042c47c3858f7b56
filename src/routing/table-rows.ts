/**
 * The half of a table that changes with routes alone, and what becomes of it when a few of them change: thousands of rows are copied, and
 * those of the changed routes written anew. The table of before goes on serving, so nothing of it is written to.
 */
import type { Partition } from "../geo/partition.ts";
import type { Route } from "../model/inventory.ts";
import { changedAt } from "../model/remembered-map.ts";
import { sharedInt32, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import type { RouteFacts } from "./route-facts.ts";
import { type HotTable, RouteRow } from "./table.ts";

export interface TableRows {
  /** What it was built from, by position. */
  readonly routes: readonly Route[];
  readonly facts: readonly RouteFacts[];
  readonly hot: HotTable;
  readonly partitions: readonly Partition[];
  /** address → canonical text. */
  readonly texts: readonly string[];
  readonly scopeFallbacks: number;
}

/** Writes everything that a table holds by route, but for where its policy, its backends and their addresses are. */
export function writeRow(hot: HotTable, i: number, { answers, spread, ttl }: Route, { flags, trickle, seed }: RouteFacts): void {
  const policy = hot.routePolicy[i]!;
  const row = i * RouteRow.Length;
  hot.routeRows[row + RouteRow.Partition] = hot.policyPartition[policy]!;
  hot.routeRows[row + RouteRow.Plans] = hot.policyPlans[policy]!;
  hot.routeRows[row + RouteRow.Backends] = hot.routeBackends[i]!;
  hot.routeRows[row + RouteRow.FlagsAndTrickle] = flags | (trickle << 16);
  hot.routeRows[row + RouteRow.AnswersAndSpread] = answers | (spread << 16);
  hot.routeRows[row + RouteRow.Seed] = seed;
  hot.routeRows[row + RouteRow.TtlMin] = ttl.min;
  hot.routeRows[row + RouteRow.TtlMax] = ttl.max;
  hot.routeTtlMin[i] = ttl.min;
  hot.routeTtlMax[i] = ttl.max;
  hot.routeAnswers[i] = answers;
  hot.routeSpread[i] = spread;
  hot.routeFlags[i] = flags;
}

/** Share of routes beyond which a table is built anew. */
const MANY = 0.25;

/**
 * @param before of the same geo data, clusters, measures and scope budget
 * @returns what building it anew would give; undefined when a policy or a number of addresses is another, or much has changed
 */
export function patchRows(before: TableRows, routes: readonly Route[], factsOf: (route: Route) => RouteFacts): TableRows | undefined {
  const changed = changedAt(before.routes, routes);
  if (changed === undefined || changed.length > MANY * routes.length) return undefined;
  const facts = before.facts.slice();
  for (const i of changed) {
    const own = factsOf(routes[i]!);
    if (!haveSamePlace(before.facts[i]!, own)) return undefined;
    facts[i] = own;
  }
  const hot: HotTable = {
    ...before.hot,
    routeRows: sharedInt32(before.hot.routeRows),
    routeTtlMin: sharedUint32(before.hot.routeTtlMin),
    routeTtlMax: sharedUint32(before.hot.routeTtlMax),
    routeAnswers: sharedUint16(before.hot.routeAnswers),
    routeSpread: sharedUint16(before.hot.routeSpread),
    routeFlags: sharedUint8(before.hot.routeFlags),
    addressBytes: sharedUint8(before.hot.addressBytes),
  };
  for (const i of changed) writeRow(hot, i, routes[i]!, facts[i]!);
  return { ...before, routes, facts, hot, texts: patchAddresses(before, hot, changed, facts) };
}

/** Whether nothing that follows these two in a table moves. */
const haveSamePlace = (a: RouteFacts, b: RouteFacts): boolean =>
  a.policyKey === b.policyKey &&
  a.addresses.length === b.addresses.length &&
  a.addresses.every((own, i) => own.length === b.addresses[i]!.length);

/** @returns all texts; the list of before when none is another */
function patchAddresses(before: TableRows, hot: HotTable, changed: readonly number[], facts: readonly RouteFacts[]): readonly string[] {
  let texts: string[] | undefined;
  for (const i of changed) {
    let at = hot.backendAddresses[2 * hot.routeBackends[i]!]!;
    for (const { text, bytes } of facts[i]!.addresses.flat()) {
      if (before.texts[at] !== text) {
        texts ??= before.texts.slice();
        texts[at] = text;
        hot.addressBytes.set(bytes, 16 * at);
      }
      at++;
    }
  }
  return texts ?? before.texts;
}
