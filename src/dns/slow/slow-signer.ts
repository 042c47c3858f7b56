/** Makes signatures on demand and keeps them for every thread. */

import { SIGNATURE, signRrset } from "../dnssec/sign.ts";
import type { SigningKey } from "../dnssec/zone-key.ts";
import { INCEPTION_OFFSET, VALIDITY } from "../dnssec/zone-signer.ts";
import { readSet, type SetScratch, type Signer, stampOf } from "./rrset-signature.ts";
import { type Signature, type SignatureCache, storeSignature } from "./signature-cache.ts";

export interface ZoneSecret {
  readonly key: SigningKey;
  /** The zone's apex: uncompressed wire form, small letters. */
  readonly apex: Uint8Array;
}

/**
 * Signs a described RRset.
 *
 * @param now seconds since the epoch
 */
export function signSet({ key, apex }: ZoneSecret, set: SetScratch, now: number): Signature {
  const { type, originalTtl, owner, rdata } = readSet(set);
  const inception = Math.floor(now) - INCEPTION_OFFSET;
  // A set with a long TTL must still be valid when a cache that got it late lets go of it.
  const expiration = Math.floor(now) + Math.max(VALIDITY, 4 * originalTtl);
  const rrsig = signRrset(key, apex, owner, type, originalTtl, rdata, inception, expiration);
  return { inception, expiration, bytes: rrsig.subarray(rrsig.length - SIGNATURE) };
}

export interface SlowSigner extends Signer {
  /** Zone → its key; undefined = not signed. */
  readonly use: (zones: readonly (ZoneSecret | undefined)[]) => void;
  /** Signatures made so far. */
  readonly signed: () => number;
}

/** @param now milliseconds since the epoch */
export function createSlowSigner(recent: SignatureCache, now: () => number): SlowSigner {
  let secrets: readonly (ZoneSecret | undefined)[] = [];
  let signed = 0;
  return {
    use(zones) {
      secrets = zones;
    },
    signed: () => signed,
    sign(zone, set) {
      const secret = secrets[zone];
      if (secret === undefined) throw new Error(`zone ${zone} is signed, and its key is not here`);
      const seconds = now() / 1000;
      const signature = signSet(secret, set, seconds);
      signed++;
      storeSignature(recent, set.hash, signature, stampOf(seconds), true);
      return signature;
    },
  };
}
