/** The Envoys of a fleet as people see them. Pure. */
import type { FleetStatus, ProxyStatus } from "../engine/view.ts";
import { MOST_PROXIES_SHOWN } from "../engine/view.ts";
import type { EnvoyFleetSpec } from "../model/inventory.ts";
import { didYouMean } from "../model/nearest-word.ts";
import type { EnvoyNode } from "../proxy/envoy/discovery-service.ts";
import type { FleetNode, ToldFleet } from "../proxy/envoy/envoy-fleets.ts";

/** @param strangers Envoys that say that they are of it, and at no place of its */
export function envoyFleetStatus(spec: EnvoyFleetSpec, nodes: readonly FleetNode[], strangers: readonly EnvoyNode[]): FleetStatus {
  const rejected = nodes.filter(has("Rejected"));
  const pending = nodes.filter((node) => has("Pending")(node) && !has("Rejected")(node));
  return {
    name: spec.name,
    type: "Envoy",
    proxies: { connected: nodes.length, current: nodes.length - rejected.length - pending.length, rejected: rejected.length },
    members: [...rejected, ...pending].slice(0, MOST_PROXIES_SHOWN).map(proxyStatus),
    problems: strangers.slice(0, MOST_STRANGERS).map((node) => strangerAt(node, spec)),
  };
}

const has =
  (standing: "Rejected" | "Pending") =>
  ({ status: { types } }: FleetNode): boolean =>
    Object.values(types).includes(standing);

const MOST_STRANGERS = 8;

/** Of one that does not follow. */
function proxyStatus(node: FleetNode): ProxyStatus {
  const { id, place = "" } = node.status;
  if (!has("Rejected")(node)) return { name: id, place, state: "Pending" };
  const rejections = node.rejections();
  const routes = [...new Set(rejections.flatMap((one) => one.routes))];
  const problem = rejections.map(({ message }) => message).join("; ");
  return { name: id, place, state: "Rejected", problem, ...(routes.length === 0 ? {} : { routes }) };
}

/** An Envoy that says it is somewhere else than anybody knows gets nothing, rather than what is right for another place. */
const strangerAt = ({ id, region }: EnvoyNode, { name, places }: EnvoyFleetSpec): string => {
  const names = places.map((place) => place.name);
  if (region === "")
    return `Envoy ${id} of ProxyFleet ${name} does not say where it stands, so it is told nothing. Set node.locality.region in its bootstrap to a place of the fleet, such as ${names[0]}.`;
  const near = didYouMean(region, names);
  return `Envoy ${id} says that it is at ${region}, which is no place of ProxyFleet ${name}, so it is told nothing. ${near}Correct node.locality.region in its bootstrap, or add the place.`;
};

/** Of an Envoy that is of no fleet at all. */
export const strangerTo = ({ id, cluster }: EnvoyNode, fleets: readonly string[]): string => {
  if (cluster === "")
    return `Envoy ${id} does not say which ProxyFleet it is of, so it is told nothing. Set node.cluster in its bootstrap to the fleet's name.`;
  return `Envoy ${id} says that it is of ${cluster}, and there is no ProxyFleet of type Envoy called so, so it is told nothing. ${didYouMean(cluster, fleets)}Correct node.cluster in its bootstrap, or add the ProxyFleet.`;
};

export function toldFleet(
  { name, places, listener }: EnvoyFleetSpec,
  routes: ToldFleet["routes"],
  classes?: NonNullable<ToldFleet["classes"]>,
): ToldFleet {
  const { address = "", port = 0, tls, trustedHops = 0 } = listener ?? {};
  return {
    ...{ name, routes, places: places.map((place) => place.name) },
    ...(classes === undefined ? {} : { classes }),
    listener: listener === undefined ? undefined : { listen: { address, port }, trustedHops, ...(tls === undefined ? {} : { tls }) },
  };
}
