/** A zone put together from the messages of an AXFR (RFC 5936 §2.2). */

import { Rcode, Type, typeName } from "../../src/dns/wire/codes.ts";
import { type DecodedMessage, decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { type RecordSet, recordSetKey } from "../record-set.ts";

export interface ZoneReader {
  /** @returns what became of the transfer; `More` when it goes on */
  take(message: Uint8Array): ReadStep;
}

export type ReadStep =
  | { readonly kind: "More" }
  | { readonly kind: "Whole"; readonly sets: readonly RecordSet[] }
  | { readonly kind: "Refused"; readonly rcode: number }
  /** No such transfer as the RFC has it. */
  | { readonly kind: "Malformed" };

/** What servers make by themselves: not ours to look at. */
const MADE_BY_SERVER = new Set<number>([Type.SOA, Type.RRSIG, Type.NSEC, Type.DNSKEY, 50, 51, Type.CDS, Type.CDNSKEY, 65534]);

/** @param id of the question @param hasCds whether CDS records are looked at, too */
export function createZoneReader(id: number, hasCds = false): ZoneReader {
  const sets = new Map<string, { readonly name: string; readonly type: string; ttl: number; readonly values: string[] }>();
  let soas = 0;

  function add({ answers }: DecodedMessage): ReadStep {
    for (const { name, type, ttl, data } of answers) {
      if (type === Type.SOA) soas++;
      if (soas === 0) return { kind: "Malformed" };
      if (soas === 2) return { kind: "Whole", sets: [...sets.values()] };
      if (MADE_BY_SERVER.has(type) && !(hasCds && type === Type.CDS)) continue;
      const head = { name: name.toLowerCase(), type: typeName(type) };
      const key = recordSetKey(head);
      const set = sets.get(key) ?? { ...head, ttl, values: [] };
      set.values.push(data);
      sets.set(key, set);
    }
    return { kind: "More" };
  }

  return {
    take(bytes) {
      const message = decodeMessage(bytes);
      if (message === undefined || message.id !== id || (message.flags & 0x8000) === 0) return { kind: "Malformed" };
      return message.rcode === Rcode.NOERROR ? add(message) : { kind: "Refused", rcode: message.rcode };
    },
  };
}
