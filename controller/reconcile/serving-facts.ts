/** What the engine is told besides the inventory: how ready backends are, and which generation of each object is served. */
import { type BackendReadiness, readinessKey } from "../../src/engine/source.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { ClusterSources } from "../sources/read-cluster.ts";
import type { Outcome } from "./environment.ts";
import type { HubObject } from "./hub-object.ts";
import { keyOfProgrammed } from "./object-keys.ts";
import type { SettledRoute } from "./route-pass.ts";

/** By `readinessKey`; only where the cluster can be asked and knows the Services behind the source. */
export function readinessOfAll(
  settled: readonly SettledRoute[],
  sources: ReadonlyMap<string, ClusterSources>,
): ReadonlyMap<string, BackendReadiness> {
  const all = new Map<string, BackendReadiness>();
  if (![...sources.values()].some(({ isCurrent, isRead }) => isCurrent && isRead("EndpointSlice"))) return all;
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

/** By `programmedKey`; only of objects that are served as they are written. */
export function generationsOf(
  settled: readonly SettledRoute[],
  others: readonly Outcomes[],
  memo: WrittenMemo,
): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  const add = (object: HubObject<Kind>) => {
    const { generation } = object.raw.metadata;
    if (generation !== undefined) all.set(keyOfProgrammed(object), generation);
  };
  for (const { unit, isAccepted, draft } of settled) {
    if (unit.hub !== undefined && isAccepted && (draft === undefined || isWritten(unit.hub, draft.object.spec, memo))) add(unit.hub);
  }
  for (const [objects, outcomes] of others) for (const object of objects) if (outcomes.get(object.key)?.isAccepted === true) add(object);
  return all;
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
