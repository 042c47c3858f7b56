/** NSEC records (RFC 4034 §4), and the compact ones that deny without a chain (RFC 9824). Pure. */
import { MAX_LABEL, MAX_NAME } from "../wire/name.ts";
import { concat } from "../wire/rdata.ts";
import { labelStarts } from "./canonical.ts";

/**
 * RDATA of an NSEC record.
 *
 * @param next  the next owner name, uncompressed wire form; its case is kept (RFC 6840 §5.1)
 * @param types in any order, perhaps with repetitions
 */
export const encodeNsec = (next: Uint8Array, types: readonly number[]): Uint8Array => concat([next, encodeTypeBitmap(types)]);

/**
 * Type bit maps (RFC 4034 §4.1.2): for each window of 256 types that has any, its number, the length of its map, and the map without
 * trailing zero bytes. Bit 0 is the highest.
 *
 * ```
 * 00 06 40 01 00 00 00 03    A, MX, RRSIG, NSEC        01 01 40    CAA (257)
 * ```
 */
export function encodeTypeBitmap(types: readonly number[]): Uint8Array {
  const windows = [...new Set(types.map((type) => type >>> 8))].sort((a, b) => a - b);
  return concat(
    windows.map((window) => {
      const inWindow = types.filter((type) => type >>> 8 === window).map((type) => type & 0xff);
      const length = (Math.max(...inWindow) >>> 3) + 1;
      const map = new Uint8Array(2 + length);
      map[0] = window;
      map[1] = length;
      for (const type of inWindow) map[2 + (type >>> 3)]! |= 0x80 >>> (type & 7);
      return map;
    }),
  );
}

/**
 * The name right behind another in canonical order (RFC 4471 §3.1.1): `\000.name` wherever that is short enough. An NSEC record from a name to
 * it speaks of that name alone (RFC 9824 §3).
 *
 * @param name uncompressed wire form, small letters
 * @param apex of the zone, likewise; what follows the zone's last possible name
 */
export function nextName(name: Uint8Array, apex: Uint8Array): Uint8Array {
  if (name.length + 2 <= MAX_NAME) return concat([Uint8Array.of(1, 0), name]);
  if (name.length + 1 <= MAX_NAME && name[0]! < MAX_LABEL) {
    const label = name.subarray(1, 1 + name[0]!);
    return concat([Uint8Array.of(label.length + 1), label, Uint8Array.of(0), name.subarray(1 + label.length)]);
  }
  for (const start of labelStarts(name)) {
    if (name.length - start <= apex.length) break;
    const label = incremented(name.subarray(start + 1, start + 1 + name[start]!));
    if (label.length > 0) return concat([Uint8Array.of(label.length), label, name.subarray(start + 1 + name[start]!)]);
  }
  return apex;
}

/** A label without its trailing 0xff bytes, the last other byte raised by one; empty when there is none. Capitals sort as small letters. */
function incremented(label: Uint8Array): Uint8Array {
  const last = label.findLastIndex((byte) => byte !== 0xff);
  const out = label.slice(0, last + 1);
  if (last >= 0) out[last] = out[last] === 0x40 ? 0x5b : out[last]! + 1;
  return out;
}
