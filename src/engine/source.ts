/** What the engine is given to run: where its inputs come from and where its tables go. */
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { RoutingTable } from "../routing/table.ts";

export interface SourceReading {
  /** Objects with errors are left out of it. */
  readonly inventory: Inventory;
  readonly problems: readonly Problem[];
  /** Files besides the objects that it depends on, such as keys: when one changes, the objects are read again. */
  readonly dependsOn?: readonly SourceFile[];
}

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
   * @returns what is wrong with the inventory as this publisher sees it, in sentences
   */
  publish(table: RoutingTable, inventory: Inventory): readonly string[];
}
