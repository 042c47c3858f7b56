/** Signs the RRsets of one zone that are known beforehand, and uses again what was signed before. */
import { createHash } from "node:crypto";
import { Type } from "../wire/codes.ts";
import { CDNSKEY_DELETE, CDS_DELETE, encodeDs } from "./ds.ts";
import { signRrset } from "./sign.ts";
import { encodeDnskey, type SigningKey, type ZoneKey } from "./zone-key.ts";

/** Seconds that an inception lies in the past, for validators whose clocks are slow. */
export const INCEPTION_OFFSET = 3600;
/** Seconds for which a new signature is valid. */
export const VALIDITY = 7 * 86_400;

export interface Signature {
  /** RDATA of the RRSIG record. */
  readonly rdata: Uint8Array;
  /** Seconds since the epoch. */
  readonly expiration: number;
}

/** Signatures by what they are over. */
export type Signatures = ReadonlyMap<string, Signature>;

export interface ZoneSigner {
  readonly key: SigningKey;
  /** DNSKEY, CDS and CDNSKEY, which stand at the apex. */
  readonly apexSets: readonly { readonly type: number; readonly rdata: readonly Uint8Array[] }[];
  /**
   * RDATA of an RRset's RRSIG record, made now or earlier.
   *
   * @param owner uncompressed wire form, small letters
   * @param originalTtl seconds; no answer may have a longer TTL
   */
  readonly sign: (owner: Uint8Array, type: number, originalTtl: number, rdata: readonly Uint8Array[]) => Uint8Array;
  /** All that `sign` has returned: what the next signer of the zone is given as `earlier`. */
  readonly signatures: Signatures;
  /** How many of them are new. */
  readonly fresh: () => number;
  /** When the first of them ends, seconds since the epoch; Infinity when there is none. */
  readonly expires: () => number;
}

export interface ZoneSignerOptions {
  /** Uncompressed wire form, small letters. */
  readonly apex: Uint8Array;
  readonly key: SigningKey;
  /** Published and retired ones. */
  readonly otherKeys: readonly ZoneKey[];
  readonly delegation: "Secure" | "Insecure";
  /** Seconds since the epoch. */
  readonly now: number;
  /** What an earlier signer of the zone made; a signature is used again while more than half of {@link VALIDITY} is left. */
  readonly earlier?: Signatures;
}

export function createZoneSigner({ apex, key, otherKeys, delegation, now, earlier }: ZoneSignerOptions): ZoneSigner {
  const inception = Math.floor(now) - INCEPTION_OFFSET;
  const expiration = Math.floor(now) + VALIDITY;
  const signatures = new Map<string, Signature>();
  let fresh = 0;
  let expires = Number.POSITIVE_INFINITY;
  return {
    key,
    apexSets: apexSets(apex, [key, ...otherKeys], delegation),
    sign(owner, type, originalTtl, rdata) {
      const content = contentHash(key, apex, owner, type, originalTtl, rdata);
      let signature = signatures.get(content) ?? earlier?.get(content);
      if (signature === undefined || signature.expiration - now <= VALIDITY / 2) {
        signature = { rdata: signRrset(key, apex, owner, type, originalTtl, rdata, inception, expiration), expiration };
        fresh++;
      }
      signatures.set(content, signature);
      expires = Math.min(expires, signature.expiration);
      return signature.rdata;
    },
    signatures,
    fresh: () => fresh,
    expires: () => expires,
  };
}

/** The parent shall have DS records of the keys that sign or will sign (RFC 7344 §4): a retired one is no longer named. */
function apexSets(apex: Uint8Array, keys: readonly ZoneKey[], delegation: "Secure" | "Insecure"): ZoneSigner["apexSets"] {
  const wanted = keys.filter(({ state }) => state !== "Retired");
  const secure = delegation === "Secure";
  return [
    { type: Type.DNSKEY, rdata: keys.map(encodeDnskey) },
    { type: Type.CDS, rdata: secure ? wanted.map((one) => encodeDs(apex, one)) : [CDS_DELETE] },
    { type: Type.CDNSKEY, rdata: secure ? wanted.map(encodeDnskey) : [CDNSKEY_DELETE] },
  ];
}

/** Everything that is signed but the times; the whole key, since tags may be equal. */
function contentHash(
  key: SigningKey,
  apex: Uint8Array,
  owner: Uint8Array,
  type: number,
  originalTtl: number,
  rdata: readonly Uint8Array[],
): string {
  const hash = createHash("sha256").update(key.publicKey).update(apex).update(owner).update(Uint32Array.of(type, originalTtl));
  for (const one of rdata) hash.update(Uint32Array.of(one.length)).update(one);
  return hash.digest("base64");
}
