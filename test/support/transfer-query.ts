/** Requests for copies of zones, and what is read out of their answers. */
import { appendTsig, type TsigChain, type TsigKey, tsigChain, tsigSize } from "../../src/dns/transfer/tsig.ts";
import { Type } from "../../src/dns/wire/codes.ts";
import { type DecodedMessage, type DecodedRecord, decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { concat, encodeRecord, encodeSoa } from "../../src/dns/wire/rdata.ts";
import { ZONES } from "./dns-world.ts";

export const axfr = (name = "example.org", edns?: object): Uint8Array =>
  encodeQuery({ id: 7, name, type: Type.AXFR, ...(edns === undefined ? {} : { edns }) });

/** With an SOA of this serial in the authority section (RFC 1995 §3). */
export function ixfr(serial: number, name = "example.org"): Uint8Array {
  const query = encodeQuery({ id: 7, name, type: Type.IXFR });
  const soa = encodeRecord(encodeName(name)!, { type: Type.SOA, ttl: 0 }, encodeSoa(ZONES[0]!.soa, serial)!);
  const message = concat([query, soa]);
  message[9] = 1;
  return message;
}

/** @returns the signed message, and what its answer must follow */
export function signed(message: Uint8Array, key: TsigKey, now: number): { readonly message: Uint8Array; readonly chain: TsigChain } {
  const out = new Uint8Array(message.length + tsigSize(key));
  out.set(message);
  const chain = tsigChain(key);
  appendTsig(out, message.length, chain, now);
  chain.timersOnly = false; // the answer is not the second message of our stream
  return { message: out, chain };
}

export function decoded(message: Uint8Array): DecodedMessage {
  const found = decodeMessage(message);
  if (found === undefined) throw new Error("no DNS message");
  return found;
}

export const lineOf = ({ name, type, ttl, rdata }: DecodedRecord): string => `${name} ${type} ${ttl} ${Buffer.from(rdata).toString("hex")}`;
