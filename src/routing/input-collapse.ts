/** Input collapse (safety rule 11): when a large part of the inputs vanishes at once, a broken source is likelier than a wish. Pure. */
import { type Inventory, type Route, routeKey, type Zone } from "../model/inventory.ts";

export interface Collapse {
  readonly kind: "routes" | "clusters" | "endpoints" | "zones";
  readonly before: number;
  readonly vanished: number;
}

/** Share that may vanish within {@link COLLAPSE_WINDOW}, and the number below which nothing is held. */
export const COLLAPSE_SHARE = 0.3;
export const COLLAPSE_LEAST = 3;
/** Milliseconds. */
export const COLLAPSE_WINDOW = 60_000;

/** Who is there, kind by kind, in groups: routes by namespace, endpoints by cluster. */
export type InputNames = Readonly<Record<Collapse["kind"], ReadonlyMap<string, ReadonlySet<string>>>>;

const KINDS = ["routes", "clusters", "endpoints", "zones"] as const;

type Inputs = Pick<Inventory, "routes" | "clusters"> & { readonly zones: readonly Pick<Zone, "domain">[] };

export function namesOf({ routes, clusters, zones }: Inputs): InputNames {
  const endpoints = new Map<string, Set<string>>();
  for (const route of routes) {
    for (const { cluster, addresses } of route.backends) {
      const known = endpoints.get(cluster);
      if (known === undefined) endpoints.set(cluster, new Set(addresses));
      else for (const address of addresses) known.add(address);
    }
  }
  return {
    routes: new Map([["", new Set(routes.map(routeKey))]]),
    clusters: new Map([["", new Set(clusters.map(({ name }) => name))]]),
    endpoints,
    zones: new Map([["", new Set(zones.map(({ domain }) => domain))]]),
  };
}

/** Whether {@link namesOf} would give equal names, which most changes leave as they were. False negatives only cost time. */
export function haveSameNames(a: Inputs, b: Inputs): boolean {
  return (
    (a.routes === b.routes || sameAll(a.routes, b.routes, isSameRoute)) &&
    (a.clusters === b.clusters || sameAll(a.clusters, b.clusters, (one, other) => one.name === other.name)) &&
    (a.zones === b.zones || sameAll(a.zones, b.zones, (one, other) => one.domain === other.domain))
  );
}

const isSameRoute = (a: Route, b: Route): boolean =>
  a.name === b.name &&
  a.namespace === b.namespace &&
  sameAll(
    a.backends,
    b.backends,
    (one, other) => one.cluster === other.cluster && sameAll(one.addresses, other.addresses, (text, same) => text === same),
  );

const sameAll = <T>(a: readonly T[], b: readonly T[], isSame: (one: T, other: T) => boolean): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i] || isSame(one, b[i]!));

/**
 * Compares inputs with those of up to a minute ago. That nothing is left at all is a collapse, however little it was.
 *
 * @param before what was in force {@link COLLAPSE_WINDOW} ago, or at any time since
 * @returns what vanished beyond measure; empty when the new inputs may be used
 */
export function collapseOf(before: InputNames, next: InputNames): readonly Collapse[] {
  const isNothing = KINDS.every((kind) => countAll(next[kind]) === 0);
  return KINDS.flatMap((kind) => {
    const vanished = countMissing(before[kind], next[kind]);
    const size = countAll(before[kind]);
    const isTooMuch = isNothing ? vanished > 0 : vanished >= COLLAPSE_LEAST && vanished > COLLAPSE_SHARE * size;
    return isTooMuch ? [{ kind, before: size, vanished }] : [];
  });
}

export const isSameInput = (a: InputNames, b: InputNames): boolean =>
  KINDS.every((kind) => countAll(a[kind]) === countAll(b[kind]) && countMissing(a[kind], b[kind]) === 0);

type Names = InputNames[Collapse["kind"]];

function countMissing(from: Names, names: Names): number {
  let missing = 0;
  for (const [group, members] of from) {
    const left = names.get(group);
    for (const name of members) if (left?.has(name) !== true) missing++;
  }
  return missing;
}

const countAll = (names: Names): number => [...names.values()].reduce((sum, group) => sum + group.size, 0);

export const formatCollapse = (collapse: readonly Collapse[]): string =>
  collapse.map(({ kind, before, vanished }) => `${vanished} of ${before} ${before === 1 ? kind.slice(0, -1) : kind} vanished`).join(", ");
