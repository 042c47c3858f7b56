/** Tells the peers which generations of the objects are in the table that is served. */
import type { Inventory } from "../model/inventory.ts";
import type { PeerPort } from "./peer-port.ts";
import type { SourceReading } from "./source.ts";

export interface ProgrammedReports {
  /** Notes which generations a reading's inventory holds. The inventory may be held back, or be published much later. */
  note(reading: SourceReading): void;
  /** A table of this inventory is served, or its inventory was accepted and differs in nothing that a table holds. */
  published(version: number, inventory: Inventory): void;
}

export function createProgrammedReports(peers: Pick<PeerPort, "published"> | undefined): ProgrammedReports {
  /** By the list of routes, which an inventory keeps on its way to the table. */
  const known = new WeakMap<Inventory["routes"], ReadonlyMap<string, number>>();
  let told: { readonly version: number; readonly generations: ReadonlyMap<string, number> } | undefined;
  return {
    note({ inventory, generations }) {
      if (generations !== undefined) known.set(inventory.routes, generations);
    },
    published(version, { routes }) {
      const generations = known.get(routes);
      if (generations === undefined || (told?.version === version && told.generations === generations)) return;
      told = { version, generations };
      peers?.published(told);
    },
  };
}
