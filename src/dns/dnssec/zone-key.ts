/** Keys of signed zones: ECDSA P-256 with SHA-256 (RFC 6605), one key for all of a zone (flags 257, a "CSK"). Pure. */
import type { KeyObject } from "node:crypto";

/** ECDSAP256SHA256 (RFC 6605 §5); the only algorithm that zones are signed with. */
export const ALGORITHM = 13;
/** ZONE and SEP (RFC 4034 §2.1.1): every key is what a DS record names. */
const FLAGS = 257;
const PROTOCOL = 3; // RFC 4034 §2.1.2

/** The public half of a key. */
export interface ZoneKey {
  /** RFC 4034 appendix B. */
  readonly tag: number;
  readonly flags: number;
  readonly algorithm: typeof ALGORITHM;
  /** The point of the curve: x and y, 32 bytes each (RFC 6605 §4). */
  readonly publicKey: Uint8Array;
  readonly state: KeyState;
}

/**
 * `Published`: in DNSKEY and CDS, so that the world knows it before it signs. `Active`: signs. `Retired`: in DNSKEY alone, until no cache
 * holds its signatures.
 */
export type KeyState = "Published" | "Active" | "Retired";

/** A key that can sign. A `KeyObject` passes to other threads by `postMessage`. */
export interface SigningKey extends ZoneKey {
  readonly privateKey: KeyObject;
}

/** @param publicKey 64 bytes, x and y */
export function zoneKey(publicKey: Uint8Array, state: KeyState): ZoneKey {
  const key = { tag: 0, flags: FLAGS, algorithm: ALGORITHM, publicKey, state } as const;
  return { ...key, tag: keyTag(encodeDnskey(key)) };
}

/** RDATA of DNSKEY and CDNSKEY (RFC 4034 §2.1, RFC 7344 §3.2). */
export function encodeDnskey({ flags, algorithm, publicKey }: Omit<ZoneKey, "state">): Uint8Array {
  const rdata = new Uint8Array(4 + publicKey.length);
  rdata.set([flags >>> 8, flags & 0xff, PROTOCOL, algorithm]);
  rdata.set(publicKey, 4);
  return rdata;
}

/** The number by which RRSIG and DS records refer to a DNSKEY (RFC 4034 appendix B). */
export function keyTag(dnskey: Uint8Array): number {
  const sum = dnskey.reduce((total, byte, i) => total + ((i & 1) === 0 ? byte << 8 : byte), 0);
  return (sum + (sum >>> 16)) & 0xffff;
}
