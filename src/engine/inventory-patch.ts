/** What is told of an inventory to whoever has the one before: thousands of routes, of which a change touches a few. Pure. */
import type { Inventory, Route } from "../model/inventory.ts";

export type InventoryPatch =
  | { readonly kind: "whole"; readonly inventory: Inventory }
  | {
      readonly kind: "changed";
      readonly rest: Omit<Inventory, "routes">;
      /** How many routes there are now. */
      readonly length: number;
      /** Position and route, where it is not the one that stood there before. */
      readonly routes: readonly (readonly [number, Route])[];
    };

/** @param before what the other side has, if it has any: routes that are the same objects are not told again */
export function patchInventory(before: Inventory | undefined, after: Inventory): InventoryPatch {
  if (before === undefined) return { kind: "whole", inventory: after };
  const { routes, ...rest } = after;
  const changed = routes.flatMap((route, i) => (before.routes[i] === route ? [] : [[i, route] as const]));
  return { kind: "changed", rest, length: routes.length, routes: changed };
}

/**
 * Routes that were not told again are the same objects as before.
 *
 * @throws when routes changed and there is nothing that they changed from
 */
export function applyInventory(before: Inventory | undefined, patch: InventoryPatch): Inventory {
  if (patch.kind === "whole") return patch.inventory;
  if (before === undefined) throw new Error("changes of an inventory came without the inventory");
  const routes = before.routes.slice(0, patch.length);
  for (const [i, route] of patch.routes) routes[i] = route;
  return { ...patch.rest, routes };
}
