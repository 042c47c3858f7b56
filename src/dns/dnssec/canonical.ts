/** Canonical form and order of names and records (RFC 4034 §6, RFC 6840 §5.1): what is signed, byte for byte. Pure. */
import { Type } from "../wire/codes.ts";
import { foldCase } from "../wire/name.ts";

/** An uncompressed wire name with small letters (RFC 4034 §6.2). */
export const lowerCased = (wire: Uint8Array): Uint8Array => wire.map(foldCase);

/** Where each label of an uncompressed wire name starts, the root's left out. */
export function labelStarts(wire: Uint8Array): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) starts.push(at);
  return starts;
}

/** Value of the Labels field of RRSIG (RFC 4034 §3.1.3): neither the root nor a leading `*` counts. */
export function signedLabels(owner: Uint8Array): number {
  const isWildcard = owner[0] === 1 && owner[1] === 0x2a;
  return labelStarts(owner).length - (isWildcard ? 1 : 0);
}

/**
 * Canonical order of names (RFC 4034 §6.1): label by label from the right, as byte strings with small letters; a name before those below it.
 *
 * @param a, b uncompressed wire names
 * @returns below 0 when `a` comes first, 0 for the same name
 */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  const [ofA, ofB] = [labelStarts(a), labelStarts(b)];
  for (let i = 1; i <= Math.min(ofA.length, ofB.length); i++) {
    const order = compareLabels(a, ofA.at(-i)!, b, ofB.at(-i)!);
    if (order !== 0) return order;
  }
  return ofA.length - ofB.length;
}

function compareLabels(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  const [lengthA, lengthB] = [a[atA]!, b[atB]!];
  for (let i = 1; i <= Math.min(lengthA, lengthB); i++) {
    const order = foldCase(a[atA + i]!) - foldCase(b[atB + i]!);
    if (order !== 0) return order;
  }
  return lengthA - lengthB;
}

/**
 * Where names begin that canonical form writes small, and how many there are up to the end or to numbers that have no letters. Of the types
 * in RFC 4034 §6.2, as RFC 6840 §5.1 corrects it, those that a zone here can have.
 */
const NAMES: Readonly<Record<number, { readonly from: number; readonly count: number }>> = {
  [Type.NS]: { from: 0, count: 1 },
  [Type.CNAME]: { from: 0, count: 1 },
  [Type.SOA]: { from: 0, count: 2 },
  [Type.MX]: { from: 2, count: 1 },
  [Type.SRV]: { from: 6, count: 1 },
};

/** RDATA in canonical form; the very same bytes when there is nothing to change. */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const names = NAMES[type];
  if (names === undefined) return rdata;
  const out = rdata.slice();
  let at = names.from;
  for (let name = 0; name < names.count; name++) {
    while (at < out.length && out[at] !== 0) {
      const end = at + 1 + out[at]!;
      for (at++; at < end; at++) out[at] = foldCase(out[at]!);
    }
    at++;
  }
  return out;
}

/** RDATA of an RRset as it is signed (RFC 4034 §6.3): in canonical form, sorted as byte strings, each once. */
export function canonicalOrder(type: number, rdata: readonly Uint8Array[]): readonly Uint8Array[] {
  const sorted = rdata.map((one) => canonicalRdata(type, one)).sort(compareBytes);
  return sorted.filter((one, i) => i === 0 || compareBytes(sorted[i - 1]!, one) !== 0);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
