/** What the engine is given to run: where its inputs come from and where its tables go. */
import type { LatencyMap } from "../geo/latency-model.ts";
import type { Inventory, RouteKey } from "../model/inventory.ts";
import type { Kind } from "../model/kinds.ts";
import type { Problem } from "../model/problem.ts";
import type { RouteMemory } from "../routing/evaluate-route.ts";
import type { RoutingTable } from "../routing/table.ts";

export interface SourceReading {
  /** Objects with errors are left out of it. */
  readonly inventory: Inventory;
  readonly problems: readonly Problem[];
  /** Files besides the objects that it depends on, such as keys: when one changes, the objects are read again. */
  readonly dependsOn?: readonly SourceFile[];
  /** {@link programmedKey} of each object that the inventory was made of → its `metadata.generation`, where objects have one. */
  readonly generations?: ReadonlyMap<string, number>;
  /**
   * {@link readinessKey} → how the member cluster itself sees a backend. What is not in it is not known, and counts for nothing. Taken with
   * every reading, whatever becomes of its inventory.
   */
  readonly readiness?: ReadonlyMap<string, BackendReadiness>;
  /** What routes remembered at an instant (ms since the epoch), for an engine that has no last good world of its own. */
  readonly memory?: { readonly routes: ReadonlyMap<RouteKey, RouteMemory>; readonly at: number };
}

/** Endpoints of the services behind a backend. */
export interface BackendReadiness {
  readonly ready: number;
  readonly total: number;
}

export const readinessKey = (route: RouteKey, backend: string): string => `${route}/${backend}`;

/** @param namespace empty for cluster-scoped kinds */
export const programmedKey = (kind: Kind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;

export interface SourceFile {
  readonly path: string;
  /** What `fileStamp` told of it before it was read. */
  readonly stamp: string;
}

export interface Source {
  /** For people: the folder, the API server. */
  readonly path: string;
  read(): Promise<SourceReading>;
  /** Calls back with every later reading, until `close`. */
  watch(onChange: (reading: SourceReading) => void): void;
  /** Why its readings may be older than what they were made of: words as in `Readiness.degraded`. */
  degraded?(): readonly string[];
  /** Lets go what it holds back because too much of it vanished. @returns what, in words; empty when it holds nothing */
  confirm?(): readonly string[];
  close(): void;
}

/** Makes tables true somewhere: the DNS server, a provider, a proxy. */
export interface Publisher {
  /**
   * Does beforehand, away from whoever is serving, what would make {@link Publisher.publish} of this table slow. The table before it goes on
   * serving meanwhile. Rejects when the table cannot be published: then nothing changes, and it is tried again.
   */
  prepare?(table: RoutingTable, inventory: Inventory): Promise<void>;
  /**
   * Takes over a table, whose live state goes on changing in place. Must not block and must not throw: what cannot be published keeps
   * what was, and is told.
   *
   * @param latency what it was compiled with
   * @returns what is wrong with the inventory as this publisher sees it, in sentences
   */
  publish(table: RoutingTable, inventory: Inventory, latency: LatencyMap): readonly string[];
  /** Why what it has made true may be older than the table: words as in `Readiness.degraded`. */
  degraded?(): readonly string[];
}
