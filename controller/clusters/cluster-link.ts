/**
 * The connection to one member cluster. A new credential is tried beside the one in use, and takes over once the server has answered to it:
 * rotating Secrets interrupt nothing, and a bad one harms nothing.
 */
import { isDeepStrictEqual } from "node:util";
import { type Backoff, createBackoff } from "../kube/backoff.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubeConnection } from "../kube/kube-connection.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { textField } from "../kube/kube-status.ts";
import { resourceTitle } from "../kube/resource-path.ts";
import { type ResourceWatch, watchResource } from "../kube/resource-watch.ts";
import { NAMESPACES } from "../kube/resources.ts";
import { type ClusterConnection, type ClusterObjects, SOURCE_KINDS, type SourceKind } from "./cluster-objects.ts";
import { type AccessProblem, describeConnection } from "./describe-connection.ts";
import { sourceResources, sourceWatchOptions } from "./source-resources.ts";

export interface ClusterLinkOptions {
  readonly cluster: string;
  readonly ports: KubePorts;
  readonly open: (connection: KubeConnection) => KubeApi;
  /** Something of `objects`, `connection` or `uid` may have changed. */
  readonly onChange: () => void;
  readonly onError?: (cluster: string, error: unknown) => void;
}

export interface ClusterLink {
  /** Takes over what to connect with, and what to read there. The same access object again changes nothing. */
  use(access: KubeConnection | AccessProblem, sources: readonly SourceKind[]): void;
  /** Another MemberCluster counts for the same cluster: nothing more is read until undefined is given. What was read stays. */
  yieldTo(other: string | undefined): void;
  uid(): string | undefined;
  /** In use now, for renewing its credential. */
  api(): KubeApi | undefined;
  /** The same object while nothing changed. */
  objects(): ClusterObjects;
  connection(): ClusterConnection;
  close(): void;
}

interface Identity {
  readonly uid?: string;
  readonly version?: string;
  /** Why there is no UID. */
  readonly problem?: KubeError;
}

/** So long nobody is told that a server does not answer: a restart of it is no news. */
const GRACE = 10_000;

interface Attempt {
  readonly api: KubeApi;
  readonly backoff: Backoff;
  error?: KubeError;
  cancelRetry?: () => void;
}

export function createClusterLink(options: ClusterLinkOptions): ClusterLink {
  const { cluster, ports, open, onChange, onError } = options;
  const watches = new Map<SourceKind, ResourceWatch>();
  /** Of each kind that was read once: all objects as last seen. Missing = to be made anew of its watch. */
  const arrays = new Map<SourceKind, readonly KubeObject[] | undefined>();
  let access: KubeConnection | AccessProblem | undefined;
  let sources: readonly SourceKind[] = [];
  let active: { readonly api: KubeApi } | undefined;
  let attempt: Attempt | undefined;
  let identity: Identity = {};
  let other: string | undefined;
  let snapshot: ClusterObjects | undefined;
  let isDirty = true;
  let told: { readonly connection: ClusterConnection; readonly access: typeof access } | undefined;
  let lastSummary = "";
  let wasFailing = false;
  let isClosed = false;

  const changed = (): void => {
    isDirty = true;
    if (!isClosed) onChange();
  };

  /** Asks who is there. A server that answers to the credential is good, even if it keeps its identity to itself. */
  async function identify(api: KubeApi): Promise<Identity> {
    const version = textField(await api.request("GET", "/version"), "gitVersion");
    try {
      const uid = (await api.get(NAMESPACES, undefined, "kube-system"))?.metadata.uid;
      return { version, ...(uid === undefined ? {} : { uid }) };
    } catch (error) {
      if (!(error instanceof KubeError && error.isForbidden)) throw error;
      return { version, problem: error };
    }
  }

  function connect(connection: KubeConnection): void {
    endAttempt();
    const current: Attempt = { api: open(connection), backoff: createBackoff(ports.random) };
    attempt = current;
    const tryOnce = async (): Promise<void> => {
      try {
        const found = await identify(current.api);
        if (attempt !== current) return;
        identity = found;
        attempt = undefined;
        const before = active?.api;
        active = { api: current.api };
        for (const watch of watches.values()) watch.use(current.api);
        before?.close();
        changed(); // whoever is told may make us yield, before anything is read
        readSources();
      } catch (thrown) {
        if (attempt !== current) return;
        const error =
          thrown instanceof KubeError
            ? thrown
            : new KubeError("the cluster could not be asked. It is tried again.", { status: 0, reason: "Internal" }, { cause: thrown });
        current.error = error;
        onError?.(cluster, thrown);
        current.cancelRetry = ports.setTimer(Math.max(current.backoff.next(), error.retryAfter ?? 0), () => void tryOnce());
        changed();
      }
    };
    void tryOnce();
  }

  function endAttempt(): void {
    attempt?.cancelRetry?.();
    attempt?.api.close();
    attempt = undefined;
  }

  /** Starts and ends watches, so that there is one for each kind that is wanted. */
  function readSources(): void {
    const api = active?.api;
    for (const [kind, watch] of watches) {
      if (api !== undefined && other === undefined && sources.includes(kind)) continue;
      objectsOf(kind); // what was seen outlives the watch
      if (!sources.includes(kind)) arrays.delete(kind);
      watch.close();
      watches.delete(kind);
    }
    if (api === undefined || other !== undefined) return;
    for (const kind of sources) {
      if (watches.has(kind)) continue;
      const watch = watchResource(api, sourceResources[kind], sourceWatchOptions(kind), ports, {
        onChange: () => {
          if (watches.get(kind) !== watch) return;
          arrays.set(kind, undefined);
          changed();
        },
        onState: () => {
          if (watches.get(kind) === watch) stateChanged();
        },
        onError: (error) => onError?.(cluster, error),
      });
      watches.set(kind, watch);
    }
  }

  let cancelGrace: (() => void) | undefined;
  function stateChanged(): void {
    const isFailing = failingWatches(0).length > 0;
    // What was away may have come back as something else.
    const api = active?.api;
    if (wasFailing && !isFailing && api !== undefined) {
      identify(api).then(
        (found) => {
          if (active?.api !== api) return;
          identity = found;
          changed();
        },
        (error: unknown) => onError?.(cluster, error),
      );
    }
    wasFailing = isFailing;
    if (isFailing && failingWatches(GRACE).length === 0) {
      cancelGrace ??= ports.setTimer(GRACE, () => {
        cancelGrace = undefined;
        stateChanged();
      });
    }
    // Most failures are another try of the same.
    const summary = JSON.stringify([connection(), isCurrent(), [...watches.values()].map((watch) => watch.state().served)]);
    if (summary === lastSummary) return;
    lastSummary = summary;
    changed();
  }

  /** Of kinds for which the server has not answered for so long. */
  const failingWatches = (grace: number): readonly KubeError[] =>
    [...watches.values()].flatMap((watch) => {
      const { failingSince, error } = watch.state();
      const isFailing = failingSince !== undefined && ports.now() - failingSince >= grace;
      return isFailing && error !== undefined ? [error] : [];
    });

  /** Each kind has been read once, or cannot be. */
  const hasRead = (): boolean =>
    [...watches.values()].every((watch) => {
      const { synced, forbidden, served } = watch.state();
      return synced || forbidden || !served;
    });
  const isCurrent = (): boolean => active !== undefined && other === undefined && failingWatches(GRACE).length === 0 && hasRead();

  function objectsOf(kind: SourceKind): readonly KubeObject[] | undefined {
    const watch = watches.get(kind);
    if (arrays.has(kind)) {
      const known = arrays.get(kind) ?? [...(watch?.objects().values() ?? [])];
      arrays.set(kind, known);
      return known;
    }
    // The server said that it has no such kind, so there are none.
    return watch?.state().served === false ? NONE : undefined;
  }

  function objects(): ClusterObjects {
    if (!isDirty && snapshot !== undefined && snapshot.isCurrent === isCurrent()) return snapshot;
    isDirty = false;
    const found: Partial<Record<SourceKind, readonly KubeObject[]>> = {};
    for (const kind of sources) {
      const seen = objectsOf(kind);
      if (seen !== undefined) found[kind] = seen;
    }
    const next: ClusterObjects = {
      cluster,
      // Of two that lead to one cluster, one only is on record as it.
      ...(identity.uid === undefined || other !== undefined ? {} : { uid: identity.uid }),
      objects: found,
      isCurrent: isCurrent(),
    };
    if (snapshot === undefined || !sameObjects(snapshot, next)) snapshot = next;
    return snapshot;
  }

  function connection(): ClusterConnection {
    const forbidden = sources.filter((kind) => watches.get(kind)?.state().forbidden === true);
    const next: ClusterConnection = {
      cluster,
      ...describeConnection({
        access: access === undefined || isConnection(access) ? undefined : access,
        other,
        refused: attempt?.error,
        isActive: active !== undefined,
        failing: failingWatches(GRACE)[0],
        hasRead: hasRead(),
        forbidden,
        hidesIdentity: identity.problem !== undefined,
      }),
      forbidden: forbidden.map((kind) => ({ kind, permission: `list ${resourceTitle(sourceResources[kind])}` })),
      ...(identity.version === undefined ? {} : { version: identity.version }),
    };
    const before = told?.connection;
    // While a server fails in one way, the words stay: each change of them would be a write of a status.
    const isSameFailure = next.state === "Unreachable" && told?.access === access && before?.reason === next.reason;
    const shown = isSameFailure && before !== undefined ? { ...next, message: before.message } : next;
    if (before === undefined || !isDeepStrictEqual(before, shown)) told = { connection: shown, access };
    return told?.connection ?? shown;
  }

  return {
    use: (next, wanted) => {
      if (isClosed) return;
      const isNew = next !== access;
      if (!isNew && wanted.length === sources.length && wanted.every((kind, i) => kind === sources[i])) return;
      access = next;
      sources = wanted;
      if (isNew) {
        if (isConnection(next)) connect(next);
        else {
          endAttempt();
          if (next.withdraws) {
            active?.api.close();
            active = undefined;
          }
        }
      }
      readSources();
      changed();
    },
    yieldTo: (name) => {
      if (name === other) return;
      other = name;
      readSources();
      changed();
    },
    uid: () => identity.uid,
    api: () => active?.api,
    objects,
    connection,
    close: () => {
      isClosed = true;
      cancelGrace?.();
      endAttempt();
      for (const watch of watches.values()) watch.close();
      active?.api.close();
    },
  };
}

const isConnection = (access: KubeConnection | AccessProblem): access is KubeConnection => "credential" in access;
const NONE: readonly KubeObject[] = [];

const sameObjects = (a: ClusterObjects, b: ClusterObjects): boolean =>
  a.uid === b.uid && a.isCurrent === b.isCurrent && SOURCE_KINDS.every((kind) => a.objects[kind] === b.objects[kind]);
