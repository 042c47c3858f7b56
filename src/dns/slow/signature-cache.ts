/**
 * Signatures in shared memory: several threads write, all read, nobody waits. An entry is addressed by a keyed hash of everything that is
 * signed but the times, so a signature can never be taken for that of another RRset.
 *
 * ```
 * entry, 24 words:  sequence · stamp · inception · expiration · key 4 · signature 16
 * ```
 * The sequence is odd while an entry is being written. A reader copies and then looks whether it has changed; all words go through Atomics,
 * so that no processor reorders them. Each key has two sets of four entries to be in, which fills a table to three quarters without loss.
 */
import { sharedInt32 } from "../../model/shared-array.ts";

/** Words of a key. */
export const KEY_WORDS = 4;
/** Bytes of a signature of algorithm 13 (RFC 6605 §4). */
export const SIGNATURE_BYTES = 64;

const WAYS = 4;
const ENTRY = 24;
const STAMP = 1;
const INCEPTION = 2;
const EXPIRATION = 3;
const KEY = 4;
const SIGNATURE = KEY + KEY_WORDS;

/** Structured-cloneable; a clone shares the memory. */
export interface SignatureCache {
  readonly words: Int32Array;
  /** Number of sets − 1; sets are a power of two. */
  readonly mask: number;
}

/** @param entries how many it must hold; rounded up */
export function newSignatureCache(entries: number): SignatureCache {
  const sets = 2 ** Math.max(1, Math.ceil(Math.log2(entries / WAYS)));
  return { words: sharedInt32(sets * WAYS * ENTRY), mask: sets - 1 };
}

/** Entries that there is room for. */
export const signatureCapacity = ({ mask }: SignatureCache): number => (mask + 1) * WAYS;

/**
 * Copies a signature out, with its times as an RRSIG has them (RFC 4034 §3.1): expiration, then inception. Hot: allocates nothing.
 *
 * @param key    {@link KEY_WORDS} words
 * @param until  seconds since the epoch; an entry that expires before is treated as absent
 * @param stamp  grows slowly with time; entries with the oldest ones are replaced first
 * @returns false when there is none; what was written at the two places is then of no meaning
 */
export function readSignature(
  { words, mask }: SignatureCache,
  key: Int32Array,
  until: number,
  stamp: number,
  out: Uint8Array,
  timesAt: number,
  signatureAt: number,
): boolean {
  for (let choice = 0; choice < 2; choice++) {
    const first = (key[choice]! & mask) * WAYS * ENTRY;
    for (let entry = first; entry < first + WAYS * ENTRY; entry += ENTRY) {
      if (words[entry + KEY] !== key[0]) continue;
      const sequence = Atomics.load(words, entry);
      if ((sequence & 1) !== 0 || !hasKey(words, entry, key)) continue;
      const expiration = Atomics.load(words, entry + EXPIRATION);
      if (expiration >>> 0 < until) continue;
      put(out, timesAt, expiration);
      put(out, timesAt + 4, Atomics.load(words, entry + INCEPTION));
      for (let i = 0; i < SIGNATURE_BYTES / 4; i++) put(out, signatureAt + 4 * i, Atomics.load(words, entry + SIGNATURE + i));
      if (Atomics.load(words, entry) !== sequence) continue;
      if (words[entry + STAMP] !== stamp) words[entry + STAMP] = stamp; // seldom: readers must not fight over the line
      return true;
    }
  }
  return false;
}

function hasKey(words: Int32Array, entry: number, key: Int32Array): boolean {
  for (let i = 0; i < KEY_WORDS; i++) if (Atomics.load(words, entry + KEY + i) !== key[i]) return false;
  return true;
}

/** Network order, so that the signature's bytes come out as they went in on any machine. */
function put(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}

export interface Signature {
  /** Seconds since the epoch. */
  readonly inception: number;
  readonly expiration: number;
  /** {@link SIGNATURE_BYTES} bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Keeps a signature.
 *
 * @param stamp see {@link readSignature}
 * @param evict whether another entry may be given up for it
 * @returns false when it was not kept: no room, or other threads were writing at all its places
 */
export function storeSignature(
  { words, mask }: SignatureCache,
  key: Int32Array,
  signature: Signature,
  stamp: number,
  evict: boolean,
): boolean {
  const same = findEntry(words, mask, key);
  if (same >= 0) return write(words, same, key, signature, stamp);
  // A place that another thread is writing to is not waited for: there are eight.
  for (let tries = 0; tries < 2 * WAYS; tries++) {
    const entry = chooseEntry(words, mask, key, evict);
    if (entry < 0) return false;
    if (write(words, entry, key, signature, stamp)) return true;
  }
  return false;
}

function findEntry(words: Int32Array, mask: number, key: Int32Array): number {
  for (let choice = 0; choice < 2; choice++) {
    const first = (key[choice]! & mask) * WAYS * ENTRY;
    for (let entry = first; entry < first + WAYS * ENTRY; entry += ENTRY) {
      if (Atomics.load(words, entry) !== 0 && hasKey(words, entry, key)) return entry;
    }
  }
  return -1;
}

/** A free entry of the emptier set, or else the one that has not been asked for longest; -1 = none. */
function chooseEntry(words: Int32Array, mask: number, key: Int32Array, evict: boolean): number {
  let free = -1;
  let mostFree = 0;
  let oldest = -1;
  let oldestStamp = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < 2; choice++) {
    const first = (key[choice]! & mask) * WAYS * ENTRY;
    let freeHere = 0;
    let last = -1;
    for (let entry = first; entry < first + WAYS * ENTRY; entry += ENTRY) {
      const sequence = Atomics.load(words, entry);
      if ((sequence & 1) !== 0) continue;
      if (sequence === 0) {
        freeHere++;
        last = entry;
      } else if (words[entry + STAMP]! < oldestStamp) {
        oldest = entry;
        oldestStamp = words[entry + STAMP]!;
      }
    }
    if (freeHere > mostFree) {
      mostFree = freeHere;
      free = last;
    }
  }
  return free >= 0 ? free : evict ? oldest : -1;
}

function write(words: Int32Array, entry: number, key: Int32Array, signature: Signature, stamp: number): boolean {
  const sequence = Atomics.load(words, entry);
  if ((sequence & 1) !== 0 || Atomics.compareExchange(words, entry, sequence, sequence + 1) !== sequence) return false;
  const { bytes } = signature;
  Atomics.store(words, entry + STAMP, stamp);
  Atomics.store(words, entry + INCEPTION, signature.inception | 0);
  Atomics.store(words, entry + EXPIRATION, signature.expiration | 0);
  for (let i = 0; i < KEY_WORDS; i++) Atomics.store(words, entry + KEY + i, key[i]!);
  for (let i = 0; i < SIGNATURE_BYTES / 4; i++) {
    const at = 4 * i;
    Atomics.store(words, entry + SIGNATURE + i, (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  const next = (sequence + 2) | 0;
  Atomics.store(words, entry, next === 0 ? 2 : next); // 0 means that nothing was ever written
  return true;
}
