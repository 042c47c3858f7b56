/** What stands in for host names that nobody has resolved yet. Pure. */
import { type Inventory, routeKey } from "../model/inventory.ts";

/**
 * A backend that has lost all of its addresses, because its host names are not resolved (after a restart, or when they have just been
 * renamed), keeps those that it was served with last: an answer that may be old is better than none (safety rule 1).
 *
 * @param flat   with host names replaced by what they resolve to now
 * @param served what was served last, in the same form
 * @returns `flat` itself when nothing is missing
 */
export function keepAddresses(flat: Inventory, served: Inventory | undefined): Inventory {
  const isBare = ({ backends }: Inventory["routes"][number]) => backends.some(({ addresses }) => addresses.length === 0);
  if (served === undefined || !flat.routes.some(isBare)) return flat;
  const before = new Map(served.routes.map((route) => [routeKey(route), route.backends]));
  const routes = flat.routes.map((route) => {
    if (!isBare(route)) return route;
    const known = before.get(routeKey(route)) ?? [];
    const backends = route.backends.map((backend) => {
      const last = known.find(({ name, cluster }) => name === backend.name && cluster === backend.cluster);
      return backend.addresses.length > 0 || last === undefined ? backend : { ...backend, addresses: last.addresses };
    });
    return { ...route, backends };
  });
  return { ...flat, routes };
}
