/** Signatures of RRsets (RFC 4034 §3, RFC 6605 §4). */
import { sign } from "node:crypto";
import { concat } from "../wire/rdata.ts";
import { canonicalOrder, signedLabels } from "./canonical.ts";
import type { SigningKey } from "./zone-key.ts";

/** Bytes of a signature: r and s, 32 each (RFC 6605 §4). */
export const SIGNATURE = 64;

/**
 * Signs an RRset; takes some 50 to 100 microseconds.
 *
 * @param signer      the zone's apex: uncompressed wire form, small letters
 * @param owner       likewise; a wildcard's own name begins with `*`, an answer made from it is signed as a name of its own
 * @param originalTtl seconds; every TTL that the RRset is answered with must be no longer
 * @param rdata       one for each record; names uncompressed, in any case and order
 * @param inception   seconds since the epoch, 32 bits; `expiration` likewise
 * @returns RDATA of the RRSIG record
 */
export function signRrset(
  key: SigningKey,
  signer: Uint8Array,
  owner: Uint8Array,
  type: number,
  originalTtl: number,
  rdata: readonly Uint8Array[],
  inception: number,
  expiration: number,
): Uint8Array {
  const head = encodeRrsigHead(key, signer, owner, type, originalTtl, inception, expiration);
  const data = signedData(head, owner, type, originalTtl, rdata);
  return concat([head, sign("sha256", data, { key: key.privateKey, dsaEncoding: "ieee-p1363" })]);
}

/** RDATA of an RRSIG record up to the signature (RFC 4034 §3.1). */
function encodeRrsigHead(
  key: SigningKey,
  signer: Uint8Array,
  owner: Uint8Array,
  type: number,
  originalTtl: number,
  inception: number,
  expiration: number,
): Uint8Array {
  const head = new Uint8Array(18 + signer.length);
  const view = new DataView(head.buffer);
  view.setUint16(0, type);
  view.setUint8(2, key.algorithm);
  view.setUint8(3, signedLabels(owner));
  view.setUint32(4, originalTtl);
  view.setUint32(8, expiration);
  view.setUint32(12, inception);
  view.setUint16(16, key.tag);
  head.set(signer, 18);
  return head;
}

/** What a signature is over (RFC 4034 §3.1.8.1): the RRSIG's own RDATA, then each record in canonical form and order. */
export function signedData(
  head: Uint8Array,
  owner: Uint8Array,
  type: number,
  originalTtl: number,
  rdata: readonly Uint8Array[],
): Uint8Array {
  const start = new Uint8Array(owner.length + 8);
  const view = new DataView(start.buffer);
  start.set(owner);
  view.setUint16(owner.length, type);
  view.setUint16(owner.length + 2, 1); // IN
  view.setUint32(owner.length + 4, originalTtl);
  const records = canonicalOrder(type, rdata).flatMap((one) => [start, Uint8Array.of(one.length >>> 8, one.length), one]);
  return concat([head, ...records]);
}
