/** Encodes queries, for tools and tests. */
import { addressBytes } from "./client-subnet.ts";
import { Class, Flag, Option, Type } from "./codes.ts";
import { encodeName } from "./name.ts";
import { concat } from "./rdata.ts";

export interface QueryInput {
  readonly id: number;
  /** Presentation form. */
  readonly name: string;
  readonly type: number;
  readonly class?: number;
  /** RD; false if not given. */
  readonly recursionDesired?: boolean;
  readonly edns?: {
    readonly udpSize?: number;
    readonly dnssecOk?: boolean;
    /** CO (RFC 9824 §5). */
    readonly compactOk?: boolean;
    readonly version?: number;
    readonly clientSubnet?: { readonly family: 4 | 6; readonly address: Uint8Array; readonly source: number };
    /** Further options, behind the client subnet. */
    readonly options?: readonly { readonly code: number; readonly data: Uint8Array }[];
  };
}

/**
 * Encodes a query.
 *
 * @throws RangeError when the name is no domain name
 */
export function encodeQuery(input: QueryInput): Uint8Array {
  const name = encodeName(input.name);
  if (name === undefined) throw new RangeError(`${input.name} is no domain name`);
  const flags = input.recursionDesired === true ? Flag.RD : 0;
  const header = words(input.id, flags, 1, 0, 0, input.edns === undefined ? 0 : 1);
  return concat([
    header,
    name,
    words(input.type, input.class ?? Class.IN),
    input.edns === undefined ? new Uint8Array(0) : encodeOpt(input.edns),
  ]);
}

function encodeOpt({
  udpSize = 1232,
  dnssecOk = false,
  compactOk = false,
  version = 0,
  clientSubnet,
  options: more = [],
}: NonNullable<QueryInput["edns"]>): Uint8Array {
  const options = concat([
    ...(clientSubnet === undefined ? [] : [encodeSubnet(clientSubnet)]),
    ...more.flatMap(({ code, data }) => [words(code, data.length), data]),
  ]);
  const fixed = concat([
    Uint8Array.of(0),
    words(Type.OPT, udpSize),
    Uint8Array.of(0, version),
    words((dnssecOk ? 0x8000 : 0) | (compactOk ? 0x4000 : 0)),
  ]);
  return concat([fixed, words(options.length), options]);
}

/** Bits behind the prefix length are cleared, as senders must (RFC 7871 §6). */
function encodeSubnet({
  family,
  address,
  source,
}: {
  readonly family: 4 | 6;
  readonly address: Uint8Array;
  readonly source: number;
}): Uint8Array {
  const bytes = address.slice(0, addressBytes(source));
  if (source & 7) bytes[bytes.length - 1]! &= 0xff00 >>> (source & 7);
  return concat([words(Option.CLIENT_SUBNET, 4 + bytes.length, family === 4 ? 1 : 2), Uint8Array.of(source, 0), bytes]);
}

const words = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff]));
