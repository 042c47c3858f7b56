/** Input collapse (safety rule 11): when a large part of the inputs vanishes at once, a broken source is likelier than a wish. Pure. */
import { type Inventory, routeKey } from "../model/inventory.ts";

export interface Collapse {
  readonly kind: "routes" | "clusters" | "endpoints";
  readonly before: number;
  readonly vanished: number;
}

/** Share that may vanish within {@link COLLAPSE_WINDOW}, and the number below which nothing is held. */
export const COLLAPSE_SHARE = 0.3;
export const COLLAPSE_LEAST = 3;
/** Milliseconds. */
export const COLLAPSE_WINDOW = 60_000;

/**
 * Compares inputs with those of up to a minute ago.
 *
 * @param before the inventory that was in force {@link COLLAPSE_WINDOW} ago, or the oldest one since
 * @returns what vanished beyond measure; empty when the new inputs may be used
 */
export function inputCollapse(before: Inventory, next: Inventory): readonly Collapse[] {
  const kinds = [
    ["routes", routesOf],
    ["clusters", clustersOf],
    ["endpoints", endpointsOf],
  ] as const;
  return kinds.flatMap(([kind, of]) => {
    const old = of(before);
    const now = of(next);
    const vanished = [...old].filter((name) => !now.has(name)).length;
    return vanished >= COLLAPSE_LEAST && vanished > COLLAPSE_SHARE * old.size ? [{ kind, before: old.size, vanished }] : [];
  });
}

const routesOf = (inventory: Inventory) => new Set(inventory.routes.map(routeKey));
const clustersOf = (inventory: Inventory) => new Set(inventory.clusters.map((cluster) => cluster.name));
const endpointsOf = (inventory: Inventory) =>
  new Set(
    inventory.routes.flatMap((route) =>
      route.backends.flatMap((backend) => backend.addresses.map((address) => `${backend.cluster} ${address}`)),
    ),
  );

export const formatCollapse = (collapse: readonly Collapse[]): string =>
  collapse.map(({ kind, before, vanished }) => `${vanished} of ${before} ${kind} vanished`).join(", ");
