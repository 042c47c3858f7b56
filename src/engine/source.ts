/** What the engine is given to run: where its inputs come from and where its tables go. */
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { RoutingTable } from "../routing/table.ts";

export interface SourceReading {
  /** Objects with errors are left out of it. */
  readonly inventory: Inventory;
  readonly problems: readonly Problem[];
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
   * Takes over a table, whose live state goes on changing in place. Must not block and must not throw: what cannot be published keeps
   * what was, and is told.
   *
   * @returns what is wrong with the inventory as this publisher sees it, in sentences
   */
  publish(table: RoutingTable, inventory: Inventory): readonly string[];
}
