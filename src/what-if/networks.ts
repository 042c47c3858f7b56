/** The networks of the client map, leaf by leaf. */
import type { GeoTable } from "../geo/geo-table.ts";

/** Called for each network in address order. @param bits of the address from the left: 4 or 16 bytes, which the next call overwrites */
type Visit = (bits: Uint8Array, length: number, place: number) => void;

/** Walks all networks of one family below a prefix. @param start node (or ~leaf) at which the prefix ends, `bits` and `length` the prefix */
export function eachNetwork(geo: GeoTable, start: number, bits: Uint8Array, length: number, visit: Visit): void {
  const address = bits.slice();
  const walk = (at: number, depth: number): void => {
    if (at < 0) {
      visit(address, depth, geo.leafPlace[~at]!);
      return;
    }
    walk(geo.children[2 * at]!, depth + 1);
    const bit = 0x80 >>> (depth & 7);
    address[depth >>> 3]! |= bit;
    walk(geo.children[2 * at + 1]!, depth + 1);
    address[depth >>> 3]! &= ~bit;
  };
  walk(start, length);
}
