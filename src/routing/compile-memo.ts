/**
 * What one compile leaves to the next. Plans of places and scopes follow from policies, geo data and measures alone, and are by far the
 * dearest part of a table: while those stay, a change of routes, addresses or weights costs what it changes.
 */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Partition } from "../geo/partition.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { type Classes, numberSpots, type Spots } from "./classify-places.ts";
import type { RouteFacts } from "./route-facts.ts";
import type { SlotTable } from "./slots.ts";
import type { TableNames } from "./table.ts";
import { createTableNamer } from "./table-names.ts";
import type { TableRows } from "./table-rows.ts";

/** A way of cutting places, and the partition that was built for it. Partitions are never changed, so tables share them. */
export interface BuiltCut {
  readonly classOfPlace: Uint32Array;
  readonly requires: Uint8Array;
  readonly partition: Partition;
}

/** What a compile's results follow from, besides routes. */
export interface CompileInputs {
  readonly geo: GeoTable;
  /** Names what distances and latencies are measured by: equal for equal ones. */
  readonly measures: string;
  /** The clusters' names and weights, in their order. */
  readonly clusters: string;
  /** As of `CompileOptions`. */
  readonly scopeBudget: number;
}

export interface CompileMemo {
  /** What is known for these inputs. Only what the compile uses until {@link MemoUse.built} is kept for the next. */
  use(inputs: CompileInputs): MemoUse;
}

export interface MemoUse {
  readonly spots: Spots;
  /** The rows of the compile before, if all else is the same. */
  readonly before: TableRows | undefined;
  /** Of the route as an object: one that was changed is another. */
  facts(route: Route, make: () => RouteFacts): RouteFacts;
  classes(shape: string, make: () => Classes): Classes;
  /** @param find the cut among those of the same hash */
  cut(hash: number, find: (cut: BuiltCut) => boolean, make: () => BuiltCut): BuiltCut;
  /** @param members with their weights */
  slots(members: string, make: () => SlotTable): SlotTable;
  names(inventory: Inventory, addresses: readonly string[]): TableNames;
  /** The compile has built rows. */
  built(rows: TableRows): void;
  /** The compile has changed rows of `before`, and all that belongs to them is still needed. */
  patched(rows: TableRows): void;
}

export function createCompileMemo(): CompileMemo {
  let last: CompileInputs | undefined;
  let spots: Spots | undefined;
  let facts = new WeakMap<Route, RouteFacts>();
  let shapes: ReadonlyMap<string, Classes> = new Map();
  let cuts: ReadonlyMap<number, readonly BuiltCut[]> = new Map();
  let slots: ReadonlyMap<string, SlotTable> = new Map();
  let rows: TableRows | undefined;
  const namer = createTableNamer();

  return {
    use(inputs) {
      const hasSameGeo = inputs.geo === last?.geo;
      const knownSpots = (hasSameGeo ? spots : undefined) ?? numberSpots(inputs.geo.places);
      const knownFacts = hasSameGeo && inputs.clusters === last?.clusters ? facts : new WeakMap<Route, RouteFacts>();
      const knownShapes = hasSameGeo && inputs.measures === last?.measures ? shapes : new Map<string, Classes>();
      const knownCuts = hasSameGeo ? cuts : new Map<number, readonly BuiltCut[]>();
      const isSame =
        hasSameGeo && inputs.clusters === last?.clusters && inputs.measures === last.measures && inputs.scopeBudget === last.scopeBudget;
      const usedShapes = new Map<string, Classes>();
      const usedCuts = new Map<number, BuiltCut[]>();
      const usedSlots = new Map<string, SlotTable>();
      return {
        spots: knownSpots,
        before: isSame ? rows : undefined,
        facts(route, make) {
          const known = knownFacts.get(route);
          if (known !== undefined) return known;
          const made = make();
          knownFacts.set(route, made);
          return made;
        },
        classes(shape, make) {
          const classes = usedShapes.get(shape) ?? knownShapes.get(shape) ?? make();
          usedShapes.set(shape, classes);
          return classes;
        },
        cut(hash, find, make) {
          const used = usedCuts.get(hash) ?? [];
          const again = used.find(find);
          if (again !== undefined) return again;
          const cut = knownCuts.get(hash)?.find(find) ?? make();
          usedCuts.set(hash, [...used, cut]);
          return cut;
        },
        slots(members, make) {
          const table = usedSlots.get(members) ?? slots.get(members) ?? make();
          usedSlots.set(members, table);
          return table;
        },
        names: namer.name,
        patched(next) {
          rows = next;
        },
        built(next) {
          rows = next;
          last = inputs;
          spots = knownSpots;
          facts = knownFacts;
          shapes = usedShapes;
          cuts = usedCuts;
          slots = usedSlots;
        },
      };
    },
  };
}
