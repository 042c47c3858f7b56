/**
 * What one compile leaves to the next. Plans of places and scopes follow from policies, geo data and measures alone, and are by far the
 * dearest part of a table: while those stay, a change of routes, addresses or weights costs what it changes.
 */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Partition } from "../geo/partition.ts";
import { type Classes, numberSpots, type Spots } from "./classify-places.ts";

/** A way of cutting places, and the partition that was built for it. Partitions are never changed, so tables share them. */
export interface BuiltCut {
  readonly classOfPlace: Uint32Array;
  readonly requires: Uint8Array;
  readonly partition: Partition;
}

export interface CompileMemo {
  /** What is known for these inputs. Only what the compile uses until {@link MemoUse.done} is kept for the next. */
  use(geo: GeoTable, measures: string): MemoUse;
}

export interface MemoUse {
  readonly spots: Spots;
  classes(shape: string, make: () => Classes): Classes;
  /** @param find the cut among those of the same hash */
  cut(hash: number, find: (cut: BuiltCut) => boolean, make: () => BuiltCut): BuiltCut;
  done(): void;
}

export function createCompileMemo(): CompileMemo {
  let geo: GeoTable | undefined;
  let measures = "";
  let spots: Spots | undefined;
  let shapes: ReadonlyMap<string, Classes> = new Map();
  let cuts: ReadonlyMap<number, readonly BuiltCut[]> = new Map();

  return {
    use(nextGeo, nextMeasures) {
      const isSame = nextGeo === geo && nextMeasures === measures;
      const knownSpots = (nextGeo === geo ? spots : undefined) ?? numberSpots(nextGeo.places);
      const knownShapes = isSame ? shapes : new Map<string, Classes>();
      const knownCuts = nextGeo === geo ? cuts : new Map<number, readonly BuiltCut[]>();
      const usedShapes = new Map<string, Classes>();
      const usedCuts = new Map<number, BuiltCut[]>();
      return {
        spots: knownSpots,
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
        done() {
          geo = nextGeo;
          measures = nextMeasures;
          spots = knownSpots;
          shapes = usedShapes;
          cuts = usedCuts;
        },
      };
    },
  };
}
