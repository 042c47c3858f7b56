/**
 * Signatures of RRsets that depend on the client or on QNAME: found in shared memory by a hash of what is signed, or made now where a signer
 * is at hand. Hot but for the making: nothing is allocated.
 */
import { sipHash128 } from "../siphash.ts";
import { foldCase } from "../wire/name.ts";
import { readSignature, type Signature, type SignatureCache } from "./signature-cache.ts";

/** What every thread needs for a set of signed zones. Structured-cloneable; belongs to one zone table. */
export interface SigningTable {
  /** Signatures that are expected to be needed. */
  readonly pinned: SignatureCache;
  /**
   * Zone → key of the hash by which its signatures are found: four words that no other zone, no other signing key and nobody outside has, and
   * that are the same in all tables of a process. Undefined in a zone that is not signed.
   */
  readonly zoneHashKey: readonly (Int32Array | undefined)[];
}

/** Seconds for which a signature is used at most before it is replaced: half of what it is valid for. */
export const RENEWAL = (7 * 86_400) / 2;

/** Makes signatures. Only threads that may take their time have one. */
export interface Signer {
  /** @param set what {@link describeSet} and {@link addData} wrote, see {@link readSet}; borrowed */
  readonly sign: (zone: number, set: SetScratch) => Signature;
}

/** One thread's: where the RRset that is signed is written down, and its hash. */
export interface SetScratch {
  /**
   * ```
   * type 2 · original TTL 4 · owner length 1 · owner, small letters · (RDATA length 2 · RDATA)*
   * ```
   */
  readonly bytes: Uint8Array;
  length: number;
  readonly hash: Int32Array;
}

/** No RRset is larger than a message, nor has more than one length for each twelve bytes of it. */
const MAX_SET = 0x1_4000;
const TYPE_AT = 0;
const TTL_AT = TYPE_AT + 2;
const OWNER_AT = TTL_AT + 4;

export const newSetScratch = (): SetScratch => ({ bytes: new Uint8Array(MAX_SET), length: 0, hash: new Int32Array(4) });

/**
 * Begins the description of an RRset.
 *
 * @param owner `owner[from..end)` is the uncompressed wire name, in any case
 */
export function describeSet(type: number, originalTtl: number, owner: Uint8Array, from: number, end: number, set: SetScratch): void {
  const { bytes } = set;
  bytes[TYPE_AT] = type >>> 8;
  bytes[TYPE_AT + 1] = type;
  for (let i = 0; i < 4; i++) bytes[TTL_AT + i] = originalTtl >>> (24 - 8 * i);
  bytes[OWNER_AT] = end - from;
  let at = OWNER_AT + 1;
  for (let i = from; i < end; i++) bytes[at++] = foldCase(owner[i]!);
  set.length = at;
}

/** Adds a record, in canonical form; records come in one order always, so that equal sets have equal hashes. */
export function addData(set: SetScratch, data: Uint8Array, from: number, size: number): void {
  const { bytes, length } = set;
  bytes[length] = size >>> 8;
  bytes[length + 1] = size;
  for (let i = 0; i < size; i++) bytes[length + 2 + i] = data[from + i]!;
  set.length = length + 2 + size;
}

/** Takes a description apart again. Allocates. */
export function readSet({ bytes, length }: SetScratch): {
  readonly type: number;
  readonly originalTtl: number;
  readonly owner: Uint8Array;
  readonly rdata: readonly Uint8Array[];
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ownerEnd = OWNER_AT + 1 + bytes[OWNER_AT]!;
  const rdata: Uint8Array[] = [];
  for (let at = ownerEnd; at < length; at += 2 + view.getUint16(at)) rdata.push(bytes.slice(at + 2, at + 2 + view.getUint16(at)));
  return { type: view.getUint16(TYPE_AT), originalTtl: view.getUint32(TTL_AT), owner: bytes.slice(OWNER_AT + 1, ownerEnd), rdata };
}

/** Sorts address numbers by the addresses' bytes: the canonical order of A and AAAA records (RFC 4034 §6.3). Lists are short. */
export function sortAddresses(numbers: Uint32Array, count: number, addressBytes: Uint8Array, size: number): void {
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let at = i;
    while (at > 0 && isBefore(addressBytes, number, numbers[at - 1]!, size)) {
      numbers[at] = numbers[at - 1]!;
      at--;
    }
    numbers[at] = number;
  }
}

function isBefore(bytes: Uint8Array, a: number, b: number, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const difference = bytes[16 * a + i]! - bytes[16 * b + i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The hash by which the described RRset's signature is found; in `set.hash`. @returns false when the zone is not signed */
export function hashSet({ zoneHashKey }: SigningTable, zone: number, set: SetScratch): boolean {
  const key = zoneHashKey[zone];
  if (key === undefined) return false;
  sipHash128(key, set.bytes, 0, set.length, set.hash);
  return true;
}

/**
 * Finds the signature of the described RRset, or has it made.
 *
 * @param recent   signatures made on demand
 * @param signer   undefined on threads that must not take their time
 * @param validFor seconds that it must be valid for: twice the TTL
 * @param now      seconds since the epoch
 * @param out      gets expiration and inception at `timesAt`, and the signature at `signatureAt`
 * @returns false when there is none and nobody to make it
 */
export function findSignature(
  signing: SigningTable,
  recent: SignatureCache,
  signer: Signer | undefined,
  zone: number,
  set: SetScratch,
  validFor: number,
  now: number,
  out: Uint8Array,
  timesAt: number,
  signatureAt: number,
): boolean {
  if (!hashSet(signing, zone, set)) return false;
  const stamp = stampOf(now);
  if (readSignature(signing.pinned, set.hash, now + validFor, stamp, out, timesAt, signatureAt)) return true;
  const renewed = now + Math.max(validFor, RENEWAL);
  if (readSignature(recent, set.hash, renewed, stamp, out, timesAt, signatureAt)) return true;
  if (signer === undefined) return false;
  const { inception, expiration, bytes } = signer.sign(zone, set);
  for (let i = 0; i < 4; i++) {
    out[timesAt + i] = expiration >>> (24 - 8 * i);
    out[timesAt + 4 + i] = inception >>> (24 - 8 * i);
  }
  for (let i = 0; i < bytes.length; i++) out[signatureAt + i] = bytes[i]!;
  return true;
}

/** What {@link readSignature} orders entries by: minutes, or so. @param now seconds since the epoch */
export const stampOf = (now: number): number => now >>> 6;
