/**
 * The EDNS Client Subnet option (RFC 7871 §6).
 *
 * ```
 * FAMILY 2 · SOURCE PREFIX-LENGTH 1 · SCOPE PREFIX-LENGTH 1 · ADDRESS ⌈source ÷ 8⌉
 * ```
 */

import { Option } from "./codes.ts";

export interface ClientSubnet {
  /** 1 = IPv4, 2 = IPv6; 0 only with source 0. */
  family: number;
  /** SOURCE PREFIX-LENGTH, bits. 0 = the client does not want its address used. */
  source: number;
  /** 16 bytes, left-aligned, zero-padded. */
  readonly address: Uint8Array;
}

export const newClientSubnet = (): ClientSubnet => ({ family: 0, source: 0, address: new Uint8Array(16) });

/** Bytes that ADDRESS has for a prefix length. */
export const addressBytes = (source: number): number => (source + 7) >>> 3;

/**
 * Decodes the EDNS Client Subnet option of a query (RFC 7871 §6).
 *
 * @param message whole query; borrowed, not copied
 * @param offset  byte offset of FAMILY
 * @param length  OPTION-LENGTH in bytes
 * @param out     filled on success; `address` is 16 bytes, left-aligned, zero-padded
 * @returns false, meaning answer FORMERR, when ADDRESS is too short or too long for SOURCE PREFIX-LENGTH, has bits set
 *          beyond it, SCOPE PREFIX-LENGTH is not 0, or FAMILY is unknown. Never throws.
 */
export function decodeClientSubnet(message: Uint8Array, offset: number, length: number, out: ClientSubnet): boolean {
  if (length < 4) return false;
  const family = (message[offset]! << 8) | message[offset + 1]!;
  const source = message[offset + 2]!;
  if (message[offset + 3] !== 0) return false;
  if (source > (family === 1 ? 32 : family === 2 ? 128 : 0) || family > 2) return false;
  const bytes = addressBytes(source);
  if (length !== 4 + bytes) return false;
  const stray = source & 7 ? 0xff >>> (source & 7) : 0;
  if (bytes > 0 && (message[offset + 3 + bytes]! & stray) !== 0) return false;
  out.family = family;
  out.source = source;
  for (let i = 0; i < 16; i++) out.address[i] = i < bytes ? message[offset + 4 + i]! : 0;
  return true;
}

/**
 * Writes the whole option, code and length included.
 *
 * @returns offset behind it
 */
export function encodeClientSubnet(out: DataView, offset: number, subnet: ClientSubnet, scope: number): number {
  const bytes = addressBytes(subnet.source);
  out.setInt32(offset, (Option.CLIENT_SUBNET << 16) | (4 + bytes));
  out.setInt32(offset + 4, (subnet.family << 16) | (subnet.source << 8) | scope);
  for (let i = 0; i < bytes; i++) out.setUint8(offset + 8 + i, subnet.address[i]!);
  return offset + 8 + bytes;
}

/** Bytes that {@link encodeClientSubnet} writes. */
export const clientSubnetSize = (subnet: ClientSubnet): number => 8 + addressBytes(subnet.source);
