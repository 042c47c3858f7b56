/** The engine's source on Kubernetes: watches of the hub and of all member clusters, reconciled into one inventory. */
import type { Source, SourceReading } from "../src/engine/source.ts";
import { count } from "../src/model/count.ts";
import type { Inventory } from "../src/model/inventory.ts";
import { collapseOf, namesOf } from "../src/routing/input-collapse.ts";
import type { ClusterObjects } from "./clusters/cluster-objects.ts";
import type { HubWatch } from "./hub-watch.ts";
import { mergeClusters } from "./hub-watch.ts";
import type { KubePorts } from "./kube/kube-ports.ts";
import { NOT_GENERATED } from "./reconcile/namespace-part.ts";
import { type Reconciler, reconciledFrom, servingProblems } from "./reconcile/reconcile.ts";
import type { Reconciled } from "./reconcile/reconciled.ts";
import { memoryFromStatus } from "./status/memory-from-status.ts";
import type { ZoneKeyFiles } from "./zone-key-files.ts";

export interface KubernetesSourceOptions {
  /** For people: the API server. */
  readonly server: string;
  readonly hub: HubWatch;
  readonly clusters: {
    readonly objects: () => readonly ClusterObjects[];
    /** Whether each cluster has been read, or is known not to be readable now. */
    readonly isSettled: () => boolean;
    /** What vantages report. */
    readonly reported: () => readonly ClusterObjects[];
  };
  readonly reconciler: Reconciler;
  readonly keyFiles: ZoneKeyFiles;
  /** What was served before this process began. */
  readonly lastGood: () => Promise<Inventory | undefined>;
  readonly ports: KubePorts;
  /** Told of the newest result, {@link TELL} after the engine and at most once in that time: by then it is known whether the inputs collapsed (docs/safety.md, rule 11). */
  readonly onReconciled: (reconciled: Reconciled) => void;
  /** What is held back because CustomResourceDefinitions are missing; empty when nothing is (any more). */
  readonly onMissing: (kinds: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}

export interface KubernetesSource extends Source {
  /** Something changed. Changes within {@link COALESCE} milliseconds are one; the first after a while waits for {@link PROMPT} only. */
  changed(): void;
}

/** Milliseconds. */
export const COALESCE = 50;
/** A change that comes by itself, nothing having been reconciled for {@link QUIET} milliseconds, waits no longer than this. */
export const PROMPT = 10;
const QUIET = 1000;
/** How long whoever writes to the API servers waits for the table to be out, ms. */
export const TELL = 100;
/** Texts of reports may settle one pass later. It waits until what clients get has been compiled, ms. */
export const SETTLE = 500;
/** How long the first reading waits for the hub, and then for member clusters, before it goes without them, ms. */
const HUB_PATIENCE = 20_000;
const CLUSTER_PATIENCE = 5_000;
/** A hub that restarts is no news, ms. */
const UNREACHABLE = 5_000;
/** Between looks at the files that zones name, ms. */
const FILES = 5_000;
/** Between looks at whether everything is there, ms. */
const LOOK = 20;

export function createKubernetesSource(options: KubernetesSourceOptions): KubernetesSource {
  const { hub, clusters, reconciler, ports } = options;
  /** What reconciling gave, and what was made of it with the files that zones name. */
  let previous: Reconciled | undefined;
  let taken: Reconciled | undefined;
  let listener: ((reading: SourceReading) => void) | undefined;
  let cancel: (() => void) | undefined;
  let cancelFiles = () => {};
  let cancelSettle = () => {};
  let cancelTell: (() => void) | undefined;
  let missing: readonly string[] = [];
  let isDue = false;
  let closed = false;
  let lastRun = Number.NEGATIVE_INFINITY;
  /** Until when the first result waits for clusters. */
  let patientUntil: number | undefined;

  const pause = (delay: number): Promise<void> => new Promise((resolve) => void ports.setTimer(delay, resolve));

  async function waitFor(isThere: () => boolean, patience: number): Promise<boolean> {
    const end = ports.now() + patience;
    while (!isThere()) {
      if (closed || ports.now() >= end) return false;
      await pause(LOOK);
    }
    return true;
  }

  const reconcile = (asIfUnread = false): Reconciled =>
    reconciler.reconcile({ hub: hub.objects(), clusters: mergeClusters(clusters.objects(), clusters.reported()), previous, asIfUnread });

  /**
   * Whoever begins with nothing of its own would take a collapse for how things are, and others may be holding one just now. The routes that
   * others made tell: when too many of them would go, they stay in the first reading, and the next one, without them, is judged as any other.
   */
  function reconcileFirst(): Reconciled {
    const seen = reconcile();
    if (!seen.reports.some(({ accepted }) => accepted.reason === NOT_GENERATED)) return seen;
    const kept = reconcile(true);
    if (collapseOf(namesOf(kept.inventory), namesOf(seen.inventory)).length === 0) return seen;
    isDue = true;
    return kept;
  }

  function take(whole: Reconciled): SourceReading {
    taken = whole;
    const { inventory, generations, readiness } = whole;
    return { inventory, problems: servingProblems(whole), generations, readiness };
  }

  /** Files change without anybody telling. */
  function watchFiles(): void {
    cancelFiles = ports.setTimer(FILES, () => {
      if (options.keyFiles.areChanged()) changed();
      watchFiles();
    });
  }

  /** Nothing was reconciled yet, as the hub could not be read at the start, and clusters have just begun to be read. */
  function isEarly(): boolean {
    if (taken !== undefined || clusters.isSettled()) return false;
    patientUntil ??= ports.now() + CLUSTER_PATIENCE;
    return ports.now() < patientUntil;
  }

  function run(): void {
    cancel = undefined;
    isDue = false;
    lastRun = ports.now();
    if (closed || listener === undefined || !hub.isSynced() || isMissing()) return;
    if (isEarly()) {
      changed();
      return;
    }
    try {
      const before = previous;
      previous = reconcile();
      const whole = options.keyFiles.fill(previous);
      if (whole !== taken) {
        listener(take(whole));
        tell();
      }
      cancelSettle();
      if (previous !== before) cancelSettle = ports.setTimer(SETTLE, changed);
    } catch (error) {
      options.onError(error); // what was served goes on; the next change tries again
    }
  }

  /** Once for all results of {@link TELL} milliseconds: what clients get comes first, and is compiled in these. */
  function tell(): void {
    cancelTell ??= ports.setTimer(TELL, () => {
      cancelTell = undefined;
      if (taken !== undefined) options.onReconciled(taken);
    });
  }

  /** While a kind of ours is not known to the API server, its objects are not gone: the last inputs stay (docs/safety.md, rule 11). */
  function isMissing(): boolean {
    const now = hub.missing();
    if (now.join() !== missing.join()) {
      missing = now;
      options.onMissing(now);
    }
    return now.length > 0;
  }

  function changed(): void {
    isDue = true;
    if (closed || listener === undefined || cancel !== undefined) return;
    cancel = ports.setTimer(ports.now() - lastRun >= QUIET ? PROMPT : COALESCE, run);
  }

  return {
    path: options.server,
    async read() {
      const lastGood = await options.lastGood();
      previous = lastGood === undefined ? undefined : reconciledFrom(lastGood); // also for a hub that can be read later only
      if (!(await waitFor(hub.isSynced, HUB_PATIENCE))) throw new Error(hub.hindrance() ?? `${options.server} was not read in time`);
      await waitFor(clusters.isSettled, CLUSTER_PATIENCE);
      isDue = false;
      const hasNothing = lastGood === undefined;
      const memory = { routes: memoryFromStatus(hub.objects().routes), at: ports.wallClock() };
      previous = hasNothing ? reconcileFirst() : reconcile();
      const whole = options.keyFiles.fill(previous);
      options.onReconciled(whole);
      return { ...take(whole), memory };
    },
    watch(onChange) {
      listener = onChange;
      watchFiles();
      if (isDue) changed();
    },
    changed,
    degraded() {
      const since = hub.failingSince();
      return [
        ...(hub.held() > 0 || hub.missing().length > 0 ? ["inputs-held"] : []),
        ...(since !== undefined && ports.now() - since >= UNREACHABLE ? ["hub-unreachable"] : []),
      ];
    },
    confirm() {
      const gone = hub.confirm();
      return gone === 0 ? [] : [`accepted: ${count(gone, "object")} went with their kind`];
    },
    close() {
      closed = true;
      cancel?.();
      cancelFiles();
      cancelSettle();
      cancelTell?.();
      listener = undefined;
    },
  };
}
