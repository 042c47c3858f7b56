/** What the engine is told besides the inventory: how ready backends are, and which generation of each object is served. */
import { type BackendReadiness, readinessKey } from "../../src/engine/source.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { ClusterSources } from "../sources/read-cluster.ts";
import { createJoinedMap } from "./by-namespace.ts";
import type { Outcome } from "./environment.ts";
import type { HubObject } from "./hub-object.ts";
import { sameList } from "./keep-previous.ts";
import { keyOfProgrammed } from "./object-keys.ts";
import type { SettledRoute } from "./settle-hosts.ts";

/** By `readinessKey`; only where the cluster can be asked and knows the Services behind the source. */
export type ReadinessReader = (
  parts: readonly (readonly SettledRoute[])[],
  sources: ReadonlyMap<string, ClusterSources>,
) => ReadonlyMap<string, BackendReadiness>;

export function createReadinessReader(): ReadinessReader {
  const known = new WeakMap<
    readonly SettledRoute[],
    { readonly slices: readonly unknown[]; readonly map: ReadonlyMap<string, BackendReadiness> }
  >();
  const join = createJoinedMap<BackendReadiness>();
  return (parts, sources) => {
    const slices = [...sources.values()].map((one) => one.slices);
    if (slices.every((index) => index === undefined)) return join([]);
    const maps = parts.map((settled) => {
      const before = known.get(settled);
      if (before !== undefined && sameList(before.slices, slices)) return before.map;
      const map = readinessOf(settled, sources);
      known.set(settled, { slices, map });
      return map;
    });
    return join(maps);
  };
}

function readinessOf(
  settled: readonly SettledRoute[],
  sources: ReadonlyMap<string, ClusterSources>,
): ReadonlyMap<string, BackendReadiness> {
  const all = new Map<string, BackendReadiness>();
  for (const { unit, work } of settled) {
    for (const [backend, source] of work.assembled.sources) {
      const readiness = sources.get(source.cluster)?.readiness(source);
      if (readiness !== undefined) all.set(readinessKey(unit.key, backend), readiness);
    }
  }
  return all;
}

type Outcomes = readonly [readonly HubObject<Kind>[], ReadonlyMap<string, Outcome>];

/** Object on the hub → the spec that it was found to say: thousands stay the same from pass to pass. */
export type WrittenMemo = WeakMap<object, unknown>;

/** By `programmedKey`; only of routes that are served as they are written. */
export function generationsOfRoutes(settled: readonly SettledRoute[], memo: WrittenMemo): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const { unit, isAccepted, draft } of settled) {
    if (unit.hub !== undefined && isAccepted && (draft === undefined || isWritten(unit.hub, draft.object.spec, memo))) {
      addGeneration(all, unit.hub);
    }
  }
  return all;
}

/** By `programmedKey`; of accepted objects that are not routes. */
export function generationsOfOthers(others: readonly Outcomes[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const [objects, outcomes] of others) {
    for (const object of objects) if (outcomes.get(object.key)?.isAccepted === true) addGeneration(all, object);
  }
  return all;
}

function addGeneration(all: Map<string, number>, object: HubObject<Kind>): void {
  const { generation } = object.raw.metadata;
  if (generation !== undefined) all.set(keyOfProgrammed(object), generation);
}

/** Whether the hub's object of a generated route says by now what it is to say; the API server has added defaults. */
function isWritten({ raw }: HubObject<"GlobalRoute">, spec: unknown, memo: WrittenMemo): boolean {
  if (memo.get(raw) === spec) return true;
  const contains = (whole: unknown, part: unknown): boolean => {
    if (typeof part !== "object" || part === null) return whole === part;
    if (typeof whole !== "object" || whole === null || Array.isArray(whole) !== Array.isArray(part)) return false;
    if (Array.isArray(part) && Array.isArray(whole) && part.length !== whole.length) return false;
    return Object.entries(part).every(([name, value]) => contains(Reflect.get(whole, name), value));
  };
  if (!contains(raw.spec, spec)) return false;
  memo.set(raw, spec);
  return true;
}
