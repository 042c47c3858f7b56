/**
 * Writes statuses. Whatever may have changed one is noted; what is noted is worked out in small slices, away from the queue, and only a status that
 * tells something else is queued: a system at rest, or a new writer in a quiet world, writes nothing.
 */
import type { HealthFeed } from "../../src/engine/view.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubeError } from "../kube/kube-error.ts";
import { apiVersionOf, type KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import type { WorkResult } from "../kube/work-queue.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import type { RolloutEvent } from "../rollout/advance-rollout.ts";
import { conditionOf } from "./conditions.ts";
import { createOwnWrites, type HubStore, preconditions } from "./own-writes.ts";
import { routeRollout } from "./route-rollout.ts";
import { isSameStatus } from "./same-status.ts";
import {
  type AnyStatus,
  type DueStatus,
  parseStatusKey,
  RESOURCES,
  type StatusFacts,
  type StatusSources,
  statusFacts,
  statusKey,
  type WriterFacts,
} from "./status-facts.ts";
import { undeclaredIn, withoutFields } from "./undeclared-fields.ts";
import { PRIORITY, type Priority, retry, type TermLane, type Writing } from "./write-lane.ts";

export interface StatusWriterOptions extends Pick<StatusSources, "programmed" | "deletion" | "fleet" | "refusal"> {
  readonly api: Pick<KubeApi, "apply">;
  readonly store: HubStore;
  readonly health: HealthFeed;
  readonly ports: KubePorts;
  /** A write that the server refuses for good: the object keeps the status that it has. */
  readonly onRefused: (key: string, error: Error) => void;
  /** A rollout went on, and the status says so now. @param route `namespace/name` */
  readonly onRollout: (route: string, event: RolloutEvent) => void;
}

export interface StatusWriter extends Writing {
  /** The newest facts; kept whether or not this is the writer. */
  offer(facts: WriterFacts): void;
  /** Replicas have reported other tables. */
  programmedChanged(): void;
  /** Proxies follow otherwise than they did. @param routes whose refusal is another, as `namespace/name` */
  fleetsChanged(routes: Iterable<string>): void;
  /** The deletion of a zone has come on, or has to wait. */
  deletionChanged(zone: string): void;
  close(): void;
}

/** Statuses that are worked out in one turn of the event loop. */
const SLICE = 50;
/** Between turns, and for what comes together, ms. */
const PAUSE = 20;
/** After a change of health: clients are moved first, and what fails together is told together, ms. */
const ANSWERS_FIRST = 300;
/** Counts of endpoints change with each probe while a cluster fails: they are gathered for so long, ms. */
const CLUSTER_PAUSE = 1000;
/** Proxies come and go together when they are rolled out: they are gathered for so long, ms. */
const FLEET_PAUSE = 1000;
/** What the server refused is tried again so much later, ms: its schema may be replaced by then. */
const REFUSED_PAUSE = 60_000;
/** What is further off is looked at in between, ms: clocks are set. */
const LONGEST_WAIT = 600_000;

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, store, health, ports, programmed, onRefused, onRollout } = options;
  const own = createOwnWrites(store);
  const sources: StatusSources = {
    health,
    programmed,
    ...(options.deletion === undefined ? {} : { deletion: options.deletion }),
    ...(options.fleet === undefined ? {} : { fleet: options.fleet }),
    ...(options.refusal === undefined ? {} : { refusal: options.refusal }),
    wallClock: ports.wallClock,
    rollout: (stored) => routeRollout({ stored, store, health, now: ports.wallClock() }),
  };
  const noted = new Set<string>();
  /** Not served by every replica when last looked at. */
  const waiting = new Set<string>();
  /** What was written where the server made something else of it: an older schema drops fields, which is no reason to write them again. */
  const answered = new Map<string, { readonly wanted: AnyStatus; readonly got: unknown }>();
  /** Paths that the schemas on the hub lack, by kind. */
  const undeclared = new Map<Kind, Set<string>>();
  /** When time alone changes a status, ms since the epoch. */
  const dues = new Map<string, number>();
  /** Keys of routes that proxies take, or do not take, otherwise than before. */
  const refused = new Set<string>();
  const timers = new Map<"slice" | "clusters" | "fleets", () => void>();
  let cancelDue = (): void => {};
  let facts: StatusFacts | undefined;
  let offered: WriterFacts | undefined;
  let lane: TermLane | undefined;

  function after(name: "slice" | "clusters" | "fleets", delay: number, work: () => void): void {
    if (timers.has(name)) return;
    const cancel = ports.setTimer(delay, () => {
      timers.delete(name);
      work();
    });
    timers.set(name, cancel);
  }

  function note(keys: Iterable<string>, pause = PAUSE): void {
    if (lane === undefined) return;
    for (const key of keys) noted.add(key);
    if (noted.size > 0) after("slice", pause, workOut);
  }

  const noteAll = (): void => note(facts?.keys() ?? []);
  const noteClusters = (): void => after("clusters", CLUSTER_PAUSE, () => note(facts?.clusterKeys() ?? []));

  function workOut(): void {
    if (lane === undefined) return;
    let left = SLICE;
    for (const key of noted) {
      if (left-- === 0) break;
      noted.delete(key);
      const plan = planOf(key, lane.term.epoch);
      if (plan !== undefined) lane.add(key, plan.priority);
    }
    if (noted.size > 0) after("slice", PAUSE, workOut);
    else awaitDue();
  }

  /** Overrides begin and end, and steps of rollouts last, by the clock. */
  function awaitDue(): void {
    cancelDue();
    if (dues.size === 0) return;
    const now = ports.wallClock();
    const wait = Math.min(...dues.values()) - now;
    cancelDue = ports.setTimer(Math.min(Math.max(wait, PAUSE), LONGEST_WAIT), () => {
      const at = ports.wallClock();
      note([...dues].flatMap(([key, due]) => (due <= at ? [key] : [])));
      if (noted.size === 0) awaitDue();
    });
  }

  /** Undefined when there is nothing to write. */
  function planOf(
    key: string,
    epoch: number,
  ): (Pick<DueStatus, "status" | "events"> & { readonly stored: KubeObject; readonly priority: Priority }) | undefined {
    dues.delete(key);
    const report = facts?.report(key);
    const { kind, object } = parseStatusKey(key);
    const stored = own.current(RESOURCES[kind], object);
    if (facts === undefined || report === undefined || stored === undefined) {
      waiting.delete(key);
      answered.delete(key);
      return undefined;
    }
    // Reconciling has not seen this object, or this generation of it: it tells of it soon.
    if (stored.metadata.uid !== report.uid || stored.metadata.generation !== report.generation) return undefined;
    const last = answered.get(key);
    const before = last !== undefined && isSameStatus(last.got, stored.status) ? last.wanted : stored.status;
    const { status, events, due } = facts.status(report, { ...stored, status: before }, epoch);
    if (due < Number.POSITIVE_INFINITY) dues.set(key, due);
    if (isWaiting(report, status)) waiting.add(key);
    else waiting.delete(key);
    if (isSameStatus(status, before)) return undefined;
    return { stored, status, events, priority: isTransition(before, status) ? PRIORITY.transition : PRIORITY.cosmetic };
  }

  async function write(key: string, { send, term }: TermLane): Promise<WorkResult> {
    const plan = planOf(key, term.epoch);
    if (plan === undefined) return "Done";
    const { kind, object } = parseStatusKey(key);
    const resource = RESOURCES[kind];
    const { stored, status } = plan;
    const known = withoutFields(status, undeclared.get(kind) ?? []);
    const body: KubeObject = { apiVersion: apiVersionOf(resource), kind, metadata: preconditions(stored), status: known };
    const sent = await send((options) => api.apply(resource, body, { ...options, force: true, subresource: "status" }));
    switch (sent.kind) {
      case "Done":
        own.wrote(resource, object, sent.value);
        if (isSameStatus(status, sent.value.status)) answered.delete(key);
        else answered.set(key, { wanted: status, got: sent.value.status });
        for (const event of plan.events) onRollout(object, event);
        return "Done";
      case "Conflict":
        return "Retry"; // the watch brings the newer one meanwhile
      case "Missing":
        return "Done";
      case "Later":
        return retry(sent);
      case "Refused":
        if (leaveOut(kind, sent.error)) return "Retry";
        onRefused(key, sent.error);
        return { retryAfter: REFUSED_PAUSE };
    }
  }

  /** @returns whether it names fields that were not left out yet: from now on they are, of all objects of the kind */
  function leaveOut(kind: Kind, error: KubeError): boolean {
    const paths = undeclared.get(kind) ?? new Set();
    undeclared.set(kind, paths);
    const named = undeclaredIn(error.message);
    for (const path of named) {
      if (!paths.has(path)) onRefused(`${kind}.status.${path}`, error);
      paths.add(path);
    }
    return named.length > 0;
  }

  const unwatch = health.watch((route) => {
    if (lane === undefined) return;
    if (route === "all") noteAll();
    else note([statusKeyOfRoute(route)], ANSWERS_FIRST);
    noteClusters();
  });

  return {
    name: "status",
    offer(next) {
      const before = offered;
      offered = next;
      const current = statusFacts(next, sources);
      facts = current;
      own.sweep(({ kind }, key) => current.report(`${kind} ${key}`) !== undefined);
      for (const key of answered.keys()) if (current.report(key) === undefined) answered.delete(key);
      const known = new Set(before?.reconciled.reports);
      const isOther = before?.reconciled.inventory !== next.reconciled.inventory;
      note(
        next.reconciled.reports.flatMap((report) =>
          !known.has(report) || (isOther && report.kind !== "GlobalRoute") ? [statusKey(report)] : [],
        ),
      );
      // An act on a rollout is an object of its own.
      if (!isSameList(overridesOf(before), overridesOf(next))) noteAll();
      if (before?.connections !== next.connections) note(current.clusterKeys());
    },
    programmedChanged: () => note(waiting),
    fleetsChanged(routes) {
      if (lane === undefined) return;
      for (const route of routes) refused.add(statusKeyOfRoute(route));
      after("fleets", FLEET_PAUSE, () => {
        note([...(facts?.keys() ?? [])].filter((key) => parseStatusKey(key).kind === "ProxyFleet"));
        note(refused);
        refused.clear();
      });
    },
    deletionChanged: (zone) => note([statusKey({ kind: "DNSZone", namespace: "", name: zone })]),
    begin(next) {
      lane = next;
      noteAll();
    },
    write,
    end: rest,
    close() {
      unwatch();
      rest();
    },
  };

  function rest(): void {
    lane = undefined;
    for (const cancel of timers.values()) cancel();
    timers.clear();
    cancelDue();
    dues.clear();
    noted.clear();
    refused.clear();
    waiting.clear();
    answered.clear();
    undeclared.clear();
    own.clear();
  }
}

const overridesOf = (facts: WriterFacts | undefined): readonly ObjectReport[] =>
  facts?.reconciled.reports.filter(({ kind }) => kind === "TrafficOverride") ?? [];

const isSameList = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((entry, i) => entry === b[i]);

const statusKeyOfRoute = (route: string): string => `GlobalRoute ${route}`;

const isWaiting = (report: ObjectReport, status: AnyStatus): boolean =>
  report.accepted.status === "True" &&
  (conditionOf(status.conditions, "Programmed") ?? conditionOf(status.conditions, "Ready"))?.status !== "True";

/** Clients were moved, or a verdict changed: whoever watches wants to know that first. */
function isTransition(before: unknown, status: AnyStatus): boolean {
  if (!("lastFailover" in status) && !("health" in status)) return false;
  const old: Readonly<Record<string, unknown>> = typeof before === "object" && before !== null ? { ...before } : {};
  if ("lastFailover" in status && !isSameStatus(old.lastFailover, status.lastFailover)) return true;
  return "health" in status && old.health !== status.health;
}
