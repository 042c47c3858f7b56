/** The clients of one route that a proxy has different plans for. Pure. */
import type { Place } from "../geo/geo-table.ts";
import { type Route, routeKey } from "../model/inventory.ts";
import { rankMembers } from "../routing/plan.ts";
import type { Policy } from "../routing/policy.ts";
import { appliesByAddress, type ClientClasses, isGeographic } from "./client-classes.ts";
import { type EdgePlan, type EdgePlanInput, edgePlan } from "./edge-plan.ts";

/** Clients to whom the same rules of a route apply. */
export interface ClientGroup {
  /**
   * The rules that apply to them, `eu+partners`, or `-` for none, where rules go by addresses; `+partners` where those of the proxy's own place apply and
   * partners' by their networks; empty = by the place alone, or the route has no rules. It stands for the same clients in every process.
   */
  readonly name: string;
  /** Names of client classes; undefined = whoever is in no class that another group names. */
  readonly classes: readonly string[] | undefined;
  /** What is known of such a client by its address. */
  readonly client: Place;
}

/**
 * @param policy of the route
 * @returns at least one, of which exactly one is for those of no class; in the same order wherever the proxy is
 */
export function clientGroups(policy: Policy, { by, classes }: ClientClasses): readonly ClientGroup[] {
  const others = groupName(policy, by, {});
  const byName = new Map<string, { client: Place; classes: string[] | undefined }>([[others, { client: {}, classes: undefined }]]);
  for (const { name: cls, client } of classes) {
    const name = groupName(policy, by, client);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, { client, classes: [cls] });
    else known.classes?.push(cls);
  }
  return [...byName].map(([name, group]) => ({ name, ...group })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function groupName(policy: Policy, by: ClientClasses["by"], client: Place): string {
  if (by === "Place" || policy.rules.length === 0) return "";
  if (by === "Network") return policy.rules.flatMap((rule) => (appliesByAddress(by, rule, client) ? [`+${rule.name}`] : [])).join("");
  const { applied } = rankMembers(policy, client);
  return applied.map(({ rule }) => rule.name).join("+") || "-";
}

/** What a proxy at a place should know of a route for the clients of a group: how far everything is, it knows of its own place. */
export const groupPlan = (input: EdgePlanInput, { by }: ClientClasses, { client }: Pick<ClientGroup, "client">): EdgePlan =>
  edgePlan({ ...input, client: by === "Address" ? client : { ...input.place, ...client } });

export interface PlannedClients<P> {
  /** Of those of no class. */
  readonly plans: ReadonlyMap<P, EdgePlan>;
  /** Absent when no rule of the route goes by addresses: then `plans` are everybody's. */
  readonly groups?: readonly (ClientGroup & { readonly plans: ReadonlyMap<P, EdgePlan> })[];
}

/** A route's plans at all places. @param inputs one for each place, of the same route and table */
export function planClients<P>(policy: Policy, inputs: ReadonlyMap<P, EdgePlanInput>, classes: ClientClasses): PlannedClients<P> {
  const groups = clientGroups(policy, classes).map((group) => ({
    ...group,
    plans: new Map([...inputs].map(([place, input]) => [place, groupPlan(input, classes, group)])),
  }));
  const others = groups.find((group) => group.classes === undefined)!;
  return groups.length === 1 && others.name === "" ? { plans: others.plans } : { plans: others.plans, groups };
}

/**
 * Require rules that a proxy cannot tell whom they concern of: it takes all of its clients for clients of its own place in this respect, so that
 * others of these rules' clients, if they come to it, are sent to clusters that the rules do not allow.
 *
 * @returns names of rules
 */
export const unseenRules = ({ rules }: Pick<Route, "rules">, { by }: ClientClasses): readonly string[] =>
  rules
    .filter(
      ({ mode, clients }) =>
        mode === "Require" && by !== "Address" && (isGeographic(clients) || (by === "Place" && clients.subnets.length > 0)),
    )
    .map(({ name }) => name);

/** What operators should know of {@link unseenRules}. @returns undefined when there are none */
export function unseenWarning(route: Route, classes: ClientClasses): string | undefined {
  const rules = unseenRules(route, classes);
  if (rules.length === 0) return undefined;
  const remedy =
    classes.by === "Place"
      ? "Let GlobalRoute make their listeners."
      : "Load geo data that know countries, or name fewer countries in the rules of all routes.";
  return `${routeKey(route)}: proxies cannot tell by address whom the Require rules ${rules.join(", ")} concern, and take clients for clients of their own place. Clients of these rules who come to a proxy elsewhere can be sent to clusters that the rules do not allow. ${remedy}`;
}
