/** What the parent zone is told of a zone's keys: DS (RFC 4034 §5), CDS and CDNSKEY (RFC 7344, RFC 8078). */
import { createHash } from "node:crypto";
import { concat } from "../wire/rdata.ts";
import { encodeDnskey, type ZoneKey } from "./zone-key.ts";

const SHA_256 = 2; // RFC 4509

/**
 * RDATA of DS and CDS, with a SHA-256 digest.
 *
 * @param owner the zone's apex, uncompressed wire form, small letters
 */
export function encodeDs(owner: Uint8Array, key: ZoneKey): Uint8Array {
  const digest = createHash("sha256").update(owner).update(encodeDnskey(key)).digest();
  return concat([Uint8Array.of(key.tag >>> 8, key.tag, key.algorithm, SHA_256), digest]);
}

/** RDATA of a CDS that asks the parent to remove its DS records (RFC 8078 §4 with its erratum 5049: a digest of one zero byte). */
export const CDS_DELETE = Uint8Array.of(0, 0, 0, 0, 0);
/** RDATA of a CDNSKEY that asks for the same. */
export const CDNSKEY_DELETE = Uint8Array.of(0, 0, 3, 0, 0);
