/** Names of class CH that ask which server answers: `version.bind`, `version.server`, `hostname.bind`, and `id.server` (RFC 4892). */
import { POINTER_TO_QNAME, type Reply, write16, write32 } from "./reply.ts";
import { Class, Flag, Rcode, Type } from "./wire/codes.ts";
import { encodeName, foldCase } from "./wire/name.ts";
import { HEADER, type Query } from "./wire/query.ts";

const wire = (name: string): Uint8Array => encodeName(name)!;
const VERSION = [wire("version.bind"), wire("version.server")];
const IDENTITY = [wire("id.server"), wire("hostname.bind")];

/**
 * Answers a question that is not of class IN.
 *
 * @param version,identity what is told; empty = not to be told
 * @returns NOERROR with a TXT record, or REFUSED
 */
export function answerChaos(
  message: Uint8Array,
  query: Query,
  out: Uint8Array,
  reply: Reply,
  version: Uint8Array,
  identity: Uint8Array,
): number {
  if (query.class !== Class.CH || query.type !== Type.TXT) return Rcode.REFUSED;
  if (version.length > 0 && isOneOf(message, query, VERSION)) return writeText(out, reply, version);
  if (identity.length > 0 && isOneOf(message, query, IDENTITY)) return writeText(out, reply, identity);
  return Rcode.REFUSED;
}

function isOneOf(message: Uint8Array, query: Query, names: readonly Uint8Array[]): boolean {
  for (let n = 0; n < names.length; n++) {
    const name = names[n]!;
    if (query.nameEnd - HEADER !== name.length) continue;
    let i = 0;
    while (i < name.length && foldCase(message[HEADER + i]!) === name[i]) i++;
    if (i === name.length) return true;
  }
  return false;
}

function writeText(out: Uint8Array, reply: Reply, text: Uint8Array): number {
  const at = reply.at;
  reply.flags |= Flag.AA;
  if (at + 13 + text.length > reply.limit) {
    reply.overflow = true;
    return Rcode.NOERROR;
  }
  write16(out, at, POINTER_TO_QNAME);
  write16(out, at + 2, Type.TXT);
  write16(out, at + 4, Class.CH);
  write32(out, at + 6, 0);
  write16(out, at + 10, text.length + 1);
  out[at + 12] = text.length;
  for (let i = 0; i < text.length; i++) out[at + 13 + i] = text[i]!;
  reply.at = at + 13 + text.length;
  reply.answers = 1;
  return Rcode.NOERROR;
}
