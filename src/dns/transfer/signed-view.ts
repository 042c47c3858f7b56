/**
 * Signs a view: DNSKEY and its like at the apex, one chain of NSEC records through all names (RFC 4034 §4, RFC 4035 §2.3), an RRSIG for each
 * authoritative RRset. A copy has no key, so that it cannot deny names one by one as the server itself does (RFC 9824).
 */
import type { Zone } from "../../model/inventory.ts";
import { encodeNsec } from "../dnssec/nsec.ts";
import { encodeDnskey, keyTag } from "../dnssec/zone-key.ts";
import { VALIDITY, type ZoneSigner } from "../dnssec/zone-signer.ts";
import { Type } from "../wire/codes.ts";
import type { ViewName } from "./static-view.ts";
import { sameBytes, sameContent, setKey, type ViewSet } from "./zone-view.ts";

export interface SignedSets {
  readonly sets: readonly ViewSet[];
  /** When the first signature must be made anew, seconds since the epoch. */
  readonly renewAt: number;
}

/**
 * Signs all but the SOA, whose serial depends on whether the rest has changed.
 *
 * @param names   in canonical order, the apex first, each with a set at least
 * @param earlier what the view had before: its signatures are used again while more than half of their validity is left
 * @param now     seconds since the epoch
 */
export function signSets(
  { soa }: Pick<Zone, "soa">,
  names: readonly ViewName[],
  signer: ZoneSigner,
  earlier: ReadonlyMap<string, ViewSet>,
  now: number,
): SignedSets {
  const apex = names[0]!.owner;
  const sign = reusingSigner(apex, signer, earlier, now);
  const extra = signer.apexSets.map(({ type, rdata }): ViewSet => ({ owner: apex, type, ttl: soa.ttl, rdata }));
  const links = names.filter(({ kind }) => kind !== "Glue");
  const next = new Map(links.map((name, i) => [name, links[(i + 1) % links.length]!.owner]));
  const ttl = Math.min(soa.ttl, soa.minimum); // RFC 9077 §3
  let renewAt = Number.POSITIVE_INFINITY;
  const signed = (set: ViewSet): ViewSet => {
    const result = sign(set);
    renewAt = Math.min(renewAt, expirationOf(result.signature!) - VALIDITY / 2);
    return result;
  };
  const sets = names.flatMap((name): readonly ViewSet[] => {
    const { owner, kind } = name;
    if (kind === "Glue") return name.sets;
    const own = owner === apex ? [...name.sets, ...extra] : name.sets;
    const types = [...own.map(({ type }) => type), ...(owner === apex ? [Type.SOA] : []), Type.RRSIG, Type.NSEC];
    const nsec: ViewSet = { owner, type: Type.NSEC, ttl, rdata: [encodeNsec(next.get(name)!, types)] };
    return [...own.map((set) => (kind === "Cut" && set.type === Type.NS ? set : signed(set))), signed(nsec)];
  });
  return { sets, renewAt };
}

/** A set with the signature that it had, if its content is the same and the signature lasts; else with a new one. */
function reusingSigner(
  apex: Uint8Array,
  signer: ZoneSigner,
  earlier: ReadonlyMap<string, ViewSet>,
  now: number,
): (set: ViewSet) => ViewSet {
  const { tag } = signer.key;
  // A tag names a key only among the DNSKEY records beside it.
  const namesakes = (earlier.get(setKey({ owner: apex, type: Type.DNSKEY }))?.rdata ?? []).filter((rdata) => keyTag(rdata) === tag);
  const isSameKey = namesakes.length === 1 && sameBytes(namesakes[0]!, encodeDnskey(signer.key));
  return (set) => {
    const known = earlier.get(setKey(set));
    if (known?.signature !== undefined && isSameKey && sameContent(known, set)) {
      const isOurs = ((known.signature[16]! << 8) | known.signature[17]!) === tag;
      if (isOurs && expirationOf(known.signature) - now > VALIDITY / 2) return known;
    }
    return { ...set, signature: signer.sign(set.owner, set.type, set.ttl, set.rdata) };
  };
}

/** Signature Expiration of an RRSIG's RDATA (RFC 4034 §3.1.5), seconds since the epoch. */
const expirationOf = (rrsig: Uint8Array): number => new DataView(rrsig.buffer, rrsig.byteOffset).getUint32(8);
