/**
 * What backends are given while a reload is awaited that a route's rules need. Its clients stay with the classes and plans that HAProxy has, so a
 * backend may still be of clients whom the new rules keep from those who are to serve it. Pure.
 */
import type { Layout, PlanBackends, RankServers, WantedServer } from "./layout.ts";
import type { ServerRow, ServersState } from "./servers-state.ts";

/** Of routes that wait, what their backends had when that began, by backend. */
export type Held = ReadonlyMap<string, readonly ServerRow[]>;

/** @param waiting names of backends, of the routes' own plans */
export function holdBackends({ plans }: Layout, waiting: ReadonlySet<string>, state: ServersState, before: Held): Held {
  if (waiting.size === 0) return new Map();
  const names = plans
    .filter(({ siblings }) => siblings.some((name) => waiting.has(name)))
    .flatMap(({ ranks }) => ranks.map(({ name }) => name));
  return new Map(
    names.flatMap((name) => {
      const rows = before.get(name) ?? state.get(name);
      return rows === undefined ? [] : [[name, rows] as const];
    }),
  );
}

/**
 * A layout whose held backends keep whom they had, as long as one of them serves anybody by any of the route's plans; then they have those who may
 * serve all of the route's clients. A route whose rules keep nobody from anybody is not held back.
 */
export function withHeld(layout: Layout, held: Held): Layout {
  if (held.size === 0) return layout;
  const byName = new Map(layout.plans.map((plan) => [plan.name, plan]));
  const hold = (plan: PlanBackends): PlanBackends =>
    plan.ranks.some(({ name }) => held.has(name))
      ? holdPlan(
          plan,
          plan.siblings.map((name) => byName.get(name)!),
          held,
        )
      : plan;
  return { ...layout, plans: layout.plans.map(hold) };
}

function holdPlan(plan: PlanBackends, siblings: readonly PlanBackends[], held: Held): PlanBackends {
  const [first, ...others] = siblings.map(({ ranks }) => addresses(ranks[0]!.servers)); // who serves now has the others of the plan beside it
  const everybodys = new Set([...first!].filter((address) => others.every((one) => one.has(address))));
  if ([first!, ...others].every(({ size }) => size === everybodys.size)) return plan;
  const used = addresses(siblings.flatMap(({ ranks }) => ranks.flatMap(({ servers }) => servers.filter(serves))));
  const ranks = plan.ranks.map((rank): RankServers => {
    const kept = (held.get(rank.name) ?? []).filter(({ isReady, address }) => isReady && used.has(address));
    const servers = kept.length > 0 ? kept.map(asWanted) : rank.servers.filter(({ address }) => everybodys.has(address));
    return { ...rank, servers };
  });
  const serving = ranks[0]!.servers.filter(serves);
  return { ...plan, ranks, direct: serving.length === 1 ? serving[0] : undefined };
}

const addresses = (servers: readonly WantedServer[]): ReadonlySet<string> => new Set(servers.map(({ address }) => address));
const serves = ({ weight }: WantedServer): boolean => weight > 0;
const asWanted = ({ address, port, weight }: ServerRow): WantedServer => ({ address, port, weight });
