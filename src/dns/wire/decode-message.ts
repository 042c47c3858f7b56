/** Decodes whole messages of any kind into plain objects, for tools and tests. Not used on the hot path. */
import { Option, Type } from "./codes.ts";
import { formatRdata } from "./format-rdata.ts";
import { decodeName } from "./name.ts";

export interface DecodedQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface DecodedRecord extends DecodedQuestion {
  readonly ttl: number;
  readonly rdata: Uint8Array;
  /** Presentation form for the types this program serves, RFC 3597 `\# length hex` for others. */
  readonly data: string;
}

export interface DecodedEdns {
  readonly udpSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly { readonly code: number; readonly data: Uint8Array }[];
  /** A copy of the CLIENT-SUBNET option, if there is a well-formed one. */
  readonly clientSubnet?: { readonly family: number; readonly source: number; readonly scope: number; readonly address: Uint8Array };
  readonly extendedErrors: readonly { readonly code: number; readonly text: string }[];
}

export interface DecodedMessage {
  readonly id: number;
  /** The header's second word. */
  readonly flags: number;
  readonly opcode: number;
  /** With the upper bits from OPT (RFC 6891 §6.1.3). */
  readonly rcode: number;
  readonly questions: readonly DecodedQuestion[];
  readonly answers: readonly DecodedRecord[];
  readonly authorities: readonly DecodedRecord[];
  /** Without OPT, which is `edns`. */
  readonly additionals: readonly DecodedRecord[];
  readonly edns?: DecodedEdns;
}

/** Decodes a message of any kind. @returns undefined when it is malformed anywhere, or has bytes left over. Never throws. */
export function decodeMessage(message: Uint8Array): DecodedMessage | undefined {
  if (message.length < 12) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const questions: DecodedQuestion[] = [];
  let at = 12;
  for (let i = view.getUint16(4); i > 0; i--) {
    const name = decodeName(message, at);
    if (name === undefined || name.end + 4 > message.length) return undefined;
    questions.push({ name: name.name, type: view.getUint16(name.end), class: view.getUint16(name.end + 2) });
    at = name.end + 4;
  }
  const answers: DecodedRecord[] = [];
  const authorities: DecodedRecord[] = [];
  const rest: DecodedRecord[] = [];
  for (const [section, records] of [answers, authorities, rest].entries()) {
    for (let i = view.getUint16(6 + 2 * section); i > 0; i--) {
      const decoded = decodeRecord(message, view, at);
      if (decoded === undefined) return undefined;
      records.push(decoded.record);
      at = decoded.end;
    }
  }
  if (at !== message.length) return undefined;
  const flags = view.getUint16(2);
  const opts = rest.filter((record) => record.type === Type.OPT);
  const edns = opts.length === 1 ? decodeEdns(opts[0]!) : undefined;
  if (opts.length > (edns === undefined ? 0 : 1)) return undefined;
  return {
    id: view.getUint16(0),
    flags,
    opcode: (flags >>> 11) & 15,
    rcode: (flags & 15) | (((opts[0]?.ttl ?? 0) >>> 24) << 4),
    questions,
    answers,
    authorities,
    additionals: rest.filter((record) => record.type !== Type.OPT),
    ...(edns === undefined ? {} : { edns }),
  };
}

function decodeRecord(
  message: Uint8Array,
  view: DataView,
  at: number,
): { readonly record: DecodedRecord; readonly end: number } | undefined {
  const owner = decodeName(message, at);
  if (owner === undefined || owner.end + 10 > message.length) return undefined;
  const type = view.getUint16(owner.end);
  const start = owner.end + 10;
  const end = start + view.getUint16(owner.end + 8);
  if (end > message.length) return undefined;
  const data = formatRdata(message, type, start, end);
  if (data === undefined) return undefined;
  const record = {
    name: owner.name,
    type,
    class: view.getUint16(owner.end + 2),
    ttl: view.getUint32(owner.end + 4),
    rdata: message.slice(start, end),
    data,
  };
  return { record, end };
}

function decodeEdns(opt: DecodedRecord): DecodedEdns | undefined {
  if (opt.name !== ".") return undefined;
  const { rdata } = opt;
  const options: { code: number; data: Uint8Array }[] = [];
  for (let at = 0; at < rdata.length; ) {
    if (at + 4 > rdata.length) return undefined;
    const size = (rdata[at + 2]! << 8) | rdata[at + 3]!;
    if (at + 4 + size > rdata.length) return undefined;
    options.push({ code: (rdata[at]! << 8) | rdata[at + 1]!, data: rdata.slice(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  const subnet = options.find(({ code, data }) => code === Option.CLIENT_SUBNET && data.length >= 4)?.data;
  const errors = options.filter(({ code, data }) => code === Option.EXTENDED_ERROR && data.length >= 2);
  return {
    udpSize: opt.class,
    version: (opt.ttl >>> 16) & 0xff,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options,
    ...(subnet === undefined
      ? {}
      : { clientSubnet: { family: (subnet[0]! << 8) | subnet[1]!, source: subnet[2]!, scope: subnet[3]!, address: subnet.slice(4) } }),
    extendedErrors: errors.map(({ data }) => ({ code: (data[0]! << 8) | data[1]!, text: new TextDecoder().decode(data.subarray(2)) })),
  };
}
