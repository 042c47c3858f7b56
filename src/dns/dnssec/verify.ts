/** Checks what others signed: RRSIG against DNSKEY, and DNSKEY against DS (RFC 4034, RFC 4509, RFC 5702, RFC 6605, RFC 8080). */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { decodeName } from "../wire/name.ts";
import { concat } from "../wire/rdata.ts";
import { lowerCased } from "./canonical.ts";
import { signedData } from "./sign.ts";
import { keyTag } from "./zone-key.ts";

/** The fields of an RRSIG record (RFC 4034 §3.1). */
export interface RrsigFields {
  readonly typeCovered: number;
  readonly algorithm: number;
  /** Seconds. */
  readonly originalTtl: number;
  /** Seconds since the epoch, 32 bits that wrap (RFC 4034 §3.1.5). */
  readonly expiration: number;
  readonly inception: number;
  readonly tag: number;
  /** Without the trailing dot. */
  readonly signer: string;
  /** RDATA up to the signature, the signer's name with small letters: the first part of what is signed. */
  readonly head: Uint8Array;
  readonly signature: Uint8Array;
}

/** @returns undefined when the RDATA is no RRSIG's */
export function decodeRrsig(rdata: Uint8Array): RrsigFields | undefined {
  const signer = rdata.length < 19 ? undefined : decodeName(rdata, 18);
  if (signer === undefined) return undefined;
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.byteLength);
  return {
    typeCovered: view.getUint16(0),
    algorithm: view.getUint8(2),
    originalTtl: view.getUint32(4),
    expiration: view.getUint32(8),
    inception: view.getUint32(12),
    tag: view.getUint16(16),
    signer: signer.name.toLowerCase(),
    head: concat([rdata.subarray(0, 18), lowerCased(rdata.subarray(18, signer.end))]),
    signature: rdata.subarray(signer.end),
  };
}

/** `unsupported`: of an algorithm that is not checked here, which says nothing of the signature. */
export type SignatureVerdict = "valid" | "wrong" | "unsupported";

/**
 * Checks a signature by one key. Times are the caller's to judge.
 *
 * @param dnskey RDATA of the DNSKEY record
 * @param owner  of the RRset: uncompressed wire form, small letters; not made from a wildcard
 * @param rdata  one for each record; names uncompressed, in any case and order
 */
export function verifySignature(
  rrsig: RrsigFields,
  dnskey: Uint8Array,
  owner: Uint8Array,
  type: number,
  rdata: readonly Uint8Array[],
): SignatureVerdict {
  if (rrsig.typeCovered !== type || rrsig.algorithm !== dnskey[3] || rrsig.tag !== keyTag(dnskey)) return "wrong";
  const hash = HASHES[rrsig.algorithm];
  if (hash === undefined) return "unsupported";
  const data = signedData(rrsig.head, owner, type, rrsig.originalTtl, rdata);
  try {
    const key = importKey(dnskey);
    return verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, rrsig.signature) ? "valid" : "wrong";
  } catch {
    return "wrong"; // no point of the curve, a modulus of no length, …
  }
}

/** By algorithm number (IANA "DNS Security Algorithm Numbers"); null = the algorithm hashes by itself. SHA-1 is no longer trusted (RFC 9905). */
const HASHES: Readonly<Record<number, string | null>> = { 8: "sha256", 10: "sha512", 13: "sha256", 14: "sha384", 15: null, 16: null };

/** @throws when the bytes are no key of their algorithm */
function importKey(dnskey: Uint8Array): KeyObject {
  return createPublicKey({ key: jsonWebKey(dnskey[3]!, dnskey.subarray(4)), format: "jwk" });
}

function jsonWebKey(algorithm: number, bytes: Uint8Array): JsonWebKey {
  const text = (part: Uint8Array): string => Buffer.from(part).toString("base64url");
  const point = (crv: string): JsonWebKey => ({
    kty: "EC",
    crv,
    x: text(bytes.subarray(0, bytes.length / 2)),
    y: text(bytes.subarray(bytes.length / 2)),
  });
  switch (algorithm) {
    case 13:
      return point("P-256");
    case 14:
      return point("P-384");
    case 15:
      return { kty: "OKP", crv: "Ed25519", x: text(bytes) };
    case 16:
      return { kty: "OKP", crv: "Ed448", x: text(bytes) };
    default: {
      // the exponent's length in one byte, or in two behind a zero (RFC 3110 §2)
      const isLong = bytes[0] === 0;
      const from = isLong ? 3 : 1;
      const length = isLong ? (bytes[1]! << 8) | bytes[2]! : bytes[0]!;
      return { kty: "RSA", e: text(bytes.subarray(from, from + length)), n: text(bytes.subarray(from + length)) };
    }
  }
}

/** Digest types that are checked (IANA "DS RR Type Digest Algorithms"). */
const DIGESTS: Readonly<Record<number, string>> = { 1: "sha1", 2: "sha256", 4: "sha384" };
const SHA_256 = 2;

/**
 * RDATA of the DS record of a key.
 *
 * @param owner  the zone's apex: uncompressed wire form, small letters
 * @param dnskey RDATA of the DNSKEY record
 * @returns undefined for a digest type that is not known here
 */
export function dsOf(owner: Uint8Array, dnskey: Uint8Array, digestType = SHA_256): Uint8Array | undefined {
  const name = DIGESTS[digestType];
  if (name === undefined) return undefined;
  const tag = keyTag(dnskey);
  const digest = createHash(name).update(owner).update(dnskey).digest();
  return concat([Uint8Array.of(tag >>> 8, tag & 0xff, dnskey[3]!, digestType), digest]);
}
