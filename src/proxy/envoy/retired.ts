/**
 * What Envoys keep for connections that came by a listener before the newest one. A connection goes by the listener that it came by, and so by its
 * classes of clients, until Envoy has drained it: ten minutes, if nobody said otherwise. By newer routes, which go with other classes, a client of no class could be taken
 * for somebody else, past a Require rule. So each listener has a route configuration of its own, which stays as it was, with the clusters
 * that only it speaks of. Pure.
 */
import type { EncodedResource, Snapshot } from "./resource-set.ts";

export interface Retired extends Kept {
  readonly routes: EncodedResource;
}

interface Kept {
  readonly cluster: readonly EncodedResource[];
  readonly loadAssignment: readonly EncodedResource[];
}

/** Listeners before the newest one. */
const MOST = 3;

/**
 * @param before newest first, as is the result
 * @param last what there was by now; the first of its route configurations is the one that retires
 * @param next what there will be, and the name of its route configuration
 */
export function retire(before: readonly Retired[], last: Snapshot, next: Kept & { readonly routesName: string }): readonly Retired[] {
  const [routes] = last.routes.list;
  const left = before.filter((one) => one.routes.name !== next.routesName);
  if (routes === undefined) return left;
  const without = (kind: keyof Kept): readonly EncodedResource[] => {
    const names = namesOf([...next[kind], ...left.flatMap((one) => one[kind])]);
    return last[kind].list.filter(({ name }) => !names.has(name));
  };
  return [{ routes, cluster: without("cluster"), loadAssignment: without("loadAssignment") }, ...left].slice(0, MOST);
}

/** @returns the list itself when nothing is to be added */
export function withRetired(list: readonly EncodedResource[], retired: readonly Retired[], kind: keyof Kept): readonly EncodedResource[] {
  const kept = retired.flatMap((one) => one[kind]);
  if (kept.length === 0) return list;
  const names = namesOf(list);
  return [...list, ...kept.filter(({ name }) => !names.has(name) && names.add(name) !== undefined)];
}

const namesOf = (list: readonly EncodedResource[]): Set<string> => new Set(list.map(({ name }) => name));
