/** How far each rollout should have come, from the object, the acts of operators that stand beside it, and what probes say. */
import type { HealthFeed } from "../../src/engine/view.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import { readApiObject } from "../../src/model/read-api-object.ts";
import { readStatus } from "../../src/model/read-status.ts";
import { type KubeObject, objectKey } from "../kube/kube-object.ts";
import { TRAFFIC_OVERRIDES } from "../kube/resources.ts";
import { advanceRollout, type RolloutAct } from "../rollout/advance-rollout.ts";
import type { HubStore } from "./own-writes.ts";
import type { RolloutState } from "./status-facts.ts";

export interface RouteRolloutInput {
  readonly stored: KubeObject;
  readonly store: HubStore;
  readonly health: Pick<HealthFeed, "route">;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @param stored a GlobalRoute that is accepted, with the status to go on from. @returns undefined when its spec has no rollout */
export function routeRollout({ stored, store, health, now }: RouteRolloutInput): RolloutState | undefined {
  if (!hasRollout(stored.spec)) return undefined; // reading the whole spec costs more
  const { object } = readApiObject(stored);
  if (object?.kind !== "GlobalRoute") return undefined;
  const live = health.route(objectKey(stored))?.backends ?? [];
  const { status, events, wakeAt } = advanceRollout({
    rollout: object.spec.rollout,
    generation: stored.metadata.generation ?? 0,
    status: readStatus("GlobalRoute", stored.status)?.rollout,
    health(name) {
      const found = live.find((backend) => backend.name === name);
      return found === undefined ? undefined : { health: found.health, since: found.since === null ? now : Date.parse(found.since) };
    },
    acts: actsOn(stored, store, now),
    now,
  });
  return status === undefined ? undefined : { status, events, due: wakeAt ?? Number.POSITIVE_INFINITY };
}

const hasRollout = (spec: unknown): boolean => typeof spec === "object" && spec !== null && "rollout" in spec && spec.rollout !== undefined;

/** Those of its namespace that are aimed at it and in force. */
function actsOn({ metadata: { namespace, name } }: KubeObject, store: HubStore, now: number): readonly RolloutAct[] {
  return [...store.objects(TRAFFIC_OVERRIDES).values()].flatMap((stored) => {
    const { namespace: where, uid = "", creationTimestamp: created = "", deletionTimestamp } = stored.metadata;
    if (where !== namespace || deletionTimestamp !== undefined) return [];
    const { object } = readApiObject(stored);
    if (object?.kind !== "TrafficOverride" || !isAimedAt(object, name, now)) return [];
    const { action, reason } = object.spec;
    return action === "PromoteStep" || action === "AbortRollout" ? [{ uid, created, action, reason }] : [];
  });
}

const isAimedAt = ({ spec }: ObjectOf<"TrafficOverride">, route: string, now: number): boolean =>
  spec.targetRef.kind === "GlobalRoute" &&
  spec.targetRef.name === route &&
  now >= (spec.start ?? 0) &&
  now < (spec.until ?? Number.POSITIVE_INFINITY);
