/**
 * Events of the hub, by the writer only: failovers, and what is wrong with sources. They are few by design: an API server that thousands of routes tell
 * of one outage at once has its own outage. Statuses, metrics and the timeline tell the rest.
 */
import { createHash } from "node:crypto";
import { count } from "../../src/model/count.ts";
import type { Timeline, TimelineEvent } from "../../src/observe/timeline.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import { apiVersionOf, objectKey, type Resource } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { microTime } from "../kube/micro-time.ts";
import { EVENTS, GLOBAL_ROUTES, MEMBER_CLUSTERS, PROXY_FLEETS } from "../kube/resources.ts";
import type { WorkResult } from "../kube/work-queue.ts";
import { EPOCH_ANNOTATION } from "../kube/writer-fence.ts";
import type { SourceWarning } from "../reconcile/reconciled.ts";
import type { RolloutEvent } from "../rollout/advance-rollout.ts";
import { type EventFacts, eventName, eventNamespace, eventObject, type ObjectReference } from "./event-object.ts";
import { type ClusterMoves, createFailoverDigest } from "./failover-digest.ts";
import type { HubStore } from "./own-writes.ts";
import { PRIORITY, retry, type TermLane, type Writing } from "./write-lane.ts";

export interface EventWriterOptions {
  readonly api: Pick<KubeApi, "create" | "mergePatch">;
  readonly store: HubStore;
  readonly timeline: Pick<Timeline, "subscribe">;
  readonly ports: KubePorts;
  /** Who reports: the pod. */
  readonly instance: string;
  /** Whether the hub has a namespace: Events on sources of member clusters live in that of their name. */
  readonly hasNamespace: (namespace: string) => boolean;
  readonly onRefused: (key: string, error: Error) => void;
  /** One Event was left out, as there are too many; for a metric. */
  readonly onLeftOut?: () => void;
}

export interface EventWriter extends Writing {
  /** All warnings that stand now. */
  offer(warnings: readonly SourceWarning[]): void;
  /** Something that happened to a route. @param route `namespace/name` */
  tell(route: string, event: RolloutEvent): void;
  close(): void;
}

/** Between two Events on routes or sources, ms: 8 a second. Those on clusters, and counts of series, come besides. */
const PACE = 125;
/** Routes whose Event waits for its turn; what comes beyond has none. */
const MOST_WAITING = 80;
/** A route has one Event of a reason in so long, ms; what comes meanwhile is counted. */
const SERIES = 300_000;
/** A warning that stands is told again, as the API server forgets Events after an hour, ms. */
const REMIND = 3_600_000;
const REMIND_CHECK = 60_000;
const TICK = 1000;
/** What a term before had gathered is told by the next one if it is no older than this, ms. */
const STALE = 60_000;
const MAX_NAMES = 6;

interface Sendable {
  readonly facts: EventFacts;
  /** Of an Event that has been sent: how often it happened, and when last. */
  readonly series?: { readonly count: number; readonly last: number };
}

interface Series {
  readonly facts: EventFacts;
  readonly ends: number;
  count: number;
  last: number;
}

export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { api, store, timeline, ports, instance, hasNamespace, onRefused, onLeftOut } = options;
  const digest = createFailoverDigest();
  /** By `reason kind object`. */
  const series = new Map<string, Series>();
  /** Waiting to be sent, by name of the Event. */
  const outbox = new Map<string, Sendable>();
  let warnings: readonly SourceWarning[] = [];
  /** Warning → when it was told. */
  const told = new Map<string, number>();
  /** On routes, waiting for their turn: first times, and how often it happened since. */
  const waiting: Sendable[] = [];
  const counts: Sendable[] = [];
  const dueWarnings = new Map<string, SourceWarning>();
  let remindAt = 0;
  let lane: TermLane | undefined;
  let cancelTick: (() => void) | undefined;
  let cancelPace: (() => void) | undefined;

  /** One after the other: routes first, as warnings stand anyway. */
  function pace(): void {
    cancelPace = undefined;
    const next = waiting.shift() ?? counts.shift() ?? nextWarning();
    if (lane === undefined || next === undefined) return;
    send(next);
    cancelPace = ports.setTimer(PACE, pace);
  }

  function nextWarning(): Sendable | undefined {
    for (const [key, warning] of dueWarnings) {
      dueWarnings.delete(key);
      const now = ports.wallClock();
      told.set(key, now);
      return { facts: warningEvent(warning, key, now) };
    }
    return undefined;
  }

  function send(sendable: Sendable): void {
    const { facts } = sendable;
    const key = `${eventNamespace(facts.regarding)}/${eventName(facts)}`;
    outbox.set(key, sendable);
    lane?.add(key, PRIORITY.event);
  }

  /** @returns whether it is told, now or as one more of a series */
  const tellRoute = (route: string, facts: Omit<EventFacts, "regarding" | "id">): boolean => tellObject(GLOBAL_ROUTES, route, facts);

  function tellObject(resource: Resource, object: string, facts: Omit<EventFacts, "regarding" | "id">): boolean {
    const key = `${facts.reason} ${resource.kind} ${object}`;
    const known = series.get(key);
    if (known !== undefined) {
      known.count++;
      known.last = facts.at;
      return true;
    }
    if (waiting.length >= MOST_WAITING) {
      onLeftOut?.();
      return false;
    }
    const regarding = reference(resource, object);
    const whole = { ...facts, regarding, id: idOf(regarding.uid ?? object, facts.reason, facts.at, instance) };
    series.set(key, { facts: whole, ends: ports.wallClock() + SERIES, count: 1, last: facts.at });
    waiting.push({ facts: whole });
    if (cancelPace === undefined) pace();
    return true;
  }

  function reference(resource: Resource, key: string): ObjectReference {
    const stored = store.objects(resource).get(key);
    const [first = "", second] = key.split("/");
    const uid = stored?.metadata.uid;
    return {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      ...(second === undefined ? { name: first } : { namespace: first, name: second }),
      ...(uid === undefined ? {} : { uid }),
    };
  }

  function happened({ kind, object, message, details, at }: TimelineEvent): void {
    if (lane === undefined) return;
    if (kind === "ProxyRejected") {
      const fleet = object.slice("ProxyFleet ".length);
      tellObject(PROXY_FLEETS, fleet, { type: "Warning", reason: kind, action: "Program", note: sentence(message), at });
    }
    if (!object.startsWith("GlobalRoute ")) return;
    const route = object.slice("GlobalRoute ".length);
    switch (kind) {
      case "Failover": {
        const [from, to, reason] = [String(details.from), String(details.to), String(details.reason)];
        const isReturn = reason === "failback";
        const [type, word] = isReturn ? (["Normal", "Failback"] as const) : (["Warning", "Failover"] as const);
        const isTold = tellRoute(route, { type, reason: word, action: word, note: sentence(message), at });
        digest.add({ route, from, to, reason, at }, isTold);
        return;
      }
      case "FailOpen":
      case "WithdrawalHeld":
        tellRoute(route, { type: "Warning", reason: kind, action: "Answer", note: sentence(message), at });
        return;
      default:
        return;
    }
  }

  function tellClusters(now: number): void {
    for (const moves of digest.take(now)) {
      const regarding = reference(MEMBER_CLUSTERS, moves.cluster);
      const reason = moves.isReturn ? "ClusterFailback" : "ClusterFailover";
      send({
        facts: {
          regarding,
          type: moves.isReturn ? "Normal" : "Warning",
          reason,
          action: moves.isReturn ? "Failback" : "Failover",
          note: describeMoves(moves),
          at: moves.at,
          id: idOf(regarding.uid ?? moves.cluster, reason, moves.at, instance),
        },
      });
    }
  }

  function endSeries(now: number): void {
    for (const [key, { facts, ends, count, last }] of series) {
      if (ends > now) continue;
      series.delete(key);
      if (count > 1) counts.push({ facts, series: { count, last } });
    }
    if (cancelPace === undefined) pace();
  }

  /** Those that nobody was told of yet, or not for long. */
  function noteWarnings(): void {
    const now = ports.wallClock();
    dueWarnings.clear();
    for (const warning of warnings) {
      const key = warningKey(warning);
      const at = told.get(key);
      if (at === undefined || now - at >= REMIND) dueWarnings.set(key, warning);
    }
    if (cancelPace === undefined) pace();
  }

  function warningEvent(warning: SourceWarning, key: string, at: number): EventFacts {
    const { cluster, object, reason, message } = warning;
    const { namespace, name, uid } = object.metadata;
    const isHere = cluster === "" || (namespace !== undefined && hasNamespace(namespace));
    const own: ObjectReference = {
      apiVersion: object.apiVersion,
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(uid === undefined ? {} : { uid }),
    };
    return {
      regarding: isHere ? own : reference(MEMBER_CLUSTERS, cluster),
      type: "Warning",
      reason,
      action: "Read",
      note: sentence(message),
      at,
      id: idOf(key, Math.floor(at / REMIND)), // whoever becomes the writer finds it told
    };
  }

  function tick(): void {
    if (lane === undefined) return;
    const now = ports.wallClock();
    tellClusters(now);
    endSeries(now);
    if (now >= remindAt) {
      remindAt = now + REMIND_CHECK;
      noteWarnings();
    }
    cancelTick = ports.setTimer(TICK, tick);
  }

  const unsubscribe = timeline.subscribe(happened);

  return {
    name: "event",
    offer(next) {
      warnings = next;
      const standing = new Set(next.map(warningKey));
      for (const key of told.keys()) if (!standing.has(key)) told.delete(key);
      if (lane !== undefined) noteWarnings();
    },
    tell(route, { type, reason, message }) {
      if (lane !== undefined) tellRoute(route, { type, reason, action: "Rollout", note: message, at: ports.wallClock() });
    },
    begin(next) {
      lane = next;
      digest.take(ports.wallClock() - STALE); // of a term long ago
      tick();
    },
    async write(key, { send: sendOne, term }): Promise<WorkResult> {
      const entry = outbox.get(key);
      if (entry === undefined) return "Done";
      const { facts, series: more } = entry;
      const sent = await sendOne<unknown>((how) =>
        more === undefined
          ? api.create(EVENTS, eventObject(facts, instance, term.epoch), how)
          : api.mergePatch(EVENTS, eventNamespace(facts.regarding), eventName(facts), seriesPatch(more, term.epoch), how),
      );
      if (sent.kind === "Later") return retry(sent);
      if (sent.kind === "Refused") onRefused(`Event ${key}`, sent.error);
      // A conflict: it is there already. Missing: its namespace is gone, or the Event is.
      if (outbox.get(key) === entry) outbox.delete(key);
      return "Done";
    },
    end: rest,
    close() {
      unsubscribe();
      rest();
    },
  };

  function rest(): void {
    lane = undefined;
    cancelTick?.();
    cancelPace?.();
    cancelPace = undefined;
    remindAt = 0;
    outbox.clear();
    series.clear();
    told.clear();
    dueWarnings.clear();
    waiting.length = 0;
    counts.length = 0;
  }
}

const seriesPatch = ({ count, last }: { readonly count: number; readonly last: number }, epoch: number) => ({
  metadata: { annotations: { [EPOCH_ANNOTATION]: String(epoch) } },
  series: { count, lastObservedTime: microTime(last) },
});

const warningKey = ({ cluster, object, reason, message }: SourceWarning): string =>
  [cluster, object.kind, objectKey(object), object.metadata.uid ?? "", reason, message].join("\n");

const idOf = (...parts: readonly (string | number)[]): string => createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function describeMoves({ cluster, isReturn, routes, untold, others, reason }: ClusterMoves): string {
  const named = others.slice(0, MAX_NAMES).join(", ") + (others.length > MAX_NAMES ? " and others" : "");
  const fact = isReturn
    ? `Clients of ${count(routes, "route")} went back from ${named} to ${cluster}`
    : `Clients of ${count(routes, "route")} moved from ${cluster} to ${named}: ${reason}`;
  return `${fact}.${untold === 0 ? "" : ` ${untold} of them have no Event of their own; see status.lastFailover.`}`;
}
