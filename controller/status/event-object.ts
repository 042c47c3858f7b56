/** An Event (events.k8s.io/v1) as it is sent. Pure. */
import type { KubeObject } from "../kube/kube-object.ts";
import { microTime } from "../kube/micro-time.ts";
import { EPOCH_ANNOTATION } from "../kube/writer-fence.ts";

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

export interface EventFacts {
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference;
  readonly type: "Normal" | "Warning";
  /** CamelCase, at most 128 characters, like the action. */
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Tells Events of one object apart: equal facts give equal names. */
  readonly id: string;
}

export const REPORTING_CONTROLLER = "globalroute.dev/controller";
const MAX_NOTE = 1024;
const MAX_NAME = 200;
const MAX_INSTANCE = 128;

/** Where Events on cluster-scoped objects live. */
const CLUSTER_SCOPE = "default";

export const eventNamespace = ({ namespace }: ObjectReference): string => namespace ?? CLUSTER_SCOPE;

export const eventName = ({ regarding, id }: Pick<EventFacts, "regarding" | "id">): string => `${regarding.name.slice(0, MAX_NAME)}.${id}`;

/** @param instance who reports: the pod */
export function eventObject(facts: EventFacts, instance: string, epoch: number): KubeObject {
  const { regarding, related, type, reason, action, note, at } = facts;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: {
      name: eventName(facts),
      namespace: eventNamespace(regarding),
      annotations: { [EPOCH_ANNOTATION]: String(epoch) },
    },
    eventTime: microTime(at),
    reportingController: REPORTING_CONTROLLER,
    reportingInstance: instance.slice(0, MAX_INSTANCE),
    type,
    reason,
    action,
    note: cut(note),
    regarding,
    ...(related === undefined ? {} : { related }),
  };
}

/** The limit is in bytes. */
function cut(text: string): string {
  let short = text.length > MAX_NOTE ? text.slice(0, MAX_NOTE) : text;
  while (new TextEncoder().encode(short).length > MAX_NOTE) short = short.slice(0, -8);
  return short;
}
